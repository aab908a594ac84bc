"""The manifest of a journey, ``journey.yaml``, checked. Used by discovery, which publishes what it says."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, Self, assert_never

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from waypost.authoring.brands import BrandName
from waypost.authoring.operations import OperationSchedule, Weekday
from waypost.authoring.problems import Authored, nearest, unknown
from waypost.authoring.rules import Duration, EventType, Name, PropertyName, Rule, Where, dump_rule, uses_trigger
from waypost.authoring.rules.models.random_parts import Percentage, SomePercent
from waypost.durations import parse_duration
from waypost.journeys.changes.change import ANY_STATE
from waypost.journeys.published import REQUEST
from waypost.pages.texts import LANGUAGES
from waypost.policies.policy_form import LocalTime
from waypost.segments.dependencies import reads_past

_KINDS: Final = ("event", "tag", "segment", "schedule", "date", "anniversary", "manual")
"""Kinds of trigger; all but the last are also the field that makes the short form."""
_LOOKED_AT: Final = "01:30"
"""When the base is read for dates, in the default time zone. It looks for the day after the contact's own, so any time does."""
_NAMED: Final = {"tag": "name", "segment": "name", "date": "attribute", "anniversary": "attribute"}
"""The field that the short form of a kind stands for."""
_ENTERED: Final = {"tag": "tag_added", "segment": "segment_entered"}
"""What a tag or a saved segment starts a journey by; the event's property of the same name names it."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def _day(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"expected a day such as 2026-11-30, got {value!r}") from None
    return value


Text = Annotated[str, AfterValidator(_text)]
StateName = Annotated[str, Field(min_length=1, max_length=80)]
"""Source of the limit: Step Functions quotas, "state names"."""
Scalar = str | bool | int | float


class StartingEvent(Authored):
    """An event that starts a journey, if its properties match ``where``."""

    event: EventType
    where: Where | None = None

    @field_validator("where")
    @classmethod
    def _looks_at_the_event(cls, where: Rule | None) -> Rule | None:
        if uses_trigger(where):
            raise ValueError("this is the trigger itself; 'equals_trigger' is for pauses, goal and exit_on")
        if reads_past(dump_rule(where)):
            raise ValueError("looks at the event at hand; put a rule about earlier events under 'entry'")
        return where


def _event_form(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


MOST_STARTING: Final = 10
"""Events beside the first one that start a journey."""


class EventTrigger(StartingEvent):
    """An event starts the journey, or one of those under ``also``, if it arrives within ``fresh_for`` after it happened."""

    kind: Literal["event"] = "event"
    also: Annotated[
        list[Annotated[StartingEvent, BeforeValidator(_event_form)]], Field(min_length=1, max_length=MOST_STARTING)
    ] = Field(default_factory=list)
    fresh_for: Duration | None = None


class MembershipTrigger(Authored):
    """Being given the tag ``name``, or entering the saved segment of this name, starts the journey."""

    kind: Literal["tag", "segment"]
    name: Name
    fresh_for: Duration | None = None


class Rhythm(Authored):
    """When a schedule looks who fits: every day, or every week ``on`` a day, ``at`` a time in the default time zone."""

    every: Literal["day", "week"]
    on: Weekday | None = None
    at: LocalTime

    @model_validator(mode="after")
    def _a_week_has_its_day(self) -> Self:
        if (self.every == "week") != (self.on is not None):
            raise ValueError("every: week goes with on: monday, and every: day without")
        return self


class ScheduleTrigger(Authored):
    """The clock starts the journey for everybody who is in the saved ``segment``, or whom ``rule`` selects."""

    kind: Literal["schedule"]
    schedule: Rhythm
    segment: Name | None = None
    rule: Rule | None = None

    @model_validator(mode="after")
    def _says_for_whom(self) -> Self:
        if (self.segment is None) == (self.rule is None):
            raise ValueError("expected one of segment, rule: whom the clock starts it for")
        return self

    @property
    def selects(self) -> dict[str, Any]:
        """The rule, in its published form."""
        return {"segment": self.segment} if self.segment is not None else dump_rule(self.rule) or {}


class DateTrigger(Authored):
    """A date in the contact's ``attribute`` starts the journey: it is entered on the day before, and its first Pause has the minute.

    ``days`` from the date, before it with a minus; an anniversary comes every year.
    """

    kind: Literal["date", "anniversary"]
    attribute: PropertyName
    days: Annotated[int, Field(ge=-3650, le=3650)] = 0

    @model_validator(mode="after")
    def _anniversaries_look_ahead(self) -> Self:
        if self.kind == "anniversary" and not -364 <= self.days <= 0:
            raise ValueError("days: an anniversary takes 0 to -364 days, before the day")
        return self

    @property
    def selects(self) -> dict[str, Any]:
        """The rule for those whose day is tomorrow where they live."""
        if self.kind == "anniversary":
            return {"attribute": self.attribute, "anniversary": {"in_days": 1 - self.days}}
        if self.days <= 0:
            return {"attribute": self.attribute, "days_until": 1 - self.days}
        return {"attribute": self.attribute, "days_since": self.days - 1}


class ManualTrigger(Authored):
    """Only a request for this very journey starts it, as it starts any: ``journey_requested``, by hand or by a system."""

    kind: Literal["manual"]


def _trigger_form(value: Any) -> Any:
    """The trigger with its kind: ``manual``, ``{event: …}``, ``{tag: …}`` and ``{segment: …}`` are the short forms."""
    if isinstance(value, str):
        if value not in _KINDS and not nearest(value, ["manual"]):
            raise ValueError(f"unknown trigger {value!r}; write {{event: {value}}} for the event of this name")
        value = {"kind": value}
    if not isinstance(value, Mapping):
        return value
    kind = value.get("kind") or next((word for word in ("schedule", *_KINDS) if word in value), None)
    if kind not in _KINDS:
        found = kind or next(iter(value), "nothing")
        raise ValueError(unknown(found, _KINDS, "unknown trigger"))
    if kind in _NAMED and kind in value:
        rest = {field: each for field, each in value.items() if field != kind}
        return {"kind": kind, _NAMED[kind]: value[kind], **rest}
    return {"kind": kind, **value}


def _trigger_tag(value: Any) -> str:
    match value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None):
        case "manual":
            return "ManualTrigger"
        case "tag" | "segment":
            return "MembershipTrigger"
        case "schedule":
            return "ScheduleTrigger"
        case "date" | "anniversary":
            return "DateTrigger"
        case _:
            return "EventTrigger"


Trigger = Annotated[
    Annotated[EventTrigger, Tag("EventTrigger")]
    | Annotated[MembershipTrigger, Tag("MembershipTrigger")]
    | Annotated[ScheduleTrigger, Tag("ScheduleTrigger")]
    | Annotated[DateTrigger, Tag("DateTrigger")]
    | Annotated[ManualTrigger, Tag("ManualTrigger")],
    Discriminator(_trigger_tag),
    BeforeValidator(_trigger_form),
]


class ReEntry(Authored):
    """When a contact may pass through the journey again: ``never``, ``always``, after a time, once per value, or per value after a time.

    ``side_by_side`` is always, also while an earlier passage goes on.
    """

    never: Literal[True] | None = None
    always: Literal[True] | None = None
    side_by_side: Literal[True] | None = None
    after: Duration | None = None
    per: PropertyName | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if len(self.model_fields_set) != 1 and self.model_fields_set != {"per", "after"}:
            raise ValueError(
                "expected one of never, always, side_by_side, {after: 30d}, {per: order_id}, {per: sku, after: 30d}"
            )
        return self

    def published(self) -> dict[str, Any]:
        """The form the router reads."""
        kinds = self.model_fields_set - {"after"} or {"after"}
        return {
            "kind": next(iter(kinds)),
            "seconds": int(parse_duration(self.after).total_seconds()) if self.after else None,
            "property": self.per,
        }


def _re_entry_form(value: Any) -> Any:
    if isinstance(value, str):
        if value not in {"never", "always", "side_by_side"}:
            raise ValueError(
                unknown(
                    value,
                    ["never", "always", "side_by_side", "{after: 30d}", "{per: order_id}", "{per: sku, after: 30d}"],
                    "unknown re-entry",
                )
            )
        return {value: True}
    return value


class EventMatch(Authored):
    """An event, if its properties match ``where``."""

    event: EventType
    where: Where | None = None


class Goal(EventMatch):
    """The event the journey works for; counted from enrolment, ``within`` a time."""

    within: Duration | None = None


class Target(Authored):
    """What the journey is measured by: a metric and the least value that counts as success."""

    metric: Name
    at_least: float


class Responsible(Authored):
    """Who answers for the steps of a journey, by role or name: ``default`` for all, others by the name of the state."""

    default: Text
    steps: dict[StateName, Text] = Field(default_factory=dict)


def _responsible_form(value: Any) -> Any:
    return {"default": value} if isinstance(value, str) else value


LintRule = Literal[
    "dead_end", "no_goal", "no_target", "no_opt_out", "no_exit_on_purchase", "long_wait", "unused_message", "stale"
]
"""The rules of ``waypost.authoring.marketing_lint`` that a journey may except itself from."""


class Translation(Authored):
    """The words of a journey in another language of the pages; of ``steps`` by the name of the state. What is left out stays."""

    scenario: Text | None = None
    description: Text | None = None
    steps: dict[StateName, Text] = Field(default_factory=dict)


class Follow(Authored):
    """The contacts go on in the new version, at the state of the same name."""

    policy: Literal["follow"]


class Stay(Authored):
    """The contacts finish on the version they stand in."""

    policy: Literal["stay"]


class MoveTo(Authored):
    """The contacts go on in the new version behind another Pause; ``variables`` are given to all of them."""

    move: StateName
    variables: dict[Name, Scalar] = Field(default_factory=dict)


class Stop(Authored):
    """The journey ends for the contacts, with this reason on their timelines."""

    stop: Text


def _policy_form(value: Any) -> Any:
    if isinstance(value, str):
        if value not in {"follow", "stay"}:
            known = ["follow", "stay", "{move: <state>}", "{stop: <reason>}"]
            raise ValueError(unknown(value, known, "unknown policy"))
        return {"policy": value}
    if isinstance(value, Mapping) and not {"move", "stop", "policy"} & set(value):
        raise ValueError(unknown(next(iter(value), "nothing"), ["move", "stop"], "unknown policy"))
    return value


def _policy_tag(value: Any) -> str:
    match value:
        case Follow() | {"policy": "follow"}:
            return "Follow"
        case MoveTo() | {"move": _}:
            return "MoveTo"
        case Stop() | {"stop": _}:
            return "Stop"
        case _:
            return "Stay"


Policy = Annotated[
    Annotated[Follow, Tag("Follow")]
    | Annotated[Stay, Tag("Stay")]
    | Annotated[MoveTo, Tag("MoveTo")]
    | Annotated[Stop, Tag("Stop")],
    Discriminator(_policy_tag),
    BeforeValidator(_policy_form),
]


class Change(Authored):
    """What a change of the journey does with contacts that are in it: by Pause, and for all others; docs/live-changes.md."""

    default: Policy | None = None
    states: dict[StateName, Policy] = Field(default_factory=dict)

    def published(self) -> dict[str, Any]:
        """The form that plans read: ``{act, to?, variables?, reason?}`` by state; the one for all others under "*"."""
        named = {state: _published_policy(policy) for state, policy in self.states.items()}
        return named | ({} if self.default is None else {ANY_STATE: _published_policy(self.default)})


def _published_policy(policy: Follow | Stay | MoveTo | Stop) -> dict[str, Any]:
    match policy:
        case Follow() | Stay():
            return {"act": policy.policy}
        case MoveTo():
            return {"act": "move", "to": policy.move, "variables": dict(policy.variables)}
        case Stop():
            return {"act": "stop", "reason": policy.stop}
        case _:
            assert_never(policy)


BranchName = Annotated[str, Field(pattern=r"^[\w-]+$", max_length=40)]
SplitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
MOST_SPLITS: Final = 10
MOST_BRANCHES: Final = 10


def _shares_form(value: Any) -> Any:
    """The share of each branch; a list of branches is short for equal ones."""
    if not isinstance(value, list):
        return value
    if repeated := [each for each in value if value.count(each) > 1]:
        raise ValueError(f"the branch {repeated[0]!r} is there twice")
    return dict.fromkeys(value, 1)


def _make_a_whole(shares: dict[str, float]) -> dict[str, float]:
    whole = sum(shares.values())
    if set(shares.values()) != {1} and round(whole, 2) != 100:
        raise ValueError(f"the shares are percentages and make 100 together, these make {whole:g}")
    return shares


Split = Annotated[
    dict[BranchName, Percentage],
    Field(min_length=2, max_length=MOST_BRANCHES),
    BeforeValidator(_shares_form),
    AfterValidator(_make_a_whole),
]
"""A random split: branch → its share in percent."""


class JourneyHoldOut(Authored):
    """The part of everybody that walks through the journey and gets nothing; ``salt`` shares it with other journeys and segments."""

    percent: SomePercent
    salt: Name | None = None


def _holdout_form(value: Any) -> Any:
    return {"percent": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class JourneyManifest(Authored):
    """One ``journey.yaml``; docs/authoring.md explains every field."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=50)] | None = None
    scenario: Text
    description: Text
    owner: Text
    department: Text | None = None
    brand: BrandName | None = None
    responsible: Annotated[Responsible, BeforeValidator(_responsible_form)] | None = None
    finishes_within: Duration | None = None
    reviewed: Annotated[str, AfterValidator(_day)] | None = None
    review_every: Duration = "180d"
    trigger: Trigger
    entry: Rule | None = None
    re_entry: Annotated[ReEntry, BeforeValidator(_re_entry_form)] = ReEntry(never=True)
    priority: Annotated[int, Field(ge=0, le=1000)] = 0
    exclusive_group: Name | None = None
    exit_on: list[Annotated[EventMatch, BeforeValidator(_event_form)]] = Field(default_factory=list)
    goal: Annotated[Goal, BeforeValidator(_event_form)] | None = None
    target: Target | None = None
    audience_limit: Annotated[int, Field(ge=1)] | None = None
    splits: Annotated[dict[SplitName, Split], Field(max_length=MOST_SPLITS)] = Field(default_factory=dict)
    holdout: Annotated[JourneyHoldOut, BeforeValidator(_holdout_form)] | None = None
    version: Annotated[int, Field(ge=1)] = 1
    closed: bool = False
    change: Change = Change()
    exceptions: dict[LintRule, Text] = Field(default_factory=dict)
    translations: dict[str, Translation] = Field(default_factory=dict)

    @field_validator("translations")
    @classmethod
    def _are_of_languages_of_the_pages(cls, translations: dict[str, Translation]) -> dict[str, Translation]:
        for language in translations:
            if language not in LANGUAGES:
                raise ValueError(unknown(language, LANGUAGES, "no page is in the language"))
        return translations

    @field_validator("entry")
    @classmethod
    def _has_no_trigger_yet(cls, entry: Rule | None) -> Rule | None:
        if uses_trigger(entry):
            raise ValueError("'equals_trigger' is for pauses, goal and exit_on")
        return entry

    def in_language(self, language: str) -> Translation:
        """The words in a language of the pages, the file's own where none are translated."""
        found = self.translations.get(language, Translation())
        return Translation(
            scenario=found.scenario or self.scenario,
            description=found.description or self.description,
            steps=found.steps,
        )

    @property
    def step_names(self) -> dict[str, dict[str, str]]:
        """The names of states in other languages: language → state → name."""
        return {language: each.steps for language, each in self.translations.items() if each.steps}

    @property
    def named_steps(self) -> dict[str, list[str]]:
        """The states that the manifest names, by the field in which it does."""
        found = {f"translations.{language}.steps": list(steps) for language, steps in self.step_names.items()}
        return found | ({"responsible.steps": list(self.responsible.steps)} if self.responsible else {})

    @property
    def endings(self) -> set[str]:
        """The errors by which events may end the body of the journey."""
        possible = {"GoalReached": self.goal is not None, "JourneyExited": bool(self.exit_on)}
        return {error for error, is_possible in possible.items() if is_possible}

    def schedule(self, name: str) -> OperationSchedule | None:
        """When the operation start-journey begins by itself for the journey of this name; None when no time starts it."""
        match self.trigger:
            case ScheduleTrigger(schedule=rhythm, selects=rule):
                every, on, at = rhythm.every, rhythm.on, rhythm.at
            case DateTrigger(selects=rule):
                every, on, at = "day", None, _LOOKED_AT
            case EventTrigger() | MembershipTrigger() | ManualTrigger():
                return None
            case _:
                assert_never(self.trigger)
        given = {"journey": name, "rule": rule, "daily": True}
        return OperationSchedule.model_validate({"every": every, "on": on, "at": at, "input": given})

    def published_splits(self) -> dict[str, dict[str, float]]:
        """Split → branch → weight."""
        return {name: dict(shares) for name, shares in self.splits.items()}

    def _published_holdout(self, name: str) -> dict[str, Any] | None:
        return None if self.holdout is None else {"salt": self.holdout.salt or name, "percent": self.holdout.percent}

    def published(self, name: str) -> dict[str, Any]:
        """The manifest as the run time reads it, without the messages."""
        return {
            "name": name,
            "scenario": self.scenario,
            "description": self.description,
            "owner": self.owner,
            "version": self.version,
            "priority": self.priority,
            "exclusive_group": self.exclusive_group,
            "trigger": _published_trigger(self.trigger, name),
            "entry": dump_rule(self.entry),
            "re_entry": self.re_entry.published(),
            "exit_on": [_published_match(match) for match in self.exit_on],
            "goal": None if self.goal is None else _published_goal(self.goal),
            "target": None if self.target is None else self.target.model_dump(mode="json"),
            "audience_limit": self.audience_limit,
            "closed": self.closed,
            "splits": self.published_splits(),
            "holdout": self._published_holdout(name),
        }


