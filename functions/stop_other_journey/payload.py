"""What a journey passes to a Stop task. Read by the checks of its definition."""

from typing import Annotated, ClassVar

from pydantic import Field

from waypost.authoring.payloads import Fields, Payload
from waypost.authoring.rules import Name


class StopOtherJourneyPayload(Payload):
    """End the contact's passages through another ``journey``, with a ``reason`` for the timeline."""

    result: ClassVar[Fields | None] = {"outcome": {}, "journey": {}, "stopped": {}}

    journey: Name
    reason: Annotated[str, Field(min_length=1, max_length=200)]
