"""Pause, drain, resume or stop a whole journey. Called by the operation journey-control."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.approvals.control_journey import ControlJourney
from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.journeys.published import load_journeys
from waypost.policies.change_policy import ChangePolicy
from waypost.sending.policy import load_sending_policy

logger = function_log("control_journey")


@cache
def control_journey() -> ControlJourney:
    """Wire ControlJourney to its stores, the journeys and the policy; once per process."""
    holds = ChangePolicy(deployed=load_sending_policy(), store=wiring.policies(), clock=wiring.clock())
    return assemble.control_journey(wiring, journeys=load_journeys(), holds=holds)


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what is asked for; the answer says what holds for the journey."""
    return control_journey().act(event, remaining=context.get_remaining_time_in_millis)
