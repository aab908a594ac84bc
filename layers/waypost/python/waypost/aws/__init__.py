"""The adapters: the only code that knows boto3."""
