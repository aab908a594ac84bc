"""Give members of staff a task about a contact. Called by Task steps of journeys."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.deployed_sender import deployed_sender
from waypost.aws.deployed_staff import deployed_staff
from waypost.aws.function_log import function_log
from waypost.aws.links import staff_links
from waypost.aws.policy_report import policy_report
from waypost.defaults import load_defaults
from waypost.journeys.tasks.assign_task import AssignTask
from waypost.sending.send_message import SendMessage
from waypost.workdays import load_workdays

logger = function_log("assign_task")
metrics = Metrics(service="assign_task")


@cache
def assign_task() -> AssignTask:
    """Wire AssignTask to its stores, the directory and the sender; once per process."""
    return assemble.assign_task(
        wiring,
        sender=sender(),
        staff=deployed_staff,
        workdays=load_workdays,
        default_zone=load_defaults().time_zone,
    )


@cache
def sender() -> SendMessage:
    """The sender of the notices."""
    return deployed_sender(report=policy_report(logger, metrics), staff_links=staff_links(wiring.settings()))


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Assign the task; the answer says to whom, until when, and what became of each notice."""
    answer = assign_task().assign(event)
    metrics.add_metric(name=f"Tasks{answer['outcome'].title().replace('_', '')}", unit=MetricUnit.Count, value=1)
    return answer
