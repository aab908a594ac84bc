"""A visit to a Pause as stored with its enrolment, and the rule that says when it is over. Used by parking and resuming."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, assert_never
from zoneinfo import ZoneInfo

from waypost.codec import JsonForm
from waypost.durations import parse_duration
from waypost.errors import InvalidInput

PauseEnd = Literal["elapsed", "event", "left"]


@dataclass(frozen=True, slots=True)
class Pause(JsonForm):
    """One visit to a Pause state: where a contact stands, or where its running hop came from.

    ``spec`` is the payload's ``for`` or ``until``; ``waits_for`` its ``or`` (``{event, where?}``). ``row`` is what the next
    hop needs to go on here: ``{at, input, variables}``. ``end`` says how it ended, if it has; ``result`` is then what the
    task answers, or ``{error, cause}`` when the journey is being left.
    """

    pause_id: str
    state: str
    occurrence: int
    spec: Mapping[str, Any]
    due_at: datetime
    parked_at: datetime
    row: Mapping[str, Any]
    waits_for: Mapping[str, Any] | None = None
    end: PauseEnd | None = None
    result: Mapping[str, Any] | None = None
    ended_at: datetime | None = None

    @property
    def event_id(self) -> str:
        """The event that ended it, or ""."""
        return str(self.result["event"]["id"]) if self.end == "event" and self.result is not None else ""

    def answer(self) -> dict[str, Any]:
        """What the task answers to the hop that holds the enrolment."""
        match self.end:
            case None:
                return {"status": "parked"}
            case "elapsed" | "event":
                return {"status": "over", "result": dict(self.result or {})}
            case "left":
                return {"status": "left", **(self.result or {})}
            case _:
                assert_never(self.end)


def due_at(
    spec: Mapping[str, Any],
    *,
    parked_at: datetime,
    enrolled_at: datetime,
    anchor_at: datetime | None,
    zone: ZoneInfo,
    attributes: Mapping[str, Any],
) -> datetime:
    """When a pause is over, in UTC; a time already past is returned as it is and elapses at once.

    ``for`` counts from ``parked_at``, or from ``anchor_at`` when a deferred message goes out later than that; ``until``
    is a local time in ``zone`` and never comes before the deferred message. Day 1 is the local date of ``enrolled_at``.
    Raises InvalidInput for an unknown form or a date attribute that the contact lacks.
    """
    try:
        return _due_at(spec, parked_at, enrolled_at, anchor_at, zone, attributes)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("for" if "for" in spec else "until", str(error)) from None


def _due_at(
    spec: Mapping[str, Any],
    parked_at: datetime,
    enrolled_at: datetime,
    anchor_at: datetime | None,
    zone: ZoneInfo,
    attributes: Mapping[str, Any],
) -> datetime:
    start = max(parked_at, anchor_at) if anchor_at else parked_at
    match spec:
        case {"for": str(duration)}:
            return start + parse_duration(duration)
        case {"until": {"day": int(day), "at": str(at)}}:
            return max(_local(enrolled_at.astimezone(zone).date() + timedelta(days=day - 1), at, zone), start)
        case {"until": {"workday": "next", "at": str(at)}}:
            return _local(_next_workday(start.astimezone(zone).date()), at, zone)
        case {"until": {"date": str(name), "at": str(at), **rest}}:
            return max(
                _local(_date_attribute(attributes, name) + timedelta(days=int(str(rest.get("days", 0)))), at, zone),
                start,
            )
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


def _next_workday(day: date) -> date:
    """The next day from Monday to Friday after ``day``."""
    return day + timedelta(days={4: 3, 5: 2}.get(day.weekday(), 1))


def _date_attribute(attributes: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(attributes[name])[:10])
    except (KeyError, ValueError):
        raise InvalidInput(f"until.date: {name}", "the contact has no date in this attribute") from None
