"""Explain why messages were (not) sent to a contact. Called by the operation explain-contact."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.contacts import DynamoContactItems
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.reports.explain_contact import ExplainContact

logger = function_log("explain_contact")


@cache
def explain_contact() -> ExplainContact:
    """Wire ExplainContact to its stores and the bucket of files; once per process."""
    return assemble.explain_contact(
        wiring,
        items=DynamoContactItems(client("dynamodb"), wiring.settings().contacts_table),
        default_zone=load_defaults().time_zone,
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Explain the messages asked for; the answer has the link to the page."""
    return explain_contact().explain(event)
