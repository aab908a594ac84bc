"""Add up what was bought together and store it, product by product. Called by refresh-contacts, when the contacts are done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.metrics.relate_products import RelateProducts
from waypost.products.catalogue import load_catalogue

logger = function_log("relate_products")


@cache
def relate_products() -> RelateProducts:
    """Wire RelateProducts to its stores; once per process."""
    return assemble.relate_products(wiring, catalogue=load_catalogue)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Store what goes with what; the answer counts it."""
    return relate_products().relate(event)
