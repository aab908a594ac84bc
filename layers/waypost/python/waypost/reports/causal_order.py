"""The order of what happened to a contact: by time, and within one instant by cause and effect. Used by the timeline.

Every cause is read from what was stored with the effect: the event or the step that an event came from (``cause``), the step's
place in its passage (``place``), the event that started a journey, ended a Pause or was left on, and the order in which events
were applied to the profile. Nothing is concluded from the kind of an entry, and two equal stories are listed alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.events.envelope import OWN_SOURCE, caused_by_event
from waypost.journeys.enrolment import LONGEST_TRAIL
from waypost.sending.occasion import JourneyStep, Reply, load_occasion

_PAUSE: Final = "~"
"""Sorts a Pause behind the steps of the hop that leads to it."""
_STEP: Final = "step:"
_NO_ROOT: Final = ("", 0)


@dataclass(slots=True)
class Causes:
    """What each thing that happened came from: names of others, all of them names given by the functions below."""

    of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    roots: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Of an event that came from outside: when and as which version of the profile it was applied."""

    def rank(self, names: Iterable[str]) -> Mapping[str, tuple[tuple[str, int], int]]:
        """For each name the latest outside event that led to it, and the length of the longest chain of causes."""
        ranks: dict[str, tuple[tuple[str, int], int]] = {}
        for name in names:
            for each in self._causes_first(name, ranks):
                before = [ranks[cause] for cause in self.of.get(each, ()) if cause in ranks]
                root = max([self.roots.get(each, _NO_ROOT), *(root for root, _ in before)])
                ranks[each] = root, max((depth + 1 for _, depth in before), default=0)
        return ranks

    def _causes_first(self, name: str, known: Mapping[str, Any]) -> Iterator[str]:
        """The unknown ones among the name and all it came from, causes first; a circle is cut where it closes."""
        stack, entered = [(name, False)], set(known)
        while stack:
            each, is_done = stack.pop()
            if is_done:
                yield each
            elif each not in entered:
                entered.add(each)
                stack.append((each, True))
                stack += [(cause, False) for cause in sorted(self.of.get(each, ()))]


def causes_of(rows: Sequence[Mapping[str, Any]]) -> Causes:
    """Read the causes from all that is kept of a contact, each row with its ``sk``."""
    causes = Causes()
    chains: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    ends: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        match str(row["sk"]).partition("#")[0]:
            case "event":
                _read_event(row, causes, chains)
            case "routed":
                event = event_name(str(row["sk"]).partition("#")[2])
                causes.of[left_out_name(event)].add(event)
                for decision in row["decisions"]:
                    causes.of[decision_name(event, decision)].add(event)
            case "message":
                _read_message(row, causes, chains, ends)
    for row in rows:
        if str(row["sk"]).startswith("enrolment#"):
            enrolment_id = str(row["sk"]).rpartition("#")[2]
            _read_passage(row, enrolment_id, causes, chains[enrolment_id], ends[enrolment_id])
    return causes


def event_name(event_id: str) -> str:
    """An event."""
    return caused_by_event(event_id)


def left_out_name(event: str) -> str:
    """What the profile could not take of an event."""
    return f"left out:{event}"


def decision_name(event: str, decision: Mapping[str, Any]) -> str:
    """What an event did to a journey."""
    return f"decided:{event}/{decision.get('enrolment_id') or decision['journey']}"


def message_name(message_key: str, position: int) -> str:
    """A decision on a message, by its position in the row."""
    return f"message:{message_key}/{position}"


def pause_name(enrolment_id: str, position: int) -> str:
    """A Pause, by its position in the trail; the one at which the contact stands comes behind all of them."""
    return f"pause:{enrolment_id}/{position}"


def move_name(enrolment_id: str, position: int) -> str:
    """A change of the journey that took the contact along."""
    return f"move:{enrolment_id}/{position}"


def end_name(enrolment_id: str) -> str:
    """The end of a passage."""
    return f"end:{enrolment_id}"


def step_of(cause: str) -> tuple[str, str] | None:
    """The enrolment and the place of the step in a ``cause``; None when it names no step."""
    if not cause.startswith(_STEP):
        return None
    enrolment_id, _, place = cause.removeprefix(_STEP).partition("/")
    return enrolment_id, place


Chain = dict[str, set[str]]
"""What happened at each place of a passage."""


