"""When parked contacts are looked at: one timer for each minute and shard in which a Pause ends, however many end then."""

from datetime import UTC, datetime, timedelta
from typing import Final

from waypost import ids
from waypost.clock import format_instant
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import SHARDS, EnrolmentStore, Timers

MINUTE: Final = timedelta(minutes=1)
READ_DELAY: Final = timedelta(seconds=10)
"""A row that is written so shortly before its timer may be missing in what the timer reads: it gets a later one as well."""


def minute_of(instant: datetime) -> datetime:
    """The full minute at which what is due at ``instant`` is looked at, never before it."""
    whole = instant.astimezone(UTC).replace(second=0, microsecond=0)
    return whole if whole == instant else whole + MINUTE


def expect(enrolments: EnrolmentStore, timers: Timers, enrolment: Enrolment, *, now: datetime) -> None:
    """See to it that the contact is looked at when its Pause is over, before the row says that it waits.

    In this order, because a note or a timer too many finds nothing, and one too few lets a contact wait.
    """
    enrolments.note_due(enrolment.contact_id, enrolment.enrolment_id, enrolment.due_at)
    book_timer(timers, enrolment, now=now)


def book_timer(timers: Timers, enrolment: Enrolment, *, now: datetime) -> None:
    """Book the timer of the minute in which the contact's Pause is over."""
    minute, shard = minute_of(enrolment.due_at), ids.shard_of(enrolment.contact_id, SHARDS)
    request = {"minute": format_instant(minute), "shard": shard}
    timers.resume_at(timer_name(minute, shard), minute, request)
    if minute - now < READ_DELAY:
        timers.resume_at(f"{timer_name(minute, shard)}-again", minute + MINUTE, request)


def timer_name(minute: datetime, shard: int) -> str:
    """The name of the timer of a minute and shard."""
    return f"resume-{minute:%Y%m%dT%H%M}-{shard}"
