"""Tag a contact or set its attributes. Called by Update tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.clock import clock
from waypost.contacts.updating import ContactUpdater

logger = Logger(service="update_contact")


@cache
def updater() -> ContactUpdater:
    """The updater, wired."""
    return ContactUpdater(contacts=wiring.contacts(), clock=clock())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Update the contact; the answer says whether anything changed."""
    return updater().update(event)
