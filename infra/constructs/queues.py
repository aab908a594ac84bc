"""The queues of a stage: encrypted, by TLS only, kept as long as SQS keeps anything. Used by every construct that has one."""

from typing import Any

from aws_cdk import Duration, aws_sqs
from constructs import Construct


def build_queue(scope: Construct, construct_id: str, *, name: str, **settings: Any) -> aws_sqs.Queue:
    """A queue of this name; ``settings`` are those of ``aws_sqs.Queue`` that differ from one queue to another."""
    return aws_sqs.Queue(
        scope,
        construct_id,
        queue_name=name,
        encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        **settings,
    )
