"""Add up the purchases of all slices and say where the fifths of the base begin. Called by refresh-contacts."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws import wiring
from waypost.metrics.ranking import Ranker

logger = Logger(service="rank_customers")


@cache
def ranker() -> Ranker:
    """The ranker, wired."""
    return Ranker(files=wiring.files())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The ranks of the run."""
    return ranker().rank(event)
