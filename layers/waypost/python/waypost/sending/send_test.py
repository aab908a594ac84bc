"""Send a message to a member of staff, as a contact would get it. Called by the operation send-test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.contacts.channels import channel_named
from waypost.contacts.identity.named_contact import find_named, read_name
from waypost.contacts.ports import ContactStore
from waypost.errors import InvalidInput, UnknownMessage
from waypost.sending.occasion import TEST, StaffNotice
from waypost.sending.request import SendRequest
from waypost.sending.send_message import SendMessage
from waypost.staff.directory import StaffDirectory

LONGEST_ID: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTest:
    """Sends tests through the real sender. The address is always one of the staff directory, never a contact's."""

    sender: SendMessage
    contacts: ContactStore
    staff: Callable[[], StaffDirectory]

    def send(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{message, to, as, channel, event, run}``; the same ``run`` again sends nothing more.

        ``to`` is a member's id, ``as`` names the contact whose values are shown (the member's own without it), ``event`` is
        ``{properties: {…}}`` of what would have started the journey. Raises InvalidInput naming the field, and ContactNotFound.
        """
        member = self.staff().member(request.get("to"), "to")
        message, run = _text(request, "message"), _text(request, "run")
        shown_for = request.get("as")
        contact = None if shown_for is None else find_named(self.contacts, read_name(shown_for, "as"), "as")
        channel = request.get("channel")
        occasion = StaffNotice(
            member.contact_id,
            notice=TEST,
            about=f"{message}/{run}",
            urgent=True,
            details=_properties(request.get("event")),
            shown_for=contact.contact_id if contact else "",
        )
        try:
            result = self.sender.send(
                SendRequest(occasion, message, channel=None if channel is None else channel_named(channel))
            )
        except UnknownMessage:
            raise InvalidInput("message", f"there is no message {message!r}; give <journey>/<message>") from None
        return {**result.to_dict(), "message": message, "to": member.id}


def _text(request: Mapping[str, Any], field: str) -> str:
    value = request.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise InvalidInput(field, f"should be text of at most {LONGEST_ID} characters")
    return value


def _properties(event: Any) -> dict[str, Any]:
    properties = event.get("properties", {}) if isinstance(event, Mapping) else event
    if properties is None:
        return {}
    if not isinstance(properties, Mapping):
        raise InvalidInput("event", "should be an object such as {properties: {total: 129}}")
    return dict(properties)
