"""Ask what became of messages that members of staff send, and remind those who wait. Called every hour."""

from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.notice_queue import SqsNoticeQueue
from waypost.defaults import load_defaults
from waypost.staff.directory import load_directory
from waypost.tracking.ask_task_results import AskTaskResults

logger = function_log("ask_task_results")
metrics = Metrics(service="ask_task_results")
LEFT_FOR_THE_END: Final = 60_000
"""Milliseconds in which a run hands over and reminds."""


@cache
def ask_task_results() -> AskTaskResults:
    """Wire AskTaskResults to its stores and settings; once per process."""
    return assemble.ask_task_results(
        wiring,
        results=wiring.results,
        notices=SqsNoticeQueue(client("sqs"), wiring.settings().notices_url),
        staff=load_directory,
        default_zone=load_defaults().time_zone,
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask once about everything that is due."""
    asked = ask_task_results().ask(lambda: context.get_remaining_time_in_millis() > LEFT_FOR_THE_END)
    if asked.ended_by:
        logger.warning("the next run goes on", extra={"reason": asked.ended_by})
    metrics.add_metric(name="TasksSent", unit=MetricUnit.Count, value=asked.sent)
    metrics.add_metric(name="TasksFailed", unit=MetricUnit.Count, value=asked.failed)
    metrics.add_metric(name="TasksWithdrawn", unit=MetricUnit.Count, value=asked.withdrawn)
    metrics.add_metric(name="TasksWaiting", unit=MetricUnit.Count, value=asked.waiting)
    return asked.to_dict()
