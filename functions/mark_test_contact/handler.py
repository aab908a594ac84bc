"""Make a contact a test contact, or no longer. Called by the operation mark-test-contact."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.mark_test_contact import MarkTestContact

logger = function_log("mark_test_contact")


@cache
def mark_test_contact() -> MarkTestContact:
    """Wire MarkTestContact to its stores and settings; once per process."""
    return assemble.mark_test_contact(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says what the contact is, and what it was."""
    return mark_test_contact().mark(event)
