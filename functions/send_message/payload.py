"""What a journey passes to a Send task. Read by the checks of its definition."""

from typing import Annotated

from waypost.authoring.channels import ChannelName
from waypost.authoring.payloads import Occurrence, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name


class SendMessagePayload(Payload):
    """Send a message of this journey. ``channel`` forces one; ``occurrence`` counts the rounds of a loop."""

    message: Name
    channel: Annotated[ChannelName | None, OrExpression] = None
    occurrence: Occurrence | None = None
