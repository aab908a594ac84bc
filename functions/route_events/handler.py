"""Act on accepted events, in order per contact. Called by the events queue."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.routing_batch import RoutingBatch, SqsDeadLetters
from waypost.contacts.fitting import WAY_OUT
from waypost.contacts.identity.rules import load_identity_rules
from waypost.contacts.profile import is_unproven
from waypost.contacts.tag_system import load_tag_system
from waypost.defaults import load_defaults
from waypost.events.listening import load_listening
from waypost.journeys.published import load_journeys
from waypost.routing.route_events import RouteEvents
from waypost.segments.index import load_index

logger = function_log("route_events")
metrics = Metrics(service="route_events")


@cache
def batch() -> RoutingBatch:
    """Wire RoutingBatch to its stores and settings; once per process."""
    return RoutingBatch(router=route_events(), dead_letters=dead_letters(), side_by_side=wiring.groups_side_by_side())


@cache
def route_events() -> RouteEvents:
    """Wire RouteEvents to its stores and settings; once per process."""
    return assemble.route_events(
        wiring,
        journeys=load_journeys(),
        default_zone=load_defaults().time_zone,
        index=load_index(),
        tags=load_tag_system(),
        identity_rules=load_identity_rules(),
        listening=load_listening(),
    )


@cache
def dead_letters() -> SqsDeadLetters:
    """The dead-letter queue."""
    return SqsDeadLetters(client("sqs"), wiring.settings().events_dead_letters_url)


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Route a batch; the answer names the messages to be delivered again."""
    processor = batch()
    answer = processor.process_batch(event)
    repeated = sum(routed.repeated for routed in processor.routed)
    crowded = [routed for routed in processor.routed if routed.crowded]
    full = [routed for routed in processor.routed if not all(map(is_unproven, routed.left_out))]
    unproven = sum(any(map(is_unproven, routed.left_out)) for routed in processor.routed)
    metrics.add_metric(name="EventsRouted", unit=MetricUnit.Count, value=len(processor.routed) - repeated)
    for name, count in (  # rare, and a line is paid for by its length
        ("EventsRepeated", repeated),
        ("EventsDeadLettered", len(processor.dead_lettered)),
        ("CrowdedContacts", len(crowded)),
        ("FullContacts", len(full)),
        ("UnprovenAddresses", unproven),
    ):
        if count:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    for routed in crowded:
        logger.warning("contact has many identities", extra={"contact_id": routed.contact_id, "kind": routed.crowded})
    for routed in full:
        logger.warning(
            "contact is full",
            extra={"contact_id": routed.contact_id, "left_out": routed.left_out[:20], "way_out": WAY_OUT},
        )
    moves = [
        {"contact_id": routed.contact_id, "decisions": moved}
        for routed in processor.routed
        if (moved := [each for each in routed.decisions if each.get("enrolment_id")])
    ]
    if moves:  # in the line that counts: the overhead of one of its own would be as long again
        metrics.add_metadata(key="journeys", value=moves)
    for message_id, hopeless in processor.dead_lettered:
        logger.error("event dead-lettered", extra={"message_id": message_id, "error": type(hopeless).__name__})
    for _, error, _ in processor.exceptions:
        logger.warning("event will be delivered again", extra={"error": type(error).__name__, "reason": str(error)})
    return answer
