"""Settle messages by what providers say of them, or turn it into events. Called by the queue of notices."""

from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.policy_report import policy_report
from waypost.aws.queue import bodies, to_be_delivered_again
from waypost.events.listening import load_listening
from waypost.sending.policy import load_sending_policy
from waypost.tracking.record_delivery import RecordDelivery
from waypost.tracking.scenes import load_scenes

if TYPE_CHECKING:
    from waypost.policies.change_policy import ChangePolicy

logger = function_log("record_delivery")
metrics = Metrics(service="record_delivery")


@cache
def record_delivery() -> RecordDelivery:
    """Wire RecordDelivery to its stores and settings; once per process."""
    return assemble.record_delivery(
        wiring,
        listening=load_listening(),
        policy=load_sending_policy(),
        policies=policies,
        staff=deployed_staff,
        scenes=load_scenes(),
        report=policy_report(logger),
    )


@cache
def policies() -> "ChangePolicy":
    """What stops a stream; its checks are loaded when one has to stop."""
    from waypost.policies.change_policy import ChangePolicy  # noqa: PLC0415

    return ChangePolicy(deployed=load_sending_policy(), store=wiring.policies(), clock=wiring.clock())


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Record a batch; the answer names the messages to be delivered again."""
    recorded = record_delivery().record(bodies(event))
    metrics.add_metric(name="NoticesSettled", unit=MetricUnit.Count, value=recorded.settled)
    metrics.add_metric(name="NoticesRouted", unit=MetricUnit.Count, value=recorded.queued)
    metrics.add_metric(name="StreamsPaused", unit=MetricUnit.Count, value=recorded.watched.paused)
    metrics.add_metric(name="StreamsAtRisk", unit=MetricUnit.Count, value=recorded.watched.warned)
    for failure in recorded.watched.failures:
        logger.warning("streams will be judged later", extra={"error": type(failure).__name__, "reason": str(failure)})
    for message_id, error in recorded.failed.items():
        logger.warning(
            "notice will be delivered again",
            extra={"message_id": message_id, "error": type(error).__name__, "reason": str(error)},
        )
    return to_be_delivered_again(recorded.failed)
