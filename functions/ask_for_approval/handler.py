"""Ask a second person before a run goes on. Called by operations, with a task token."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.approvals.ask_for_approval import AskForApproval
from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_sender import sender_of_notices
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.policy_report import policy_report

logger = function_log("ask_for_approval")


@cache
def ask_for_approval() -> AskForApproval:
    """Wire AskForApproval to the staff and the sender of notices; once per process."""
    return assemble.ask_for_approval(
        wiring, sender=sender_of_notices(report=policy_report(logger)), staff=deployed_staff
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask; the run goes on with the decision."""
    return ask_for_approval().ask(event)
