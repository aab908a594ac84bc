"""Issue a coupon to the contact of a journey. Called by Coupon tasks of journeys."""

import secrets
from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.coupons.pool import load_pools
from waypost.defaults import load_defaults
from waypost.journeys.tasks.issue_coupon import IssueCoupon

logger = function_log("issue_coupon")
metrics = Metrics(service="issue_coupon")


@cache
def issue_coupon() -> IssueCoupon:
    """Wire IssueCoupon to its stores and settings; once per process."""
    return assemble.issue_coupon(
        wiring,
        pools=load_pools(),
        default_zone=load_defaults().time_zone,
        choose=secrets.randbelow,
        report=report_low,
    )


def report_low(pool: str, left: int) -> None:
    """Say that a pool is nearly or quite empty."""
    metrics.add_metric(name="CouponPoolsLow" if left else "CouponPoolsEmpty", unit=MetricUnit.Count, value=1)
    logger.warning("coupon pool low", extra={"pool": pool, "left": left})


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Issue the step's coupon; the answer says whether it is new, and its code."""
    answer = issue_coupon().issue(event)
    metrics.add_metric(name=f"Coupons{answer['outcome'].title().replace('_', '')}", unit=MetricUnit.Count, value=1)
    return answer