class RemovedJourneys(Authored):
    """``removed.yaml`` beside the folders of journeys: those that are gone, and why their contacts are stopped."""

    removed: dict[str, Text]


def _published_trigger(
    trigger: EventTrigger | MembershipTrigger | ScheduleTrigger | DateTrigger | ManualTrigger, journey: str
) -> dict[str, Any]:
    match trigger:
        case EventTrigger():
            event, where = trigger.event, dump_rule(trigger.where)
        case MembershipTrigger():
            event, where = _ENTERED[trigger.kind], {"property": trigger.kind, "equals": trigger.name}
        case ScheduleTrigger() | DateTrigger():
            return {"kind": "schedule", "event": REQUEST, "where": {"property": "journey", "equals": journey}}
        case ManualTrigger():
            return {"kind": trigger.kind, "event": REQUEST, "where": {"property": "journey", "equals": journey}}
        case _:
            assert_never(trigger)
    published: dict[str, Any] = {"kind": "event", "event": event, "where": where}
    if isinstance(trigger, EventTrigger) and trigger.also:
        published["also"] = [_published_match(each) for each in trigger.also]
    if trigger.fresh_for is None:
        return published
    return published | {"fresh_for_seconds": int(parse_duration(trigger.fresh_for).total_seconds())}


def starting(published: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What starts a journey, from its published form: each event and its condition, by the field of the manifest."""
    trigger = published["trigger"]
    return [
        ("trigger", trigger),
        *((f"trigger.also[{index}]", match) for index, match in enumerate(trigger.get("also", ()))),
    ]


def _published_match(match: EventMatch | StartingEvent) -> dict[str, Any]:
    return {"event": match.event, "where": dump_rule(match.where)}


def _published_goal(goal: Goal) -> dict[str, Any]:
    seconds = int(parse_duration(goal.within).total_seconds()) if goal.within else None
    return {**_published_match(goal), "within_seconds": seconds}
