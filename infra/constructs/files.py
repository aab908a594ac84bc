"""The bucket of files: what is imported, exported and archived. Used by the hops and machines that work on files."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack, aws_s3
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.hop import Hop
from infra.deployment import Deployment

KEPT_DAYS = {"imports/": 30, "exports/": 7, "audiences/": 90, "pages/": 1, "work/": 7}
"""How long files live, by prefix; personal data is kept no longer than it is needed. ``events/`` and ``ledger/`` are the archive."""
_UNDER_A_PREFIX = "Objects are named by their content and day; the prefix is what the hop is for"
_NO_ACCESS_LOGS = (
    "Every access is in CloudTrail data events if the account wants them; a second bucket would need the same"
)


class Files(Construct):
    """One private, encrypted, versioned bucket; each hop is let in under its own prefix only."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Files")
        self._bucket = aws_s3.Bucket(
            self,
            "Bucket",
            # the names of all accounts and regions share one space
            bucket_name=f"{deployment.name}-files-{Stack.of(self).account}-{Stack.of(self).region}",
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=deployment.is_production,
            removal_policy=deployment.removal_policy,
            lifecycle_rules=[
                aws_s3.LifecycleRule(
                    id=prefix.strip("/"),
                    prefix=prefix,
                    expiration=Duration.days(days),
                    noncurrent_version_expiration=Duration.days(1),
                )
                for prefix, days in KEPT_DAYS.items()
            ]
            + [aws_s3.LifecycleRule(id="unfinished", abort_incomplete_multipart_upload_after=Duration.days(2))],
        )
        acknowledge(self._bucket, "AwsSolutions-S1", because=_NO_ACCESS_LOGS)
        self.name = self._bucket.bucket_name
        self.arn = self._bucket.bucket_arn

    def readable_by(self, hop: Hop, *prefixes: str) -> None:
        """Let a hop list and read what is under these prefixes (``imports/``)."""
        self._let(hop, "s3:GetObject", prefixes=prefixes)
        hop.allow(
            "s3:ListBucket",
            on=self.arn,
            conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
        )

    def writable_by(self, hop: Hop, *prefixes: str) -> None:
        """Let a hop write files under these prefixes, each in one call."""
        self._let(hop, "s3:PutObject", prefixes=prefixes)

    def uploadable_by(self, hop: Hop, *prefixes: str) -> None:
        """Let a hop write files under these prefixes, in parts too, and give one up that it has begun."""
        self._let(hop, "s3:PutObject", "s3:AbortMultipartUpload", prefixes=prefixes)

    def taggable_by(self, hop: Hop, *prefixes: str) -> None:
        """Let a hop write files with tags under these prefixes, each in one call."""
        self._let(hop, "s3:PutObject", "s3:PutObjectTagging", prefixes=prefixes)

    def _let(self, hop: Hop, *actions: str, prefixes: Sequence[str]) -> None:
        hop.allow(*actions, on=[f"{self.arn}/{prefix}*" for prefix in prefixes], wildcard=_UNDER_A_PREFIX)

    def forget(self, prefix: str, *, tag: str, value: str, days: int) -> None:
        """Delete the objects under a prefix that carry this tag, so many days after they were written."""
        self._bucket.add_lifecycle_rule(
            id=f"{prefix.strip('/')}-{value}",
            prefix=prefix,
            tag_filters={tag: value},
            expiration=Duration.days(days),
            noncurrent_version_expiration=Duration.days(1),
        )
