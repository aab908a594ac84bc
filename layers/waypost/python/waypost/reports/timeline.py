"""What happened to a contact, in order, with the reason of every decision. Used by the command line.

Built from the items of the contact's partition alone: nothing is recorded for the timeline's sake.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, Protocol, assert_never, get_args
from zoneinfo import ZoneInfo

from waypost.clock import parse_instant
from waypost.codec import JsonForm
from waypost.contacts.fitting import WAY_OUT
from waypost.contacts.profile import PROOF_WANTED, UNPROVEN, Contact, is_unproven
from waypost.contacts.zones import zone_of
from waypost.journeys.pause import PauseEnd
from waypost.reports.causal_order import (
    causes_of,
    decision_name,
    end_name,
    event_name,
    left_out_name,
    message_name,
    move_name,
    pause_name,
    step_of,
)
from waypost.sending.occasion import JourneyStep, Occasion, OccasionKind, journey_of, load_occasion

Kind = Literal["event", "entry", "passed", "message", "pause", "moved", "end"]
"""``passed``: a pause whose time was over when the journey came to it; ``moved``: a change of the journey took the contact along."""


class ContactItems(Protocol):
    """Reads everything that is kept of a contact."""

    def everything(self, contact_id: str) -> Iterable[Mapping[str, Any]]:
        """The items of the contact's partition, each with its ``sk``."""
        ...


@dataclass(frozen=True, slots=True)
class Entry(JsonForm):
    """One line of the timeline; ``local_time`` is ISO 8601 with the contact's offset at that moment.

    ``run`` counts the contact's passages through the journey from 1, as far as they are still kept; 0 where there is none.
    """

    at: datetime
    local_time: str
    kind: Kind
    title: str
    detail: str
    journey: str = ""
    run: int = 0
    enrolment: str = ""


@dataclass(frozen=True, slots=True)
class MessageDecision(JsonForm):
    """One decision on one message, in the form of a decision log; ``journey`` is empty for other occasions."""

    contact_id: str
    occasion: OccasionKind
    journey: str
    step: str
    message: str
    channel: str | None
    at: str
    local_time: str
    outcome: str
    reason: str
    message_key: str


def timeline(contact_id: str, items: ContactItems, *, default_zone: ZoneInfo) -> list[Entry]:
    """The contact's story, oldest first, with that of the contacts merged into it; empty for an unknown contact."""
    contact, rows = rows_of(contact_id, items)
    if contact is None:
        return []
    zone = zone_of(contact, default_zone)
    runs = _runs(rows)
    named = [(name, _with_run(entry, runs)) for row in rows for name, entry in _entries(str(row["sk"]), row, zone)]
    ranks = causes_of(rows).rank(name for name, _ in named)

    def place(each: tuple[str, Entry]) -> tuple[Any, ...]:
        name, entry = each
        kind = ORDER.index(entry.kind)
        return entry.at, *ranks[name], kind, entry.journey, entry.run, entry.title, entry.detail

    return [entry for _, entry in sorted(named, key=place)]


@dataclass(frozen=True, slots=True)
class _Run:
    """A passage through a journey: the contact's how many-th it is, and what was drawn for it at entry."""

    journey: str
    number: int
    drawn: str


def _runs(rows: Iterable[Mapping[str, Any]]) -> dict[str, _Run]:
    """The passages through journeys by enrolment."""
    passages = sorted(
        (str(row.get("enrolled_at", "")), str(row["sk"]).rpartition("#")[2], row["journey"], _drawn(row))
        for row in rows
        if str(row["sk"]).startswith("enrolment#")
    )
    counts: Counter[str] = Counter()
    runs: dict[str, _Run] = {}
    for _, enrolment_id, journey, drawn in passages:
        counts[journey] += 1
        runs[enrolment_id] = _Run(journey, counts[journey], drawn)
    return runs


def _drawn(row: Mapping[str, Any]) -> str:
    held_out = ["in the hold-out"] if row.get("held_out") else []
    pace = (row.get("shortened") or {}).get("pace")
    test = [f"a test, {pace:,} times faster"] if pace else []
    return ", ".join(
        [f"{split}: {branch}" for split, branch in sorted(row.get("splits", {}).items())] + held_out + test
    )


