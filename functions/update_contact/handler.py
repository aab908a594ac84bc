"""Change a contact: tags, attributes, groups, points, stage. Called by Update tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.attributes import load_attributes
from waypost.contacts.tag_system import load_tag_system
from waypost.events.listening import load_listening
from waypost.journeys.tasks.update_contact import UpdateContact
from waypost.segments.lifecycle import load_lifecycle

logger = function_log("update_contact")


@cache
def update_contact() -> UpdateContact:
    """Wire UpdateContact to its stores and settings; once per process."""
    return assemble.update_contact(
        wiring,
        tags=load_tag_system(),
        attributes=load_attributes(),
        lifecycle=load_lifecycle(),
        listening=load_listening(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Update the contact; the answer says whether anything changed."""
    return update_contact().update(event)
