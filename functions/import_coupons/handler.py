"""Take the codes of a shop's file into a coupon pool. Called by the operation import-coupons, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.coupons.import_coupons import ImportCoupons
from waypost.coupons.pool import load_pools

logger = function_log("import_coupons")


@cache
def import_coupons() -> ImportCoupons:
    """Wire ImportCoupons to its store and the bucket; once per process."""
    return assemble.import_coupons(wiring, pools=load_pools)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Add the next part of the codes; the answer says whether it was the last."""
    return import_coupons().take(event, remaining=context.get_remaining_time_in_millis)
