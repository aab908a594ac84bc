"""What happens to a message after it was sent: one set of event types for every channel. Used by notices, rules and routing.

Properties: ``channel``, ``provider_word`` (what the provider itself calls it), ``message_key``, ``provider_message_id``,
``journey``; of a bounce also ``bounce_type`` (``permanent``, ``transient`` or ``undetermined``); where nothing more may go to
the address, ``suppression`` is the reason (``hard_bounce``, ``complaint``, ``invalid_number`` …) and
``address`` the digest of that address; of a failure ``reason``.
"""

from typing import Any, Final, Literal, get_args

from waypost.events.envelope import Event

MessageEvent = Literal[
    "message_accepted",
    "message_delivered",
    "message_bounced",
    "message_complained",
    "message_failed",
    "message_opened",
    "message_clicked",
    "message_dismissed",
    "message_prefetched",
    "message_scanned",
]
"""``bounced``: it did not arrive at the address. ``failed``: the provider or a carrier would not pass it on. ``opened`` and
``clicked`` are of readers, and so is ``dismissed``: put away, whether read or not; ``prefetched`` and ``scanned`` say that a program loaded the pictures, or followed a link."""

MESSAGE_EVENTS: Final[tuple[MessageEvent, ...]] = get_args(MessageEvent)

SUPPRESSION_LIFTED: Final = "suppression_lifted"
"""An operator opened an address again. Properties: ``channel``, ``address``, ``suppression``, ``by``, ``reason``."""

TEST_CONTACT_MARKED: Final = "test_contact_marked"
"""An operator made a contact a test contact, or no longer. Properties: ``test``, ``by``, ``reason``."""

MAY_SUPPRESS: Final[frozenset[str]] = frozenset({"message_bounced", "message_complained", "message_failed"})
"""The types whose property ``suppression`` closes the channel."""


def suppression_in(event: Event) -> tuple[str, str] | None:
    """The channel that the event closes, and why; None when it closes none. Only the product's own events do."""
    channel: Any = event.properties.get("channel")
    reason: Any = event.properties.get("suppression")
    if event.type not in MAY_SUPPRESS or not event.is_our_own:
        return None
    return (channel, reason) if isinstance(channel, str) and isinstance(reason, str) and reason else None
