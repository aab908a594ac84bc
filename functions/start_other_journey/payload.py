"""What a journey passes to a Start task. Read by the checks of its definition."""

from typing import Annotated, Any, ClassVar

from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name


class StartOtherJourneyPayload(Payload):
    """Ask for another ``journey`` for the contact; ``properties`` are what it reads of its trigger. ``occurrence`` counts the rounds of a loop."""

    result: ClassVar[Fields | None] = {"outcome": {}, "journey": {}}

    journey: Name
    properties: Annotated[dict[Name, Any] | None, OrExpression] = None
    occurrence: Occurrence | None = None
