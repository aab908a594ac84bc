"""Show how many of the messages that members of staff send were sent. Called by the operation show-task-results."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.channels.registry import result_channels
from waypost.defaults import load_defaults
from waypost.staff.directory import load_directory
from waypost.tracking.show_task_results import ShowTaskResults

logger = function_log("show_task_results")


@cache
def show_task_results() -> ShowTaskResults:
    """Wire ShowTaskResults to its store and settings; once per process."""
    return assemble.show_task_results(
        wiring, channels=result_channels(), staff=load_directory, default_zone=load_defaults().time_zone
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Add up the counts of a month."""
    return show_task_results().show(event)
