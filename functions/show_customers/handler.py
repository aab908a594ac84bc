"""Show whom a member of staff has added in WeCom. Called by the operation show-customers."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.staff.show_customers import ShowCustomers

logger = function_log("show_customers")


@cache
def show_customers() -> ShowCustomers:
    """Wire ShowCustomers to its stores and the provider; once per process."""
    return assemble.show_customers(wiring, staff=deployed_staff, source=wiring.staff_source)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Show the member's customers, and write them all into a file."""
    return show_customers().show(event)
