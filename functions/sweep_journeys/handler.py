"""Resume overdue pauses, start lost hops again and give up on claims without an answer. Called every hour, and when a journey is resumed."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.function_log import function_log
from waypost.defaults import load_defaults
from waypost.journeys.sweep_journeys import SweepJourneys
from waypost.reports.journey_graph import load_graph

logger = function_log("sweep_journeys")
metrics = Metrics(service="sweep_journeys")


@cache
def sweep_journeys() -> SweepJourneys:
    """Wire SweepJourneys to its stores and settings; once per process."""
    return assemble.sweep_journeys(wiring, graphs=load_graph, default_zone=load_defaults().time_zone)


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep once, ``{recent: true}`` up to now; every count of what was lost has an alarm."""
    report = sweep_journeys().sweep(recent=event.get("recent") is True)
    metrics.add_metric(name="OverduePauses", unit=MetricUnit.Count, value=report.overdue_pauses)
    metrics.add_metric(name="LostHops", unit=MetricUnit.Count, value=report.lost_hops)
    metrics.add_metric(name="JourneysGivenUp", unit=MetricUnit.Count, value=report.journeys_given_up)
    metrics.add_metric(name="UnknownMessages", unit=MetricUnit.Count, value=report.unknown_messages)
    return report.to_dict()
