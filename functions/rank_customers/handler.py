"""Add up the purchases of all slices and say where the fifths of the base begin. Called by refresh-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.metrics.rank_customers import RankCustomers

logger = function_log("rank_customers")


@cache
def rank_customers() -> RankCustomers:
    """Wire RankCustomers to its stores and settings; once per process."""
    return assemble.rank_customers(wiring)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The ranks of the run."""
    return rank_customers().rank(event)
