"""Ask a second person before a run goes on. Called by operations, with a task token."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.approvals.ask_for_approval import AskForApproval
from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_sender import deployed_sender
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.links import staff_links
from waypost.content.catalogue import PublishedCatalogue
from waypost.sending.send_message import SendMessage

logger = function_log("ask_for_approval")


@cache
def ask_for_approval() -> AskForApproval:
    """Wire AskForApproval to the staff and the sender of notices; once per process."""
    return assemble.ask_for_approval(wiring, sender=sender(), staff=deployed_staff)


@cache
def sender() -> SendMessage:
    """The sender, for the notice to who is asked."""
    return deployed_sender(
        report=report_policy, messages=PublishedCatalogue(), staff_links=staff_links(wiring.settings())
    )


def report_policy(problem: str) -> None:
    """Say that a change of the policy could not be applied: the last good one stays in force."""
    logger.error("policy not applied", extra={"problem": problem})


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask; the run goes on with the decision."""
    return ask_for_approval().ask(event)
