"""What a provider answers when a message is handed to it, in our words. Returned by providers, acted on by the sender.

Each is a definite statement about one call: only ``Accepted`` and ``Unclear`` may have sent something.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message.

    ``in_answer`` is what stands in the answer to the provider's own callback, for a message that goes out in no other way.
    """

    provider_message_id: str
    in_answer: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class RefusedForNow:
    """The provider did not take the message and may take it later: it is throttled, or no connection was opened.

    With a ``pause`` it will not take it before: nothing is tried at once.
    """

    reason: str
    pause: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """The provider will never take this message. ``ends_right``: the person gave no right to it, or no further one."""

    reason: str
    ends_right: bool = False


@dataclass(frozen=True, slots=True)
class AddressGone:
    """The provider will take nothing for this address any more; ``suppression`` is why (``opted_out``, ``unregistered``)."""

    reason: str
    suppression: str


@dataclass(frozen=True, slots=True)
class RefusedUs:
    """The provider takes nothing from this account: paused, over quota, without permission or wrongly configured.

    Nothing is wrong with the message; an operator has to act. ``for_everyone``: messages to every recipient are refused.
    """

    reason: str
    for_everyone: bool = True


@dataclass(frozen=True, slots=True)
class Unclear:
    """The provider may or may not have taken the message; it must not be sent again."""

    reason: str


Answer = Accepted | RefusedForNow | RefusedMessage | AddressGone | RefusedUs | Unclear
