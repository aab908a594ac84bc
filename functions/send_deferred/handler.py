"""Send messages that were deferred, many at a time. Called by the queue of deferred messages."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.deployed_sender import sender_to_contacts
from waypost.aws.function_log import function_log
from waypost.aws.policy_report import policy_report
from waypost.aws.queue import bodies, to_be_delivered_again
from waypost.sending.send_deferred import SendDeferred
from waypost.sending.send_message import SendMessage

logger = function_log("send_deferred")
metrics = Metrics(service="send_deferred")


@cache
def send_deferred() -> SendDeferred:
    """Wire SendDeferred to its stores and settings; once per process."""
    return SendDeferred(sender=sender())


@cache
def sender() -> SendMessage:
    """The sender that contacts are served by."""
    return sender_to_contacts(report=policy_report(logger, metrics))


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send a batch; the answer names the messages to be delivered again."""
    sent = send_deferred().send(bodies(event))
    for outcome, count in sent.outcomes().items():
        metrics.add_metric(name=f"Messages{outcome.title()}", unit=MetricUnit.Count, value=count)
    metrics.add_metric(name="AccountRefusals", unit=MetricUnit.Count, value=sent.account_refusals)
    for result in sent.unsent():  # the ledger has the others
        logger.info("message decided", extra=result.to_dict())
    for message_id, error in sent.failed.items():
        logger.warning(
            "message will be tried again",
            extra={"message_id": message_id, "error": type(error).__name__, "reason": str(error)},
        )
    return to_be_delivered_again(sent.failed)