def _read_event(row: Mapping[str, Any], causes: Causes, chains: Mapping[str, Chain]) -> None:
    name, cause, properties = _name_of(row), str(row.get("cause", "")), row["properties"]
    if (step := step_of(cause)) is not None:
        enrolment_id, place = step
        chains[enrolment_id][place].add(name)
        return
    known = {cause} if cause else set()
    if str(row.get("source", "")).startswith(OWN_SOURCE):
        if row["type"] == "journey_ended":
            known.add(end_name(str(properties.get("enrolment_id"))))
        if "message_key" in properties:
            known.add(message_name(str(properties["message_key"]), 0))
        if "merge_id" in properties:
            known.add(event_name(str(properties.get("cause"))))
    if known:
        causes.of[name] |= known
    else:
        causes.roots[name] = str(row.get("routed_at", "")), int(row.get("profile_version", 0))


def _name_of(row: Mapping[str, Any]) -> str:
    return event_name(str(row["sk"]).split("#", 2)[2])


def _read_message(
    row: Mapping[str, Any], causes: Causes, chains: Mapping[str, Chain], ends: Mapping[str, set[str]]
) -> None:
    occasion, decisions = load_occasion(row["occasion"]), row.get("decisions", [])
    for position, decision in enumerate(decisions):
        name, place = message_name(row["message_key"], position), decision.get("place", "")
        if position:
            causes.of[name].add(message_name(row["message_key"], position - 1))
        if not isinstance(occasion, JourneyStep):
            continue
        if place and position and place == decisions[position - 1].get("place"):  # called off: no step came to it
            ends[occasion.enrolment_id].add(name)
        else:
            chains[occasion.enrolment_id][place].add(name)
    for position in range(
        len(decisions), len(decisions) + 2
    ):  # the claim without an answer, and what a provider reports
        if position:
            causes.of[message_name(row["message_key"], position)].add(message_name(row["message_key"], position - 1))
    if isinstance(occasion, Reply):
        causes.of[message_name(row["message_key"], 0)].add(event_name(occasion.event_id))


def _read_passage(
    row: Mapping[str, Any], enrolment_id: str, causes: Causes, chain: Chain, called_off: set[str]
) -> None:
    """The passage of an enrolment: the event that started it, its steps and Pauses in their places, and its end."""
    trail, left_on = row.get("trail", []), row.get("left_on")
    begun, left = _moved_by(row.get("trigger"), enrolment_id), _moved_by(left_on, enrolment_id)
    places = dict(chain)
    if len(trail) < LONGEST_TRAIL:  # else the first ones are forgotten, and positions in the trail are no places
        for position, pause in enumerate([*trail, {}]):
            places[f"{position:04d}/{_PAUSE}"] = {pause_name(enrolment_id, position)}
            if ended := _ended_by(pause, left_on, enrolment_id):
                resumed = f"resumed:{enrolment_id}/{position}"
                places[f"{position:04d}/{_PAUSE}{_PAUSE}"] = {resumed}
                causes.of[resumed] |= ended
                if pause["ended_at"] == pause["parked_at"]:  # listed as over at once, which is what the event did
                    causes.of[pause_name(enrolment_id, position)] |= ended
    before = begun
    for place in sorted(places):
        for each in places[place]:
            causes.of[each] |= before
        before = places[place] or before
    for position, move in enumerate(row.get("moves", [])):
        stood = [index for index, pause in enumerate(trail) if pause["parked_at"] <= move["at"]]
        causes.of[move_name(enrolment_id, position)] |= {pause_name(enrolment_id, len(stood))}
    for each in called_off:
        causes.of[each] |= left
    causes.of[end_name(enrolment_id)] |= before | left | called_off


def _ended_by(pause: Mapping[str, Any], left_on: Mapping[str, Any] | None, enrolment_id: str) -> set[str]:
    """The event that a Pause waited for, or on which the journey was left at it; empty when its time came."""
    if pause.get("event_id"):
        return _moved_by({"id": pause["event_id"]}, enrolment_id)
    return _moved_by(left_on, enrolment_id) if pause.get("end") == "left" else set()


def _moved_by(event: Mapping[str, Any] | None, enrolment_id: str) -> set[str]:
    """An event, and what was decided of it for the enrolment."""
    if not event or "id" not in event:
        return set()
    name = event_name(str(event["id"]))
    return {name, decision_name(name, {"enrolment_id": enrolment_id, "journey": ""})}
