"""What a journey passes to a Notify task. Read by the checks of its definition."""

from typing import Annotated, ClassVar

from waypost.authoring.channels import ChannelName
from waypost.authoring.payloads import Fields, Occurrence
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name
from waypost.authoring.staff_targets import StaffTargetPayload


class NotifyStaffPayload(StaffTargetPayload):
    """Send a message of this journey to members of staff. ``occurrence`` counts the rounds of a loop."""

    result: ClassVar[Fields | None] = {"outcome": {}, "reason": {}, "notified": {}}

    message: Name
    urgent: bool | None = None
    channel: Annotated[ChannelName | None, OrExpression] = None
    occurrence: Occurrence | None = None
