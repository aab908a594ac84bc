"""Count what the contacts of a slice bought, for the ranks of everybody and for what goes together. Called by refresh-contacts, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.metrics.count_purchases import CountPurchases
from waypost.metrics.declaration import load_metrics
from waypost.products.catalogue import load_catalogue

logger = function_log("count_purchases")


@cache
def count_purchases() -> CountPurchases:
    """Wire CountPurchases to its stores and settings; once per process."""
    return assemble.count_purchases(
        wiring, metrics=load_metrics(), default_zone=load_defaults().time_zone, catalogue=load_catalogue
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count the next part of the slice; the answer says whether it was the last."""
    return count_purchases().count(event, remaining=context.get_remaining_time_in_millis)