def _with_run(entry: Entry, runs: Mapping[str, _Run]) -> Entry:
    run = runs.get(entry.enrolment)
    if run is None:
        return entry
    detail = f"{entry.detail}; {run.drawn}" if entry.kind == "entry" and run.drawn else entry.detail
    return replace(entry, journey=run.journey, run=run.number, detail=detail)


def rows_of(contact_id: str, items: ContactItems) -> tuple[Contact | None, list[Mapping[str, Any]]]:
    """The contact that lives under this id now, and all that is kept of it: under its own id and those merged into it."""
    rows = list(items.everything(contact_id))
    profile = next((row for row in rows if row["sk"] == "profile"), None)
    if profile is None:
        return None, []
    contact = Contact.from_dict(profile)
    if contact.merged_into:
        return rows_of(contact.merged_into, items)
    own_keys = {row["sk"] for row in rows}
    others = (row for owner in contact.absorbed for row in items.everything(owner))
    return contact, rows + [row for row in others if not (row["sk"].startswith("event#") and row["sk"] in own_keys)]


def decisions(contact_id: str, items: ContactItems) -> list[MessageDecision]:
    """Every decision on every message of the contact, oldest first."""
    contact, rows = rows_of(contact_id, items)
    return decisions_in(contact.contact_id, rows) if contact is not None else []


def decisions_in(contact_id: str, rows: Iterable[Mapping[str, Any]]) -> list[MessageDecision]:
    """Every decision on the messages among these rows of a contact, or of a member of staff, oldest first."""
    found = [
        MessageDecision(
            contact_id=contact_id,
            occasion=occasion.kind,
            journey=journey_of(occasion),
            step=occasion.label,
            message=_message_name(row["message"], occasion),
            channel=decision["channel"],
            at=decision["at"],
            local_time=decision["local_time"],
            outcome=decision["outcome"],
            reason=decision["reason"],
            message_key=row["message_key"],
        )
        for row in rows
        if str(row["sk"]).startswith("message#")
        for occasion in (load_occasion(row["occasion"]),)
        for decision in decided(row)
    ]
    return sorted(found, key=lambda decision: decision.at)


