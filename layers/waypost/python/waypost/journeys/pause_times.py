"""The rule that says when a Pause is over. Used by parking, by resuming and when a parked contact changes.

A date or an instant is read as segments read it (``waypost.segments.calendar``): in the contact's zone, a date as its first
moment, an instant without offset as UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.pause import Pause, TimeEnd
from waypost.segments.calendar import anniversary_in, day_of, moment, start_of, yearly_day
from waypost.segments.comparing import look_up
from waypost.workdays import Workdays, load_workdays

_TICK: Final = timedelta(microseconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """When a Pause is over, in UTC and whole milliseconds as it is stored, and what the Pause then answers.

    ``lived_at`` is the same in the time of a journey that a test contact lives faster.
    """

    at: datetime
    end: TimeEnd = "elapsed"
    lived_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the time of a Pause depends on beside its payload. ``properties`` are those of the event that started the journey.

    ``workdays`` are read when a Pause asks for one.
    """

    enrolled_at: datetime
    anchor_at: datetime | None
    zone: ZoneInfo
    attributes: Mapping[str, Any]
    properties: Mapping[str, Any]
    workdays: Callable[[], Workdays] = load_workdays

    @classmethod
    def of(cls, enrolment: Enrolment, contact: Contact, default_zone: ZoneInfo) -> "Circumstances":
        """Those of a contact in a journey."""
        return cls(
            enrolled_at=enrolment.enrolled_at,
            anchor_at=enrolment.anchor_at,
            zone=zone_of(contact, default_zone),
            attributes=contact.attributes,
            properties=enrolment.trigger.properties,
        )

    def start(self, parked_at: datetime) -> datetime:
        """From when a Pause counts: from parking, or from the deferred message of this journey that goes out later."""
        return max(parked_at, self.anchor_at) if self.anchor_at else parked_at


def due_when_parked(
    enrolment: Enrolment, spec: Mapping[str, Any], *, contact: Contact, default_zone: ZoneInfo, parked_at: datetime
) -> Due:
    """When a Pause that the contact comes to at ``parked_at`` is over; see ``first_due``."""
    around = Circumstances.of(enrolment, contact, default_zone)
    due = first_due(spec, parked_at=enrolment.lived_at(parked_at), around=around)
    return _by_the_clock(due, enrolment, parked_at)


def first_due(spec: Mapping[str, Any], *, parked_at: datetime, around: Circumstances) -> Due:
    """When a Pause that begins at ``parked_at`` is over; never before a deferred message of the journey.

    ``for`` counts from the start; ``until`` is a time in the contact's zone. Day 1 is the local date of enrolment. Without
    a date to count from the Pause is over at its start with ``no_date``; a time relative to a date that lies before the
    start is over there with ``past``. Raises InvalidInput for an unknown form.
    """
    start = around.start(parked_at)
    try:
        at = _time(spec, start, around)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("for" if "for" in spec else "until", str(error)) from None
    if at is None:
        return Due(_stored(start), "no_date")
    if at < start:
        return Due(_stored(start), "past" if _counts_from_a_date(spec) else "elapsed")
    return Due(_stored(at))


def due_again(pause: Pause, *, now: datetime, around: Circumstances) -> Due:
    """When a parked contact's Pause is over, read again: the date, the zone or the deferral may have changed since.

    What has moved into the past by that is ``past`` where it counts from a date. A time of day and a workday come next
    instead; so does an anniversary, unless it is today.
    """
    due = first_due(pause.spec, parked_at=pause.parked_at, around=around)
    if due.end != "elapsed" or due.at > now or due.at == pause.due_at:
        return due
    match pause.spec:
        case {"until": {"anniversary": str()}}:
            today = start_of(now.astimezone(around.zone).date(), around.zone) - _TICK
            return first_due(pause.spec, parked_at=max(pause.parked_at, today), around=around)
        case {"until": {"date": str()} | {"property": str()}}:
            return Due(due.at, "past")
        case {"until": {"day": int()} | {"days_later": _}} | {"for": str()}:
            return due
        case _:
            return first_due(pause.spec, parked_at=now, around=around)


def due_now(
    enrolment: Enrolment, pause: Pause, *, contact: Callable[[], Contact], default_zone: ZoneInfo, now: datetime
) -> Due:
    """When the Pause is over by what is known now; ``contact`` is called only where that depends on the contact."""
    lived = enrolment.in_its_time(pause)
    is_held = enrolment.anchor_at is not None and enrolment.anchor_at > lived.parked_at
    if not is_held and not depends_on_contact(pause.spec):
        return Due(pause.due_at, lived_at=pause.lived_due_at)
    around = Circumstances.of(enrolment, contact(), default_zone)
    due = due_again(lived, now=enrolment.lived_at(now), around=around)
    if due.at == lived.due_at:
        return Due(pause.due_at, due.end, pause.lived_due_at)
    return _by_the_clock(due, enrolment, now)


