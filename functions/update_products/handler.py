"""Take in what a shop reports of its products. Called by the operation update-products, part by part."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.products.catalogue import load_catalogue
from waypost.products.update_products import UpdateProducts

logger = function_log("update_products")


@cache
def update_products() -> UpdateProducts:
    """Wire UpdateProducts to its store and the bucket; once per process."""
    return assemble.update_products(wiring, catalogue=load_catalogue)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Store the next reports; the answer has what changed and says whether they were the last."""
    return update_products().take(event)
