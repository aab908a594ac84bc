"""The plan of an audience: a marketer's request, validated, which all slices follow. Called by plan_audience and preview_segment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.bulk.plans import store_plan
from waypost.bulk.slices import SliceSize, slice_payloads
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.errors import InvalidInput
from waypost.events.listening import Listening
from waypost.files.folders import AUDIENCES, AUDIENCES_WORK
from waypost.files.ports import Files
from waypost.segments.compile import Holds, compile_rule
from waypost.segments.dependencies import reads
from waypost.segments.inlining import inline
from waypost.segments.membership_query import MembershipQuery, membership_query_of
from waypost.segments.ports import ProfileScan
from waypost.segments.saved_segments import SavedSegment, saved_segment
from waypost.segments.vocabulary import Rule

MOST_SLICES: Final = 1_000
SLICES: Final = SliceSize(items=100_000, bytes=128 * 1024 * 1024, most=MOST_SLICES)
"""128 pages of 1 MB: one slice of a large base takes a function about ten seconds."""

MOST_LIMIT: Final = 10_000
MOST_SAMPLE: Final = 100
CONTACTS_PER_FILE: Final = 5_000
"""Members per file: one batch of a broadcast, a few minutes of sending."""

BASE_FOR_CARD: Final = 200_000
"""Contacts that represent the base on a card: a larger base is sampled by hash."""

CARD_SALT: Final = "persona card"

_FIELDS: Final = (
    "segment", "rule", "audience", "bucket", "hold_out", "limit", "sample", "slices", "compressed", "card", "language",
    "run",
)  # fmt: skip
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_RUN: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
LANGUAGES: Final = ("zh-CN", "en")


@dataclass(frozen=True)
class AudiencePlan(JsonForm):
    """One run: the rule, the time for which it is evaluated, and the number of slices. All slices work by it alone.

    ``hold_out`` is ``{salt, percent}``: this part of the matching contacts is held out as a control group. ``limit`` draws
    that many of the others, the same ones for the same ``salt`` as long as they match. ``base_one_in``: one in that many
    contacts is counted for the base on the card; 0: no card. ``keeps_files`` is false for a preview.
    """

    audience: str
    run: str
    segment: str
    rule: Rule
    at: datetime
    zone: str
    slices: int
    sample: int
    salt: str
    hold_out: Mapping[str, Any] | None = None
    limit: int | None = None
    compressed: bool = False
    base_one_in: int = 1
    language: str = LANGUAGES[0]
    keeps_files: bool = True

    @property
    def folder(self) -> str:
        """The folder of this run."""
        return f"{AUDIENCES}{self.audience}/{self.run}/"

    @property
    def work(self) -> str:
        """The folder of working files, which only the run itself reads."""
        return f"{AUDIENCES_WORK}{self.audience}/{self.run}/"

    @property
    def key(self) -> str:
        """The key of the plan."""
        return f"{self.folder}plan.json"

    def members(self, slice_: int, number: int, *, held_out: bool = False) -> str:
        """The key of the ``number``-th file of members, or of contacts held out, of a slice."""
        kind = "held-out" if held_out else "members"
        return f"{self.folder}{kind}/{slice_:05d}-{number:05d}.jsonl{'.gz' if self.compressed else ''}"

    @cached_property
    def query(self) -> MembershipQuery:
        """The rule, compiled."""
        return membership_query_of(self.rule)

    @cached_property
    def is_held_out(self) -> Holds | None:
        """The condition for a contact to be held out; None without a control group."""
        return compile_rule({"holdout": dict(self.hold_out)}) if self.hold_out else None

    @property
    def default_zone(self) -> ZoneInfo:
        """The zone of contacts that have none."""
        return ZoneInfo(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAudience:
    """Validates a request and decides on the number of slices."""

    files: Files
    scan: ProfileScan
    segments: Mapping[str, SavedSegment]
    default_zone: ZoneInfo
    clock: Clock
    listening: Listening

    def plan(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{input, execution}`` → ``{plan, slices: [{plan, slice}…]}`` with the plan stored.

        The same execution gets the plan it got before, and so does another one whose input names its ``run``: finished
        slices are then not read again. Raises InvalidInput.
        """
        plan = self.planned(payload["input"], execution=payload["execution"], keeps_files=True)
        return work_list(store_plan(self.files, plan.key, plan))

    def planned(self, given: Any, *, execution: str, keeps_files: bool) -> AudiencePlan:
        """The plan for a request. Raises InvalidInput with the field and what was expected."""
        if not isinstance(given, Mapping):
            raise InvalidInput("input", 'expected an object such as {"segment": "vip"}')
        if unknown := sorted(set(given) - set(_FIELDS)):
            raise InvalidInput(unknown[0], f"is not known; expected one of {', '.join(_FIELDS)}")
        rule = self._rule(given)
        segment = given.get("segment") or ""
        audience = given.get("audience") or segment
        if not (isinstance(audience, str) and _NAME.fullmatch(audience)):
            raise InvalidInput("audience", "expected a name of lower-case letters, digits and hyphens, such as vip-may")
        run = given.get("run") or execution.rpartition(":")[2]
        if not (isinstance(run, str) and run):
            raise InvalidInput("run", "expected the name of an execution")
        size = self.scan.size()
        limit, salt = _limit(given.get("limit"), audience)
        language = given.get("language") or LANGUAGES[0]
        if language not in LANGUAGES:
            raise InvalidInput("language", f"expected one of {', '.join(LANGUAGES)}, got {language!r}")
        slices = _whole(given, "slices", least=1, most=MOST_SLICES) or SLICES.slices(size)
        return AudiencePlan(
            audience=audience,
            run=run if _RUN.fullmatch(run) else ids.digest("audience", run),
            segment=segment,
            rule=rule,
            at=self.clock(),
            zone=self.default_zone.key,
            slices=slices,
            sample=10 if (sample := _whole(given, "sample", least=0, most=MOST_SAMPLE)) is None else sample,
            salt=salt,
            hold_out=_hold_out(given.get("hold_out")),
            limit=limit,
            compressed=_yes_or_no(given, "compressed", otherwise=False),
            base_one_in=-(-max(size.items, 1) // BASE_FOR_CARD) if _yes_or_no(given, "card", otherwise=True) else 0,
            language=language,
            keeps_files=keeps_files,
        )

    def _rule(self, given: Mapping[str, Any]) -> Rule:
        """The rule with all segments inlined; a bucket is one more condition."""
        segment, rule = given.get("segment"), given.get("rule")
        if (segment is None) is (rule is None):
            raise InvalidInput("segment", 'expected either {"segment": name} or {"rule": …}')
        if segment is not None:
            wanted: Rule = saved_segment(str(segment), self.segments).rule
        elif isinstance(rule, Mapping):
            wanted = inline(rule, {name: each.rule for name, each in self.segments.items()}) or {}
        else:
            raise InvalidInput("rule", 'expected a rule such as {"tag": "vip"}; docs/segments.md has them all')
        if given.get("bucket") is not None:
            wanted = {"all": [wanted, {"bucket": given["bucket"]}]}
        compile_rule(wanted)  # raises here instead of in every slice
        if (asked := reads(wanted)).property or asked.trigger:
            raise InvalidInput(
                "rule", "asks about an event at hand, and there is none in bulk; docs/segments.md has all words"
            )
        if unkept := sorted(asked.events & self.listening.settled):
            raise InvalidInput(
                "rule",
                f"asks for {', '.join(unkept)}, and no such event is kept, because nothing that is deployed reads it; "
                "save the rule under statemachines/segments and deploy, then they are kept from that day",
            )
        return wanted


def work_list(plan: AudiencePlan) -> dict[str, Any]:
    """The plan's key and the input of the Map over its slices."""
    return {"plan": plan.key, "slices": slice_payloads(plan.slices, plan=plan.key)}


def _limit(value: Any, audience: str) -> tuple[int | None, str]:
    """``100`` or ``{contacts: 100, salt: …}``; the salt also draws the sample."""
    salt = audience
    if isinstance(value, Mapping):
        salt = str(value.get("salt") or audience)
        value = value.get("contacts")
    return _whole({"limit": value}, "limit", least=1, most=MOST_LIMIT), salt


def _hold_out(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    try:
        compile_rule({"holdout": value})
    except InvalidInput as wrong:
        raise InvalidInput("hold_out", 'expected {"salt": "spring", "percent": 10}') from wrong
    return dict(value)


def _whole(given: Mapping[str, Any], name: str, *, least: int, most: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInput(name, f"expected a whole number from {least} to {most:,}, got {value!r}")
    return value


def _yes_or_no(given: Mapping[str, Any], name: str, *, otherwise: bool) -> bool:
    value = given.get(name, otherwise)
    if not isinstance(value, bool):
        raise InvalidInput(name, f"expected true or false, got {value!r}")
    return value
