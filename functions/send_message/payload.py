"""What a journey passes to a Send task. Read by the checks of its definition."""

from typing import Annotated, ClassVar

from waypost.authoring.channels import ChannelName
from waypost.authoring.messages import Sells
from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name


class SendMessagePayload(Payload):
    """Send a message of this journey. ``channel`` forces one; ``occurrence`` counts the rounds of a loop.

    ``sells`` names the products that it is to sell, instead of the message: who bought them does not get it.
    """

    result: ClassVar[Fields | None] = {"outcome": {}, "reason": {}, "channel": {}, "message_key": {}, "at": {}}

    message: Name
    channel: Annotated[ChannelName | None, OrExpression] = None
    occurrence: Occurrence | None = None
    sells: Annotated[Sells | None, OrExpression] = None
