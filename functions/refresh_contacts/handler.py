"""Store the metrics of a slice's contacts and what time has changed of them. Called by refresh-contacts, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.defaults import load_defaults
from waypost.metrics.declaration import load_metrics
from waypost.metrics.measuring import Measurer
from waypost.metrics.refresh_contacts import RefreshContacts

logger = Logger(service="refresh_contacts")


@cache
def refresh_contacts() -> RefreshContacts:
    """The refresher, wired."""
    measurer = Measurer(
        declaration=load_metrics(),
        past=wiring.past(),
        default_zone=load_defaults().time_zone,
    )
    return RefreshContacts(
        scan=wiring.profile_scan(),
        contacts=wiring.contacts(),
        measurer=measurer,
        keeper=wiring.keeper(),
        files=wiring.files(),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Refresh the next part of the slice; the answer says whether it was the last."""
    return refresh_contacts().refresh(event, remaining=context.get_remaining_time_in_millis)
