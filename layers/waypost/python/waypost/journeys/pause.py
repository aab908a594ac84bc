"""A parked journey as stored, and the rule that says when its pause is over. Used by parking, waking and the sweeper."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from waypost.codec import JsonForm
from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.journeys.enrolment import Enrolment

PauseStatus = Literal["waiting", "elapsed", "event", "left"]
PauseEnd = Literal["elapsed", "event", "left"]


@dataclass(frozen=True, slots=True)
class Pause(JsonForm):
    """One visit to a Pause state.

    ``spec`` is the payload's ``for`` or ``until``; ``waits_for`` its ``or`` (``{event, where?}``). ``outcome`` is what
    the task is signalled with: its result, or ``{error, cause}`` when it is left. ``signalled`` says that it has been.
    """

    contact_id: str
    enrolment_id: str
    pause_id: str
    journey: str
    state: str
    token: str
    spec: dict[str, Any]
    due_at: datetime
    parked_at: datetime
    waits_for: dict[str, Any] | None = None
    status: PauseStatus = "waiting"
    outcome: dict[str, Any] | None = None
    ended_at: datetime | None = None
    signalled: bool = False

    def ended_with(self, event_id: str) -> bool:
        """Whether this event ended the pause."""
        return self.status == "event" and self.outcome is not None and self.outcome["event"]["id"] == event_id

    def reference(self) -> dict[str, str]:
        """What a schedule carries to find the pause again."""
        return {"contact_id": self.contact_id, "enrolment_id": self.enrolment_id, "pause_id": self.pause_id}


def may_end(event_id: str, pause: Pause, all_pauses: Iterable[Pause]) -> bool:
    """Whether this event may end ``pause``: an event that ended one pause of an enrolment ends none parked after that.

    So an event that is delivered again, or looked up again, does not run through two pauses in a row.
    """
    spent = [other.ended_at for other in all_pauses if other.ended_at and other.ended_with(event_id)]
    return not spent or pause.ended_with(event_id) or pause.parked_at < min(spent)


def window_start(all_pauses: Iterable[Pause], enrolment: Enrolment) -> datetime:
    """From when on events speak to the journey's present pause: when its last one ended, else when it began."""
    return max((pause.ended_at for pause in all_pauses if pause.ended_at), default=enrolment.enrolled_at)


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
