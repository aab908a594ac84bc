"""Show, do or undo a merge of two contacts. Called by the operation merge-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.queue import SqsEventQueue
from waypost.clock import clock
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.rules import load_identity_rules

logger = Logger(service="merge_contacts")


@cache
def merge_contacts() -> MergeContacts:
    """The merger, wired."""
    return MergeContacts(
        contacts=wiring.contacts(),
        queue=SqsEventQueue(client("sqs"), wiring.settings().events_queue_url),
        rules=load_identity_rules(),
        clock=clock(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says what changed."""
    return merge_contacts().act(event)
