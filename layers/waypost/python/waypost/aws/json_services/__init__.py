"""A client for the AWS services that speak JSON, a fifth of botocore's processor time per call. Made by ``waypost.aws.clients``."""
