"""What a channel is asked to send, and the only answers it may give. Implemented by the provider adapters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from waypost.content.render import RenderedEmail, RenderedSms


@dataclass(frozen=True, slots=True)
class OutgoingEmail:
    """One mail to one address; ``headers`` are extra header fields."""

    to: str
    content: RenderedEmail
    message_key: str
    tags: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One SMS to one E.164 number; ``transactional`` chooses the provider's route."""

    to: str
    content: RenderedSms
    message_key: str
    transactional: bool
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider has definitely not taken the message. ``temporary``: asking again later may help."""

    reason: str
    temporary: bool


@dataclass(frozen=True, slots=True)
class Unclear:
    """The provider may or may not have taken the message; it must not be sent again."""

    reason: str


Answer = Accepted | Refused | Unclear


class EmailChannel(Protocol):
    """Sends mail. Calls the provider once and never raises for what the provider or the network does."""

    def send(self, email: OutgoingEmail) -> Answer:
        """Hand the mail to the provider."""
        ...


class SmsChannel(Protocol):
    """Sends SMS. Calls the provider once and never raises for what the provider or the network does."""

    def send(self, sms: OutgoingSms) -> Answer:
        """Hand the SMS to the provider."""
        ...
