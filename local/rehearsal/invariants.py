"""What holds for every contact of a journey, whatever it does and in whichever order. Checked after event storms.

Each is checked against what the contact did and what reached the providers, not by asking the code that should keep it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from local.providers.record import Call
from local.rehearsal.scenario_file import Scenario, ScenarioEvent, ScenarioFile
from waypost.authoring.discovery import JourneyFolder, Library
from waypost.authoring.graph import after_leaving, scopes
from waypost.clock import format_instant
from waypost.durations import parse_duration
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.published import PublishedJourney, PublishedJourneys
from waypost.sending.guards.frequency_cap import FREQUENCY_CAP, Cap
from waypost.sending.guards.quiet_hours import WINDOWS
from waypost.sending.occasion import JourneyStep, load_occasion

AT_ONCE: Final = timedelta(minutes=1)
"""What is under way when something happens may still go out."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a journey that a provider took: when, by which channel, and for which visit to which step."""

    at: datetime
    channel: str
    message: str
    marketing: bool
    step: JourneyStep

    def __str__(self) -> str:
        return f"{self.message} by {self.channel} at {format_instant(self.at)} (step {self.step.state!r})"


class Promised:
    """What the project says its journeys do: their manifests, bodies and kinds of messages, and the sending policy."""

    def __init__(self, library: Library) -> None:
        self.journeys = PublishedJourneys.from_dict({each.name: each.published() for each in library.journeys}).by_name
        self.folders = {each.name: each for each in library.journeys}
        policy = library.sending.published()
        self.cap: Cap | None = FREQUENCY_CAP.load(policy[FREQUENCY_CAP.name])
        self.windows: Mapping[Any, Any] = WINDOWS.load(policy[WINDOWS.name])

    def is_marketing(self, step: JourneyStep, message: str) -> bool:
        """Whether guards ask for consent, windows and caps for it."""
        name = message.removeprefix(f"{step.journey}/")
        return bool(self.folders[step.journey].messages[name]["kind"] == "marketing")

    def in_body(self, step: JourneyStep) -> bool:
        """Whether the step is left undone by who leaves the journey."""
        return step.state in _body_of(self.folders[step.journey])


def _body_of(journey: JourneyFolder) -> set[str]:
    inside = {name for scope in scopes(journey.definition) if scope.inside for name in scope.states}
    return inside - after_leaving(journey.definition)


@dataclass(frozen=True)
class Observed:
    """What became of the contact of a scenario: the rows that are kept of it, and the calls that reached a provider."""

    journey: str
    scenario: Scenario
    file: ScenarioFile
    default_zone: ZoneInfo
    rows: Sequence[Mapping[str, Any]]
    calls: Sequence[Call]
    promised: Promised

    @cached_property
    def enrolments(self) -> list[Enrolment]:
        """Its passages through all journeys, by their beginning."""
        found = [Enrolment.from_dict(row) for row in self.rows if str(row["sk"]).startswith("enrolment#")]
        return sorted(found, key=lambda each: each.enrolled_at)

    @cached_property
    def passages(self) -> list[Enrolment]:
        """Those through the journey."""
        return [each for each in self.enrolments if each.journey == self.journey]

    @property
    def manifest(self) -> PublishedJourney:
        """That of the journey."""
        return self.promised.journeys[self.journey]

    @cached_property
    def sent(self) -> list[Sent]:
        """The messages of journeys that went out, oldest first."""
        rows = {row["message_key"]: row for row in self.rows if str(row["sk"]).startswith("message#")}
        found = []
        for call in self.calls:
            row = rows.get(call.message_key)
            step = load_occasion(row["occasion"]) if row else None
            if row is not None and isinstance(step, JourneyStep) and call.outcome == "accepted":
                marketing = self.promised.is_marketing(step, row["message"])
                found.append(Sent(call.at, call.channel, row["message"].rpartition("/")[2], marketing, step))
        return sorted(found, key=lambda each: each.at)

    @property
    def of_journey(self) -> list[Sent]:
        """Those of the journey."""
        return [each for each in self.sent if each.step.journey == self.journey]

    @cached_property
    def done(self) -> list[tuple[datetime, ScenarioEvent]]:
        """What the contact did at which moment, in order; reactions that count from a message are left out."""
        zone = self.file.zone_of(self.scenario, self.default_zone)
        timed = [(self.file.instant(each.at, zone), each) for each in self.scenario.events if each.at is not None]
        return sorted(timed, key=lambda each: each[0])

    def zone_at(self, instant: datetime) -> tuple[ZoneInfo, bool]:
        """The zone the contact gave last before ``instant``, and whether that was long enough ago to count."""
        name, settled = self._last("timezone", instant)
        return ZoneInfo(name) if name else self.default_zone, settled

    def has_withdrawn(self, channel: str, instant: datetime) -> bool:
        """Whether the contact's last word on the channel, long enough before ``instant``, was no."""
        withdrawn, settled = self._last("consent", instant, channel)
        return withdrawn is False and settled

    def _last(self, name: str, instant: datetime, part: str = "") -> tuple[Any, bool]:
        """The attribute (or a part of it) as it was given last, and whether that was long enough before ``instant``."""
        value, settled = None, True
        given = [(self.file.start - AT_ONCE, self.scenario.contact.traits())]
        given += [(at, each.profile) for at, each in self.done if each.profile is not None and at <= instant]
        for at, profile in given:
            holder = profile.get(name) or {} if part else profile
            if (part or name) in holder:
                value, settled = holder[part or name], at + AT_ONCE < instant
        return value, settled