def _by_the_clock(due: Due, enrolment: Enrolment, now: datetime) -> Due:
    """A time of the journey as the clock will show it; no wait that is left is rounded to nothing."""
    if not enrolment.is_test:
        return due
    left = due.at - enrolment.lived_at(now)
    at = now + enrolment.by_the_clock(left)
    return Due(_stored(at + (_MILLISECOND if left > timedelta() else timedelta())), due.end, due.at)


def depends_on_contact(spec: Mapping[str, Any]) -> bool:
    """Whether another value or zone of the contact may change when the Pause is over."""
    return "until" in spec


def _counts_from_a_date(spec: Mapping[str, Any]) -> bool:
    until = spec.get("until", {})
    return "date" in until or "property" in until


def _time(  # noqa: PLR0911 - one return per form
    spec: Mapping[str, Any], start: datetime, around: Circumstances
) -> datetime | None:
    """The time that a payload means, which may be past; None when there is no date to count from."""
    zone = around.zone
    match spec:
        case {"for": str(duration)}:
            return start + parse_duration(duration)
        case {"until": {"day": int(day), "at": str(at)}}:
            return _local(around.enrolled_at.astimezone(zone).date() + timedelta(days=day - 1), at, zone)
        case {"until": {"workday": "next", "at": str(at)}}:
            calendar = around.workdays().of(around.attributes.get("country"))
            return _local(calendar.next_after(start.astimezone(zone).date()), at, zone)
        case {"until": {"date": str(name), **rest}}:
            return _relative(look_up(around.attributes, name), rest, zone)
        case {"until": {"property": str(name), **rest}}:
            return _relative(look_up(around.properties, name), rest, zone)
        case {"until": {"anniversary": str(name), "at": str(at), **rest}}:
            return _anniversary(look_up(around.attributes, name), start, at, _count(rest, "days"), zone)
        case {"until": {"days_later": days, "at": str(at)}}:
            return _local(start.astimezone(zone).date() + timedelta(days=int(str(days))), at, zone)
        case {"until": {"at": str(at), **rest}} if not rest:
            return _next_time(start.astimezone(zone), at, zone)
        case _:
            raise InvalidInput("until", f"{dict(spec)!r} is no known form of a pause")


def _local(day: date, at: str, zone: ZoneInfo) -> datetime:
    """A local wall-clock time as an instant; one that a clock change skips is read with the offset before the gap.

    Source: RFC 5545, section 3.3.5. Of a time that comes twice, the first is meant.
    """
    return datetime.combine(day, time.fromisoformat(at), tzinfo=zone).astimezone(UTC)


def _next_time(now: datetime, at: str, zone: ZoneInfo) -> datetime:
    today = _local(now.date(), at, zone)
    return today if today > now else _local(now.date() + timedelta(days=1), at, zone)


def _relative(value: Any, rest: Mapping[Any, Any], zone: ZoneInfo) -> datetime | None:
    """So many days, hours and minutes from a date or an instant; with ``at``, at that time of the local day.

    Days are those of the calendar, hours and minutes those of a clock that nobody changes. None when the value is no date,
    or so near an end of the calendar that nothing can be counted from it.
    """
    days, at = _count(rest, "days"), rest.get("at")
    span = timedelta(hours=_count(rest, "hours"), minutes=_count(rest, "minutes"))
    if at is not None:
        time.fromisoformat(at)  # a wrong time is an error of the payload, whatever the value is
    try:
        day, instant = day_of(value, zone), moment(value, zone)
        if day is None or instant is None:
            return None
        if at is not None:
            return _local(day + timedelta(days=days), at, zone) + span
        return ((instant.astimezone(zone) + timedelta(days=days)) if days else instant).astimezone(UTC) + span
    except (ValueError, OverflowError):
        return None


def _anniversary(value: Any, start: datetime, at: str, days: int, zone: ZoneInfo) -> datetime | None:
    """The next time after ``start`` that lies so many days from an anniversary of the date; None when it is no date."""
    time.fromisoformat(at)
    day = yearly_day(value, zone)
    if day is None:
        return None
    year = start.astimezone(zone).year
    for each in range(year - 1, year + 3):
        found = _local(anniversary_in(day, each) + timedelta(days=days), at, zone)
        if found > start:
            return found
    raise ValueError(f"{days} days are more than a year")


def _count(rest: Mapping[Any, Any], unit: str) -> int:
    return int(str(rest.get(unit, 0)))


def _stored(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)
