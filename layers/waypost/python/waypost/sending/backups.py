"""Backups: what goes out in place of a message that definitely failed. Used by the sender, and by what reads notices of providers.

What failed before it left (a provider's refusal on every channel, texts that cannot be filled in or may not go out) is replaced under its own
key. What left and did not arrive is replaced under the next key of its step's chain, so that no key has two calls (design rule 4).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from waypost.clock import Clock, format_instant, parse_instant
from waypost.events.envelope import Event
from waypost.sending.judge import BACKUP
from waypost.sending.ledger import Ledger
from waypost.sending.occasion import JourneyStep
from waypost.sending.ports import DeferredSends
from waypost.sending.request import SendRequest

NOT_RENDERABLE: Final = "not_renderable: "
"""How the reason begins for which a message could not be filled in."""

_OF_THE_MATERIAL: Final = frozenset({"content_not_approved", "forbidden_words", "sms_parts"})
"""Reasons for which a message may not go out as it is written; another one may."""

_NOT_ARRIVED: Final = frozenset({"message_bounced", "message_failed"})
"""Events by which a provider says that a message it took did not arrive."""


def is_of_the_material(reason: str) -> bool:
    """Whether a message was not sent because of how it is written."""
    return reason in _OF_THE_MATERIAL or reason.startswith(NOT_RENDERABLE)


def place_and_end(later: SendRequest) -> str:
    """What the decision to send a message says of its next backup, its place in the chain and until when it may go out: ``1 2027-03-01T04:00:00.000Z``."""
    return f"{later.backup} {format_instant(later.backup_by)}" if later.backup_by else ""


class ReplaceUndelivered:
    """Has the next backup sent for a message that left and did not arrive, within its time."""

    def __init__(self, *, ledger: Ledger, schedules: Callable[[], DeferredSends], clock: Clock) -> None:
        self._ledger, self._schedules, self._clock = ledger, schedules, clock

    def see(self, event: Event) -> bool:
        """Book the backup that the event calls for; a repeated notice books the same one. Whether it calls for one.

        Only steps of journeys have a chain; nothing is booked for what the ledger does not know. One read for what did not arrive.
        """
        if event.type not in _NOT_ARRIVED:
            return False
        row = self._ledger.row_of(event.contact["contact_id"], str(event.properties["message_key"]))
        if row is None or not isinstance(row.occasion, JourneyStep):
            return False
        place, _, end = next((each.saw[BACKUP] for each in row.decisions if BACKUP in each.saw), "").partition(" ")
        if not end:
            return False
        until, now = parse_instant(end), self._clock()
        if now >= until:
            return False
        request = SendRequest(
            occasion=replace(row.occasion, backup=int(place)),
            message=row.message,
            backup=int(place),
            backup_by=until,
            send_by=until,
        )
        self._schedules().send_at(f"backup-{request.message_key}", now, request.to_dict())
        return True
