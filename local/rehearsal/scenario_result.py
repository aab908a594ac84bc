"""What became of a scenario, and where that differs from what its file expects. Used by rehearsals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.rehearsal.scenario_file import ExpectedMessage, ExpectedNotice, Scenario, ScenarioFile
from local.rehearsal.staff_notices import Notices
from waypost.channels.fake_contract import SentContent
from waypost.clock import format_instant, parse_instant
from waypost.reports.timeline import Entry, MessageDecision


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage through a journey: the states entered, and how it ended (``active`` while it goes on)."""

    journey: str
    trail: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """What became of one scenario: its timeline, its decisions, and where it differs from what was expected.

    ``contents`` are messages as they were handed to a provider, by message key. ``passages`` are in the order of their beginning; ``steps`` are those states entered that are a Send or a Pause.
    ``notices`` are those that its passages gave to staff, by member.
    """

    scenario: Scenario
    contact_id: str
    zone: ZoneInfo
    timeline: list[Entry]
    decisions: list[MessageDecision]
    contents: Mapping[str, SentContent]
    passages: list[Passage]
    steps: set[str]
    differences: list[str]
    notices: Notices = field(default_factory=dict)

    @property
    def ends(self) -> str:
        """How the last passage ended, ``none`` if there was none."""
        return self.passages[-1].outcome if self.passages else "none"

    @property
    def trail(self) -> list[str]:
        """The states entered in all passages."""
        return [state for passage in self.passages for state in passage.trail]

    @property
    def messages(self) -> list[tuple[MessageDecision, SentContent]]:
        """The messages that went out, as their reader gets them."""
        sent = [each for each in self.decisions if each.outcome == "sent" and each.message_key in self.contents]
        return [(each, self.contents[each.message_key]) for each in sent]

    @property
    def as_expected(self) -> bool:
        """Whether everything followed that was expected, and nothing else."""
        return not self.differences

    def with_named_codes(self, codes: Sequence[str]) -> "ScenarioResult":
        """The same, with the codes of the contact's coupons named by their number: they are drawn in secret, so another run has others."""

        def named(text: str) -> str:
            for number, code in enumerate(codes, start=1):
                text = text.replace(code, f"COUPON-{number}")
            return text

        decided = {each.message_key for each in self.decisions}
        return replace(
            self,
            timeline=[replace(each, title=named(each.title), detail=named(each.detail)) for each in self.timeline],
            contents={
                key: replace(each, subject=named(each.subject), text=named(each.text), html=named(each.html))
                for key, each in self.contents.items()
                if key in decided
            },
            differences=list(map(named, self.differences)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "scenario": self.scenario.name,
            "contact_id": self.contact_id,
            "time_zone": self.zone.key,
            "ends": self.ends,
            "trail": self.trail,
            "as_expected": self.as_expected,
            "differences": self.differences,
            "decisions": [asdict(decision) for decision in self.decisions],
            "notices": {member: [asdict(each) for each in notices] for member, notices in self.notices.items()},
            "messages": [
                {
                    "message": decision.message,
                    "step": decision.step,
                    "channel": decision.channel,
                    "at": decision.at,
                    "subject": content.subject,
                    "text": content.text,
                }
                for decision, content in self.messages
            ],
            "timeline": [entry.to_dict() for entry in self.timeline],
        }


def differences(result: ScenarioResult, file: ScenarioFile) -> list[str]:
    """Each difference as a line that names what was expected and what came; empty when everything is as expected."""
    expect = result.scenario.expect
    found = []
    if expect.ends is not None and expect.ends != result.ends:
        found.append(f"ends: expected {expect.ends}, got {result.ends}")
    if expect.trail is not None and not _follows(expect.trail, result):
        found.append(f"trail: expected {' → '.join(expect.trail)}, got {' → '.join(result.trail)}")
    if expect.messages is not None:
        found += [f"messages: {each}" for each in _message_differences(expect.messages, result.decisions, result, file)]
    if expect.notices is not None:
        found += _notice_differences(expect.notices, result, file)
    return found


def _follows(expected: list[str], result: ScenarioResult) -> bool:
    """Whether the trail is the expected one; only states that neither send nor pause may be left out of it."""
    rest = iter(result.trail)
    in_order = all(state in rest for state in expected)
    return in_order and [s for s in expected if s in result.steps] == [s for s in result.trail if s in result.steps]


def _notice_differences(expected: list[ExpectedNotice], result: ScenarioResult, file: ScenarioFile) -> list[str]:
    """Compare member by member: what several are notified of at one time has no order."""
    found = []
    for member in sorted({*result.notices, *(each.to for each in expected)}):
        wanted = [each for each in expected if each.to == member]
        wrong = _message_differences(wanted, result.notices.get(member, []), result, file)
        found += [f"notices: {member}: {each}" for each in wrong]
    return found


def _message_differences(
    expected: Sequence[ExpectedMessage],
    decisions: Sequence[MessageDecision],
    result: ScenarioResult,
    file: ScenarioFile,
) -> list[str]:
    """Walk both lists side by side; a deferral that is not expected is passed over."""
    found = []
    left = list(expected)
    for decision in decisions:
        if decision.outcome == "deferred" and not (left and left[0].outcome == "deferred"):
            continue
        if not left:
            found.append(f"not expected: {_shown(decision, result.zone)}")
            continue
        wanted = left.pop(0)
        wrong = _mismatches(wanted, decision, result.zone, file)
        wrong += _misread(wanted, result.contents.get(decision.message_key))
        if wrong:
            found.append(f"{wanted.message}: {', '.join(wrong)} (got {_shown(decision, result.zone)})")
    found += [f"missing: {wanted.message} {wanted.outcome}" for wanted in left]
    return found


def _mismatches(wanted: ExpectedMessage, decision: MessageDecision, zone: ZoneInfo, file: ScenarioFile) -> list[str]:
    pairs = {
        "message": (wanted.message, decision.message),
        "channel": (wanted.channel, decision.channel),
        "outcome": (wanted.outcome, decision.outcome),
        "reason": (wanted.reason, decision.reason),
    }
    wrong = [f"{name} should be {want}" for name, (want, got) in pairs.items() if want is not None and want != got]
    if wanted.at is not None:
        time = file.instant(wanted.at, zone)
        if abs(parse_instant(decision.at) - time) >= timedelta(minutes=1):
            wrong.append(f"should be at {_local(format_instant(time), zone)}")
    return wrong


def _misread(wanted: ExpectedMessage, content: SentContent | None) -> list[str]:
    """How the message that was handed over reads otherwise than expected."""
    if wanted.subject is None and not wanted.pieces:
        return []
    if content is None:
        return ["was not handed over, so it has no subject and text"]
    wrong = [
        f"should have {piece!r} in its text, which is {content.text!r}"
        for piece in wanted.pieces
        if piece not in content.text
    ]
    if wanted.subject not in {None, content.subject}:
        wrong.insert(0, f"subject should be {wanted.subject!r}, is {content.subject!r}")
    return wrong


def _shown(decision: MessageDecision, zone: ZoneInfo) -> str:
    where = f" by {decision.channel}" if decision.channel else ""
    return f"{decision.message} {decision.outcome}{where} ({decision.reason}) at {_local(decision.at, zone)}"


def _local(instant: str, zone: ZoneInfo) -> str:
    return parse_instant(instant).astimezone(zone).strftime("%a %Y-%m-%d %H:%M")
