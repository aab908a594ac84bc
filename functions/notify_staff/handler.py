"""Notify members of staff about a contact. Called by Notify tasks of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_sender import deployed_sender
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.policy_report import policy_report
from waypost.journeys.tasks.notify_staff import NotifyStaff
from waypost.sending.send_message import SendMessage

logger = function_log("notify_staff")
metrics = Metrics(service="notify_staff")


@cache
def notify_staff() -> NotifyStaff:
    """Wire NotifyStaff to its stores, the directory and the sender; once per process."""
    return assemble.notify_staff(wiring, sender=sender(), staff=deployed_staff)


@cache
def sender() -> SendMessage:
    """The sender of the notices."""
    return deployed_sender(report=policy_report(logger, metrics))


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Notify them; the answer says whom, and what became of each notice."""
    answer = notify_staff().notify(event)
    metrics.add_metric(name="StaffNotified", unit=MetricUnit.Count, value=len(answer["notified"]))
    return answer
