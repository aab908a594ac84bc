"""Start a journey by hand: for a contact, a list of them, or everybody of a segment. Called by start_journey, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.bulk.run_slice import Remaining
from waypost.clock import Clock
from waypost.contacts.identity.named_contact import find_named, read_name, read_text
from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, InvalidInput
from waypost.events.envelope import Event
from waypost.events.ports import EventQueue
from waypost.journeys.published import REQUEST, TEST_PACE, PublishedJourney, PublishedJourneys
from waypost.journeys.shortened_time import LARGEST_PACE, USUAL_PACE

SOURCE: Final = "start-journey"
TRIAL: Final = 100
"""Contacts of a trial."""
MOST_NAMED: Final = 500
"""Contacts of one list; who has more imports them into a group, and starts the journey for the group."""
_WHO: Final = ("contact", "contacts", "segment", "rule")
_FIELDS: Final = frozenset({
    *_WHO, "journey", "occasion", "properties", "trial", "most", "test", "by", "reason", "daily", "run", "requested", "unknown",
    "done", "progress",
})  # fmt: skip


class Spread(Protocol):
    """Gives one event to everybody whom a rule selects, some at a time."""

    def spread(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, event, rule, properties, most?}`` or the last answer → how far it is, with ``done``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJourney:
    """Asks the router for the journey; entry, re-entry, age, exclusive groups and the audience limit are decided there as ever.

    A request that is repeated with the same ``occasion`` starts the journey for nobody a second time, so everybody after a
    trial of a hundred is the same request without ``trial``.
    """

    journeys: PublishedJourneys
    contacts: ContactStore
    queue: EventQueue
    spread_event: Spread
    default_zone: ZoneInfo
    clock: Clock

    def start(self, request: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{journey, contact | contacts | segment | rule, trial?, most?, test?, properties?, occasion?, by?, reason?}``, or the last answer.

        ``test``, ``true`` or ``{pace}``, has named test contacts live the journey so many times faster (``USUAL_PACE``).
        The answer has ``requested``, how many were asked for, ``unknown``, the named contacts that there are not, and ``done``.
        Raises InvalidInput and ContactNotFound naming the field, and RetryableError.
        """
        if strangers := sorted(request.keys() - _FIELDS):
            raise InvalidInput(strangers[0], f"unknown field; expected journey, one of {', '.join(_WHO)}, and trial")
        journey = self._journey(request)
        named = [field for field in _WHO if request.get(field) is not None]
        if len(named) != 1:
            raise InvalidInput(named[1] if named else "contact", f"expected exactly one of {', '.join(_WHO)}")
        pace = _pace(request)
        if pace is not None and named[0] in {"segment", "rule"}:
            raise InvalidInput("test", f"is for test contacts that are named, not for a {named[0]}")
        properties = _properties(request, journey) | ({} if pace is None else {TEST_PACE: pace})
        match named[0]:
            case "contact":
                return self._ask(request, journey, [request["contact"]], properties)
            case "contacts":
                return self._ask(request, journey, _listed(request["contacts"]), properties)
            case "segment":
                return self._spread(request, journey, {"segment": request["segment"]}, properties, remaining)
            case _:
                return self._spread(request, journey, request["rule"], properties, remaining)

    def _journey(self, request: Mapping[str, Any]) -> PublishedJourney:
        name = read_text(request, "journey").strip()
        journey = self.journeys.by_name.get(name)
        if journey is None:
            known = ", ".join(sorted(self.journeys.by_name)) or "none"
            raise InvalidInput("journey", f"expected the name of a journey, got {name!r}; there are: {known}")
        if journey.closed:
            raise InvalidInput("journey", f"{name} is closed: nobody enters any more (journey.yaml, closed)")
        return journey

    def _ask(
        self, request: Mapping[str, Any], journey: PublishedJourney, who: Sequence[Any], properties: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One request for each named contact; who is not known is named in the answer."""
        at, occasion = self.clock(), self._occasion(request)
        found: dict[str, None] = {}
        unknown: list[str] = []
        for index, each in enumerate(who):
            field = "contact" if "contact" in request else f"contacts[{index}]"
            try:
                contact = find_named(self.contacts, read_name(each, field), field)
                if TEST_PACE in properties and not contact.test:
                    raise InvalidInput(field, "is no test contact; the operation mark-test-contact makes it one")
                found[contact.contact_id] = None
            except ContactNotFound:
                if "contact" in request:
                    raise
                unknown.append(field)
        if found:
            self.queue.send([
                Event(
                    id="e-" + ids.digest("start", occasion, journey.name, contact_id),
                    type=REQUEST,
                    contact={"contact_id": contact_id},
                    occurred_at=at,
                    received_at=at,
                    source=SOURCE,
                    properties=dict(properties),
                    correlation_id=occasion,
                )
                for contact_id in found
            ])  # fmt: skip
        return {**request, "requested": len(found), "unknown": unknown, "done": True}

    def _spread(
        self,
        request: Mapping[str, Any],
        journey: PublishedJourney,
        rule: Any,
        properties: Mapping[str, Any],
        remaining: Remaining,
    ) -> dict[str, Any]:
        """The next part of the base."""
        payload = request.get("progress") or {
            "run": f"{self._occasion(request)}:{journey.name}",
            "event": REQUEST,
            "rule": rule,
            "properties": dict(properties),
            **_most(request),
        }
        progress = self.spread_event.spread(payload, remaining=remaining)
        done = progress["done"]
        return {**request, "progress": progress, "requested": progress["given"], "unknown": [], "done": done}

    def _occasion(self, request: Mapping[str, Any]) -> str:
        """What makes a repeated request the same one: the field, the day of a schedule that may fire twice, the execution's name."""
        if request.get("daily"):
            return f"daily:{self.clock().astimezone(self.default_zone).date().isoformat()}"
        return read_text(request, "occasion").strip() or read_text(request, "run")


def _most(request: Mapping[str, Any]) -> dict[str, Any]:
    trial = request.get("trial", False)
    if not isinstance(trial, bool):
        raise InvalidInput("trial", f"expected true (the first {TRIAL} contacts) or false, got {trial!r}")
    if trial and request.get("most") is not None:
        raise InvalidInput("most", f"a trial is for {TRIAL} contacts; give either trial or most")
    return {"most": TRIAL} if trial else {} if request.get("most") is None else {"most": request["most"]}


def _pace(request: Mapping[str, Any]) -> int | None:
    """How many times faster test contacts live the journey; None where it is no test."""
    match request.get("test", False):
        case False | None:
            return None
        case True:
            return USUAL_PACE
        case {"pace": int(pace), **rest} if not rest and 1 <= pace <= LARGEST_PACE and pace is not True:
            return pace
        case unknown:
            expected = f'true (a day takes a minute) or {{"pace": …}}, 1 to {LARGEST_PACE} times faster'
            raise InvalidInput("test", f"expected {expected}, got {unknown!r}")


def _properties(request: Mapping[str, Any], journey: PublishedJourney) -> dict[str, Any]:
    """What the journey reads as its trigger's properties. Raises InvalidInput where re-entry is counted for one that is missing."""
    properties = request.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise InvalidInput("properties", 'expected a mapping such as {"order_id": "A-1042"}')
    wanted = (journey.re_entry.property or "").split(".")[0]
    if wanted and wanted not in properties:
        raise InvalidInput(f"properties.{wanted}", f"is missing; {journey.name} is entered once for each of its values")
    asked = {field: text for field in ("by", "reason") if (text := read_text(request, field).strip())}
    return {**properties, **{f"requested_{field}": text for field, text in asked.items()}, "journey": journey.name}


def _listed(value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_NAMED:
        raise InvalidInput(
            "contacts",
            f'expected a list of 1 to {MOST_NAMED} contacts such as {{"user_id": "u-1042"}}; import more of them into a group, '
            'and give "rule": {"group": "…"}',
        )
    return value
