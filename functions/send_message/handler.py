"""Send one message to one contact. Called by Send tasks and by deferred schedules."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.deployed_sender import sender_to_contacts
from waypost.aws.function_log import function_log
from waypost.aws.policy_report import policy_report
from waypost.sending.request import SendRequest
from waypost.sending.send_message import SendMessage

logger = function_log("send_message")
metrics = Metrics(service="send_message")


@cache
def send_message() -> SendMessage:
    """Wire SendMessage to its stores and settings; once per process."""
    return sender_to_contacts(report=policy_report(logger, metrics))


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the message; the answer is the outcome and its reason."""
    result = send_message().send(SendRequest.from_payload(event))
    metrics.add_metric(name=f"Messages{result.outcome.title()}", unit=MetricUnit.Count, value=1)
    if result.account_refused:
        metrics.add_metric(name="AccountRefusals", unit=MetricUnit.Count, value=1)
    if result.outcome != "sent":  # the ledger says so
        logger.info("message decided", extra=result.to_dict())
    return result.to_dict()
