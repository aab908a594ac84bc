"""What a journey passes to a Notify task. Read by the checks of its definition."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from waypost.authoring.channels import ChannelName
from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name
from waypost.journeys.tasks.notify_staff import MOST_NOTIFIED, Target

Text = Annotated[str, Field(min_length=1, max_length=80), OrExpression]


class NotifyStaffPayload(Payload):
    """Send a message of this journey to members of staff. ``occurrence`` counts the rounds of a loop."""

    result: ClassVar[Fields | None] = {"outcome": {}, "reason": {}, "notified": {}}

    message: Name
    to: Target | None = None
    member: Text | None = None
    department: Text | None = None
    queue: Text | None = None
    linked_by: Name | None = None
    levels: Annotated[int, Field(ge=1, le=MOST_NOTIFIED)] | None = None
    urgent: bool | None = None
    channel: Annotated[ChannelName | None, OrExpression] = None
    occurrence: Occurrence | None = None

    @model_validator(mode="after")
    def _names_one_target(self) -> Self:
        targets = ("to", "member", "department", "queue")
        if sum(getattr(self, each) is not None for each in targets) != 1:
            raise ValueError(f"expected exactly one of {', '.join(targets)}")
        if self.levels is not None and self.to != "managers":
            raise ValueError("'levels' goes with 'to: managers' only")
        return self