def decided(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was decided on a message; where the sender crashed before recording its own, the provider's notice decides."""
    recorded: list[Mapping[str, Any]] = list(row.get("decisions", []))
    claim_is_open = not recorded or recorded[-1]["outcome"] == "deferred"
    if claim_is_open and row["state"] in CONFIRMED:
        claim = {"at": row["claimed_at"], "local_time": row["claimed_local_time"], "channel": row["channel"]}
        recorded.append({**claim, "outcome": CONFIRMED[row["state"]], "reason": "confirmed_by_provider"})
    return recorded


CONFIRMED: Final = {
    "accepted": "sent",
    "delivered": "sent",
    "bounced": "sent",
    "complained": "sent",
    "rejected": "rejected",
}
"""What a state that the provider's own report has set says of the call: ledger state → outcome."""


INTERNAL_PROPERTIES: Final = frozenset({"enrolment_id", "message_key", "provider_message_id", "task_id"})
"""Properties of the product's own events that tell a reader nothing; they are in the stored event."""

MERGES: Final = frozenset({"contacts_merged", "contacts_unmerged"})

CONCLUDED: Final = frozenset({"segment_entered", "segment_left", "tag_added", "tag_removed", "lifecycle_changed"})
"""Events by which Waypost records a conclusion, or a decision by hand, about a contact."""

ORDER: Final[tuple[Kind, ...]] = get_args(Kind)
"""What comes first of two things at the same instant of which neither led to the other."""


Named = tuple[str, Entry]
"""An entry, and the name under which ``causes_of`` knows what it shows."""


def _entries(sk: str, row: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Named]:
    match sk.split("#", 1)[0]:
        case "event":
            name = event_name(sk.split("#", 2)[2])
            title, detail = _happened(row["type"], row["properties"])
            step = step_of(str(row.get("cause", "")))
            enrolment = step[0] if step else str(row["properties"].get("enrolment_id", ""))
            yield name, _entry(row["occurred_at"], zone, "event", title, detail, enrolment=enrolment)
        case "routed":
            event = event_name(sk.split("#", 1)[1])
            if row.get("left_out"):
                title = f"{row['event_type']} not kept whole"
                yield left_out_name(event), _entry(row["routed_at"], zone, "event", title, _left_out(row))
            for decision in row["decisions"]:
                yield decision_name(event, decision), _entry_decision(row, decision, zone)
        case "message":
            yield from _message(row, zone)
        case "enrolment":
            yield from _enrolment(row, sk.rpartition("#")[2], zone)


def _happened(event_type: str, properties: Mapping[str, Any]) -> tuple[str, str]:
    """An event in words: what it was, and what else it says."""
    if event_type in MERGES:
        return event_type, _merged(properties)
    if event_type in CONCLUDED:
        return _concluded(event_type, properties)
    return event_type, _properties(properties)


def _left_out(row: Mapping[str, Any]) -> str:
    """What the profile could not take of the event, and the way out."""
    unproven = [each.removeprefix(UNPROVEN) for each in row["left_out"] if is_unproven(each)]
    full = [each for each in row["left_out"] if not is_unproven(each)]
    full += ["…"] * (row["left_out_in_all"] > len(row["left_out"]))
    reasons = [f"left out {', '.join(unproven)}: {PROOF_WANTED}"] if unproven else []
    return "; ".join(reasons + ([f"left out {', '.join(full)}: {WAY_OUT}"] if full else []))


def _entry_decision(row: Mapping[str, Any], decision: Mapping[str, Any], zone: ZoneInfo) -> Entry:
    because = f"by {row['event_type']}"
    if "effect" in decision:
        title = f"journey {decision['effect']}"
    elif decision["reason"] == "enrolled":
        title = "journey entered"
    else:
        title, because = "journey not entered", decision["reason"]
    enrolment = decision.get("enrolment_id") or ""
    return _entry(row["routed_at"], zone, "entry", title, because, decision["journey"], enrolment=enrolment)


def _message(row: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Named]:
    made, occasion = decided(row), load_occasion(row["occasion"])
    name, journey = _message_name(row["message"], occasion), journey_of(occasion)
    enrolment = occasion.enrolment_id if isinstance(occasion, JourneyStep) else ""

    def entry(position: int, instant: str, what: str, detail: str) -> Named:
        shown = _entry(instant, zone, "message", f"{name} {what}", detail, journey, enrolment=enrolment)
        return message_name(row["message_key"], position), shown

    for position, decision in enumerate(made):
        detail = f"{decision['channel']}: {decision['reason']}" if decision["channel"] else decision["reason"]
        if decision["outcome"] == "deferred" and decision == made[-1] and row.get("deferred_until"):
            detail += f", until {_local(row['deferred_until'], zone)}"
        yield entry(position, decision["at"], decision["outcome"], detail)
    if row["state"] == "claimed":
        yield entry(len(made), row["claimed_at"], "claimed", "no answer yet")
    if row.get("confirmed_at"):
        yield entry(len(made), row["confirmed_at"], row["state"], "")


def _message_name(message_id: str, occasion: Occasion) -> str:
    """The message as its reader knows it: a journey's own by its name alone, all others by their id."""
    return message_id.removeprefix(f"{journey_of(occasion)}/")


def _enrolment(row: Mapping[str, Any], enrolment: str, zone: ZoneInfo) -> Iterator[Named]:
    """Where the contact stood and stands, and how the journey ended."""
    journey, trail = row["journey"], row.get("trail", [])
    for position, pause in enumerate(trail):
        kind: Kind = "passed" if pause["ended_at"] == pause["parked_at"] else "pause"
        if kind == "passed":
            detail = f"over at once{_without_time(pause['end'])}"
        else:
            detail = _until(pause["due_at"], pause["awaited"], zone) + _without_time(pause["end"])
        shown = _entry(pause["parked_at"], zone, kind, pause["state"], detail, journey, enrolment=enrolment)
        yield pause_name(enrolment, position), shown
    if row.get("position") == "parked":
        pause = row["pause"]
        detail = _until(pause["due_at"], pause["waits_for"]["event"] if pause.get("waits_for") else "", zone)
        shown = _entry(pause["parked_at"], zone, "pause", pause["state"], detail, journey, enrolment=enrolment)
        yield pause_name(enrolment, len(trail)), shown
    for position, move in enumerate(row.get("moves", [])):
        shown = _entry(move["at"], zone, "moved", *_moved(move), journey, enrolment=enrolment)
        yield move_name(enrolment, position), shown
    if row.get("ended_at"):
        title = f"journey ended: {row['outcome']}"
        yield end_name(enrolment), _entry(row["ended_at"], zone, "end", title, _why(row), journey, enrolment=enrolment)


def _without_time(end: PauseEnd) -> str:
    """Why a Pause was over although its time never came."""
    match end:
        case "elapsed" | "event" | "left":
            return ""
        case "past":
            return ": its time is past"
        case "no_date":
            return ": no date to count from"
        case _:
            assert_never(end)


def _until(due_at: str, awaited: str, zone: ZoneInfo) -> str:
    return f"until {_local(due_at, zone)}" + (f" or {awaited}" if awaited else "")


def _moved(move: Mapping[str, Any]) -> tuple[str, str]:
    """What a change of the journey did with the contact, and whose change of which version it was."""
    there = move["to_state"]
    match move["act"]:
        case "follow":
            title = f"goes on in the new version at {there}"
        case "undo":
            title = f"put back to {there}" if there else "put back"
        case _:
            title = f"moved from {move['from_state']} to {there}"
    return title, f"version {move['from_version']} to {move['to_version']}, by {move['by']} ({move['change']})"


def _why(row: Mapping[str, Any]) -> str:
    """What ended the journey: where and of what it failed, who stopped it, or the event it was left on."""
    failure, left_on, stopped = row.get("failure"), row.get("left_on"), row.get("stopped")
    if stopped:
        return f"{stopped['reason']}, by {stopped['by']}" + (f" ({stopped['change']})" if stopped["change"] else "")
    if failure:
        reason = ": ".join(part for part in (failure["error"], failure["cause"]) if part)
        return f"at {failure['state']}: {reason}" if failure["state"] else reason
    return f"because of {left_on['type']}" if left_on else ""


def _entry(
    instant: str, zone: ZoneInfo, kind: Kind, title: str, detail: str, journey: str = "", *, enrolment: str = ""
) -> Entry:
    at = parse_instant(instant)
    local_time = at.astimezone(zone).isoformat(timespec="seconds")
    return Entry(at, local_time, kind, title, detail, journey, enrolment=enrolment)


def _local(instant: str, zone: ZoneInfo) -> str:
    return parse_instant(instant).astimezone(zone).strftime("%a %d %b %H:%M")


def _merged(properties: Mapping[str, Any]) -> str:
    """Who went into whom, and why; the profiles before and after are in the record of the merge."""
    because = f"{properties['ground']} {properties['cause']}".strip()
    return f"{properties['from']} into {properties['into']} ({properties['merge_id']}), because of {because}"


def _concluded(kind: str, properties: Mapping[str, Any]) -> tuple[str, str]:
    """Such an event in words, and what led to it: the rest of its properties."""
    match kind, properties:
        case "segment_entered", {"segment": name}:
            title = f"entered segment {name}"
        case "segment_left", {"segment": name}:
            title = f"left segment {name}"
        case "tag_added", {"tag": name}:
            title = f"tagged {name}"
        case "tag_removed", {"tag": name}:
            title = f"no longer tagged {name}"
        case "lifecycle_changed", {"to": stage}:
            before = properties.get("from")
            title = f"went from stage {before} to {stage}" if before else f"came into stage {stage}"
        case _:
            return kind, _properties(properties)
    because = _BECAUSE.get(str(properties.get("because", "")), f"because of {properties.get('because')}")
    giver = f"by {properties['by']}" if "by" in properties else ""
    in_title = {"segment", "tag", "from", "to", "because", "by"}
    rest = _properties({name: value for name, value in properties.items() if name not in in_title})
    return title, ", ".join(part for part in (giver, because if "because" in properties else "", rest) if part)


_BECAUSE: Final = {
    "refresh": "found by the scheduled refresh",
    "new_rules": "because the rules are new",
}
"""What led to a conclusion when it was no event."""


def _properties(properties: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_value(each)}" for name, each in properties.items() if name not in INTERNAL_PROPERTIES)


def _value(value: Any) -> str:
    """A value of a property: what has values inside, true and false as JSON writes them."""
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
