"""Tell of a changed product to everybody who watches it. Called by the operation update-products, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.products.notify_watchers import NotifyWatchers

logger = function_log("notify_watchers")


@cache
def notify_watchers() -> NotifyWatchers:
    """Wire NotifyWatchers to its stores and the queue; once per process."""
    return assemble.notify_watchers(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tell the next ones; the answer says whether they were the last."""
    return notify_watchers().notify(event, remaining=context.get_remaining_time_in_millis)
