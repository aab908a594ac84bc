"""Messages of a group robot to members of staff: a text, in which the member is mentioned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.contacts.channels import Address
from waypost.contacts.profile import Contact
from waypost.content.message import PublishedMessage
from waypost.content.render import Filler
from waypost.staff.directory import is_staff

MOST_BYTES: Final = 2_000
"""Of a text in UTF-8: WeCom takes 2,048, the others more; the rest is for the mention."""


@dataclass(frozen=True, slots=True)
class RenderedRobot:
    """A text ready to send."""

    text: str


class Robot(ChannelPlugin[RenderedRobot]):
    """Messages of a group robot. The address is the robot's name; its qualifier is the phone number that is mentioned."""

    def addresses_for(self, message: PublishedMessage, contact: Contact) -> Sequence[Address]:
        """See ChannelPlugin: a robot speaks to staff alone, whatever a contact has in an attribute of that name."""
        del message
        if not is_staff(contact.contact_id):
            return ()
        phone = contact.attributes.get("phone")
        return [replace(each, qualifier=phone if isinstance(phone, str) else "") for each in self.addresses(contact)]

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedRobot:
        """See ChannelPlugin."""
        return RenderedRobot(filler.required(filler.text(templates["text"]).strip()))

    def over_limit(self, content: RenderedRobot) -> str:
        """See ChannelPlugin."""
        size = len(content.text.encode())
        return "" if size <= MOST_BYTES else f"takes {size:,} bytes; at most {MOST_BYTES:,} can be sent"


CHANNEL: Final = Robot("robot")
