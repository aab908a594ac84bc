"""Show, do or undo a merge of two contacts. Called by the operation merge-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.rules import load_identity_rules

logger = function_log("merge_contacts")


@cache
def merge_contacts() -> MergeContacts:
    """Wire MergeContacts to its stores and settings; once per process."""
    return assemble.merge_contacts(wiring, rules=load_identity_rules())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says what changed."""
    return merge_contacts().act(event)