Check = Callable[[Observed], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that always holds; ``check`` gives a line for each place where it does not."""

    name: str
    holds: str
    check: Check


def broken(observed: Observed) -> list[str]:
    """Each invariant that does not hold, with what is against it."""
    return [f"{each.name}: {line}" for each in INVARIANTS for line in each.check(observed)]


def _once(observed: Observed) -> Iterator[str]:
    for key, calls in Counter(call.message_key for call in observed.calls).items():
        if calls > 1:
            yield f"{calls} calls reached a provider for the message key {key}"


def _rests(observed: Observed) -> Iterator[str]:
    for each in observed.passages:
        if each.outcome == "failed":
            why = each.failure
            yield f"it ended as failed: {why.error} in {why.state!r}: {why.cause}" if why else "it ended as failed"
        elif each.status != "ended" and observed.file.until is None:
            yield f"{each.enrolment_id} has not ended when nothing was left to come"


def _left_for_good(observed: Observed) -> Iterator[str]:
    for passage in observed.passages:
        left = passage.left_on
        if left is None:
            continue
        for sent in _late(observed, passage, left.occurred_at):
            yield f"{sent} went out after {left.type} at {format_instant(left.occurred_at)} had ended the journey"


def _goal_ends(observed: Observed) -> Iterator[str]:
    goal = observed.manifest.goal
    if goal is None or goal.where is not None or goal.within_seconds is not None:
        return
    for passage in observed.passages:
        for at, each in observed.done:
            if each.event == goal.event and at > passage.enrolled_at + AT_ONCE:
                for sent in _late(observed, passage, at):
                    yield f"{sent} went out after the goal {goal.event} at {format_instant(at)}"


def _late(observed: Observed, passage: Enrolment, since: datetime) -> Iterator[Sent]:
    """What the body of a passage sent after it should have ended."""
    for sent in observed.of_journey:
        of_passage = sent.step.enrolment_id == passage.enrolment_id
        if of_passage and sent.at > since + AT_ONCE and observed.promised.in_body(sent.step):
            yield sent


def _re_entry(observed: Observed) -> Iterator[str]:
    again, passages = observed.manifest.re_entry, observed.passages
    match again.kind:
        case "never":
            if len(passages) > 1:
                yield f"it was entered {len(passages)} times, and re_entry is never"
        case "always":
            yield from _side_by_side(passages)
        case "side_by_side":
            return
        case "after":
            yield from _side_by_side(passages)
            yield from _too_soon(passages, again.seconds or 0)
        case "per":
            of_value: dict[str, list[Enrolment]] = {}
            for each in passages:
                of_value.setdefault(repr(each.trigger.properties.get(again.property or "")), []).append(each)
            for value, same in of_value.items():
                if again.seconds is None and len(same) > 1:
                    yield f"it was entered {len(same)} times for {again.property} {value}"
                yield from _too_soon(same, again.seconds or 0)
        case kind:
            assert_never(kind)


def _side_by_side(passages: Sequence[Enrolment]) -> Iterator[str]:
    for earlier, later in pairwise(passages):
        if earlier.ended_at is None or earlier.ended_at > later.enrolled_at:
            yield f"it was entered at {format_instant(later.enrolled_at)} while the contact was in it"


def _too_soon(passages: Sequence[Enrolment], seconds: int) -> Iterator[str]:
    for earlier, later in pairwise(passages):
        if later.enrolled_at - earlier.enrolled_at < timedelta(seconds=seconds):
            yield f"it was entered again at {format_instant(later.enrolled_at)}, sooner than re_entry allows"


def _one_of_a_group(observed: Observed) -> Iterator[str]:
    group = observed.manifest.exclusive_group
    together = [each for each in observed.enrolments if group is not None and each.exclusive_group == group]
    for earlier, later in pairwise(together):
        if earlier.ended_at is None or earlier.ended_at > later.enrolled_at:
            yield f"{earlier.journey} and {later.journey} of the group {group} held the contact together"


def _consent(observed: Observed) -> Iterator[str]:
    for sent in observed.of_journey:
        if sent.marketing and observed.has_withdrawn(sent.channel, sent.at):
            yield f"{sent} went out after consent was withdrawn"


def _windows(observed: Observed) -> Iterator[str]:
    for sent in observed.of_journey:
        hours = observed.promised.windows.get(sent.channel)
        zone, settled = observed.zone_at(sent.at)
        if hours is None or not sent.marketing or not settled:
            continue
        local = sent.at.astimezone(zone)
        if not _open(hours.start, hours.end, local.time()):
            yield f"{sent} went out at {local:%H:%M} where the contact lives"


def _open(start: time, end: time, at: time) -> bool:
    return start <= at < end if start < end else at >= start or at < end


def _cap(observed: Observed) -> Iterator[str]:
    cap = observed.promised.cap
    if cap is None:
        return
    marketing = [each for each in observed.sent if each.marketing]
    for first, last in zip(marketing, marketing[cap.count :], strict=False):
        if last.at - first.at < timedelta(hours=cap.hours) and last.step.journey == observed.journey:
            yield f"{last} was one more than {cap.count} in {cap.hours} hours"


def _hold_out(observed: Observed) -> Iterator[str]:
    held_out = {each.enrolment_id for each in observed.passages if each.held_out}
    for sent in observed.of_journey:
        if sent.marketing and sent.step.enrolment_id in held_out:
            yield f"{sent} went to a contact of the hold-out"


def _in_time(observed: Observed) -> Iterator[str]:
    longest = observed.promised.folders[observed.journey].manifest.finishes_within
    moved = any(each.profile is not None for _, each in observed.done)
    if longest is None or moved:
        return
    deferred = any(
        each["outcome"] == "deferred"
        for row in observed.rows
        if str(row["sk"]).startswith("message#")
        for each in row.get("decisions", ())
    )
    for passage in observed.passages:
        took = (passage.ended_at or passage.enrolled_at) - passage.enrolled_at
        if not deferred and took > parse_duration(longest) + AT_ONCE:
            yield f"it took {took}, longer than finishes_within: {longest}"


def _declared(observed: Observed) -> Iterator[str]:
    for each in observed.file.invariants:
        sent = [found for found in observed.of_journey if found.message == each.message]
        if each.at_most is not None:
            for enrolment, times in Counter(found.step.enrolment_id for found in sent).items():
                if times > each.at_most:
                    yield f"{each.message} went out {times} times in the passage {enrolment}, at most {each.at_most} are declared"
        if each.never_after is not None:
            happened = [at for at, done in observed.done if done.event == each.never_after]
            for found in sent:
                if happened and found.at > min(happened) + AT_ONCE:
                    yield f"{found} went out after {each.never_after} at {format_instant(min(happened))}"


INVARIANTS: Final[Sequence[Invariant]] = (
    Invariant("once", "no message key reaches a provider twice", _once),
    Invariant("rests", "every passage ends, and none as failed", _rests),
    Invariant("left for good", "after an exit or the goal the body of the journey sends nothing", _left_for_good),
    Invariant("goal", "after the goal event, where it has no condition, the body sends nothing", _goal_ends),
    Invariant("re-entry", "the journey is entered as often as re_entry says, and not twice at a time", _re_entry),
    Invariant("group", "the contact is in one journey of an exclusive group at a time", _one_of_a_group),
    Invariant("consent", "no marketing goes out on a channel whose consent was withdrawn", _consent),
    Invariant("windows", "marketing goes out in the channel's window where the contact lives", _windows),
    Invariant("cap", "marketing of all journeys together keeps the frequency cap", _cap),
    Invariant("hold-out", "the hold-out gets no marketing", _hold_out),
    Invariant(
        "in time",
        "a passage is over within finishes_within, where no message is deferred and no attribute changes",
        _in_time,
    ),
    Invariant("declared", "what scenarios.yaml declares under invariants", _declared),
)
