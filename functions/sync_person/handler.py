"""Ask providers what they know of people, and keep tags alike. Called by the queue of people to be asked about."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.aws.queue import bodies, to_be_delivered_again
from waypost.contacts.tag_system import load_tag_system
from waypost.tracking.sync_person import SyncPerson

logger = function_log("sync_person")
metrics = Metrics(service="sync_person")


@cache
def sync_person() -> SyncPerson:
    """Wire SyncPerson to its stores and providers; once per process."""
    return assemble.sync_person(wiring, people=wiring.people, tags=load_tag_system())


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask about a batch of people; the answer names the requests to be delivered again."""
    synced = sync_person().sync(bodies(event))
    metrics.add_metric(name="PeopleSynced", unit=MetricUnit.Count, value=synced.counts["changed"])
    for reason in synced.unknown:
        logger.info("nothing was learnt of a person", extra={"reason": reason})
    for message_id, error in synced.failed.items():
        logger.warning(
            "person will be asked about again",
            extra={"message_id": message_id, "error": type(error).__name__, "reason": str(error)},
        )
    return to_be_delivered_again(synced.failed)
