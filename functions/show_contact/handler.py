"""Write the page of a contact's journeys and give the link. Called by the operation show-contact."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.contacts import DynamoContactItems
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.reports.journey_graph import load_graph
from waypost.reports.show_contact import ShowContact

logger = function_log("show_contact")


@cache
def show_contact() -> ShowContact:
    """Wire ShowContact to its stores and the bucket of files; once per process."""
    return assemble.show_contact(
        wiring,
        items=DynamoContactItems(client("dynamodb"), wiring.settings().contacts_table),
        graphs=load_graph,
        default_zone=load_defaults().time_zone,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the page; the answer has its link."""
    return show_contact().show(event)
