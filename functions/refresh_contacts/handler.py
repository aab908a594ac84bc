"""Store the metrics of a slice's contacts and what time has changed of them. Called by refresh-contacts, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.contacts.tag_system import load_tag_system
from waypost.defaults import load_defaults
from waypost.metrics.declaration import load_metrics
from waypost.metrics.refresh_contacts import RefreshContacts
from waypost.segments.index import load_index

logger = function_log("refresh_contacts")


@cache
def refresh_contacts() -> RefreshContacts:
    """Wire RefreshContacts to its stores and settings; once per process."""
    return assemble.refresh_contacts(
        wiring,
        metrics=load_metrics(),
        index=load_index(),
        tags=load_tag_system(),
        default_zone=load_defaults().time_zone,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Refresh the next part of the slice; the answer says whether it was the last."""
    return refresh_contacts().refresh(event, remaining=context.get_remaining_time_in_millis)
