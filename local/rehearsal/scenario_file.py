"""Scenario files: contacts, what they do at which time, and what must follow. Read by rehearsals, the demo and the tests."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from local.problems import LocalError
from waypost.authoring.channels import ChannelName
from waypost.authoring.problems import Problem, explain
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml
from waypost.durations import parse_duration
from waypost.products.together import MOST_IN_ORDER
from waypost.staff.human_task import TaskAnswer

_DAY = re.compile(r"day ([1-9][0-9]*)(?: +([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?)?")


def _moment(text: Any) -> Any:
    """Pydantic's view of a moment: ``day 3 10:30`` or an ISO 8601 instant with an offset."""
    if _DAY.fullmatch(text):
        return text
    try:
        has_offset = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        has_offset = False
    if not has_offset:
        raise ValueError(f"expected a moment such as 'day 3 10:30' or 2031-03-05T10:30:00+08:00, got {text!r}")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected an IANA time zone such as Asia/Shanghai, got {name!r}") from None
    return name


def _quoted(value: Any) -> Any:
    """A phone number without quotes is a number to YAML, which knows no + and no leading 0."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'expected text, got the number {value}; put it into quotes, such as "+{value}"')  # noqa: TRY004 - pydantic takes ValueError
    return value


def _span(text: str) -> str:
    parse_duration(text)
    return text


ReactionKind = Literal["opens", "clicks", "dismisses", "bounces", "complains"]
REACTIONS: Final[tuple[ReactionKind, ...]] = get_args(ReactionKind)

_DONE_AT_A_MOMENT: Final = ("event", "profile", "completes", "declines")

Moment = Annotated[str, AfterValidator(_moment)]
"""A time of a scenario: of the contact's day (day 1 is the local date of the file's ``start``), or absolute."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenarioContact(BaseModel):
    """Who it is about; every further field is an attribute of the contact."""

    model_config = ConfigDict(extra="allow", frozen=True)

    user_id: str
    email: str | None = None
    phone: Annotated[str | None, BeforeValidator(_quoted)] = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None

    def traits(self) -> dict[str, Any]:
        """What an identify call says about the contact."""
        return {
            name: value
            for name, value in self.model_dump(mode="json").items()
            if name != "user_id" and value is not None
        }


class Reaction(_Strict):
    """What the contact, or its mailbox, does with a message of the journey, which is named."""

    kind: ReactionKind
    message: str


class ScenarioEvent(_Strict):
    """Something the contact does: an ``event``, a change of its ``profile``, or one reaction to a message: ``opens: welcome``.

    It is done ``at`` a moment; a reaction may instead come so long ``after`` the message was sent. A member of staff ``completes`` or
    ``declines`` a task about the contact, which is named, with a ``note``: the first who has it, or the one that ``by`` names.
    """

    at: Moment | None = None
    after: Annotated[str, AfterValidator(_span)] | None = None
    event: str | None = None
    profile: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    opens: str | None = None
    clicks: str | None = None
    dismisses: str | None = None
    bounces: str | None = None
    complains: str | None = None
    completes: str | None = None
    declines: str | None = None
    note: str | None = None
    by: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_thing_at_one_time(self) -> Self:
        done = [name for name in (*_DONE_AT_A_MOMENT, *REACTIONS) if getattr(self, name) is not None]
        if len(done) != 1:
            found = f"got {' and '.join(done)}; write an entry for each" if done else "got none of them"
            raise ValueError(f"expected one of {', '.join((*_DONE_AT_A_MOMENT, *REACTIONS))}; {found}")
        at_a_moment = done[0] in _DONE_AT_A_MOMENT
        if at_a_moment and self.after is not None:
            raise ValueError(f"after counts from a message, for {', '.join(REACTIONS)}; write at: a moment")
        if (self.at is None) == (self.after is None):
            either = "at: a moment" if at_a_moment else "at: a moment, or after: 2h since it was sent"
            raise ValueError(f"expected {either}; got {'none' if self.at is None else 'both'}")
        if self.event is None and self.properties:
            raise ValueError(f"properties are of an event; {done[0]} has none")
        if self.note is not None and self.task_answer is None:
            raise ValueError(f"a note is of the answer to a task; {done[0]} has none")
        if self.by is not None and self.task_answer is None:
            raise ValueError(f"by is the member who answers a task; {done[0]} has none")
        return self

    @property
    def reaction(self) -> Reaction | None:
        """The reaction to a message, if it is one."""
        return next(
            (
                Reaction(kind=kind, message=message)
                for kind in REACTIONS
                if (message := getattr(self, kind)) is not None
            ),
            None,
        )

    @property
    def task_answer(self) -> tuple[str, TaskAnswer] | None:
        """The task that a member of staff answers, and how."""
        if self.completes is not None:
            return self.completes, "done"
        return (self.declines, "not_possible") if self.declines is not None else None

    @property
    def delay(self) -> timedelta | None:
        """How long after the message was sent it comes; None when it comes at a moment."""
        return parse_duration(self.after) if self.after is not None else None


class ExpectedMessage(_Strict):
    """A decision on a message; what is left out may be anything.

    Of a message that was handed over, ``subject`` is the whole subject, ``text`` is in the text that was read, or each of
    several is.
    """

    message: str
    channel: ChannelName | None = None
    at: Moment | None = None
    outcome: Literal["sent", "deferred", "skipped", "rejected", "unknown"] = "sent"
    reason: str | None = None
    subject: str | None = None
    text: str | list[str] | None = None

    @property
    def pieces(self) -> list[str]:
        """What must be in the text."""
        return [self.text] if isinstance(self.text, str) else self.text or []


class ExpectedNotice(ExpectedMessage):
    """A decision on a notice ``to`` a member of staff: of a message of the journey, ``task-assigned`` or ``task-overdue``."""

    to: str


class Expected(_Strict):
    """What must follow. ``messages`` are all decisions on messages of the journey in their order; a deferral may be left
    out. ``notices`` are all those on notices to staff, in the order in which each member gets theirs. ``ends`` is how the contact's
    last passage through the journey ended, ``none`` if there was none. ``trail`` are the states of the journey that were entered, in
    their order; those that neither send nor pause may be left out.
    """

    messages: list[ExpectedMessage] | None = None
    notices: list[ExpectedNotice] | None = None
    ends: Literal["completed", "goal", "exited", "failed", "stopped", "active", "none"] | None = None
    trail: list[str] | None = None


class DeclaredInvariant(_Strict):
    """What holds whatever contacts do: a message goes out ``at_most`` so often in a passage, or ``never_after`` an event of the contact."""

    message: str
    at_most: Annotated[int | None, Field(ge=0)] = None
    never_after: str | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.at_most is None) == (self.never_after is None):
            raise ValueError("expected one of at_most: 2, never_after: order_placed")
        return self


class Scenario(_Strict):
    """One contact and what it does; nothing at all where time alone starts the journey.

    ``draws`` and ``held_out`` say what the journey's random splits and its hold-out come to for this contact.
    """

    name: str
    contact: ScenarioContact
    draws: dict[str, str] = Field(default_factory=dict)
    held_out: bool | None = None
    events: list[ScenarioEvent] = Field(default_factory=list)
    expect: Expected = Expected()


class CountedOrder(_Strict):
    """Products that were ordered together so many ``times`` before the scenarios begin."""

    products: Annotated[list[str], Field(min_length=1, max_length=MOST_IN_ORDER)]
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class ScenarioFile(_Strict):
    """All stories of a file share one timeline, which begins at ``start`` and ends when nothing is left to come, or at
    ``until``. ``purchases`` are what the nightly count has found by then, for messages that recommend products. ``invariants`` hold in
    every event storm, beside those of every journey.
    """

    start: AwareDatetime
    until: AwareDatetime | None = None
    purchases: list[CountedOrder] = Field(default_factory=list)
    description: str = ""
    invariants: list[DeclaredInvariant] = Field(default_factory=list)
    scenarios: list[Scenario] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_different_people(self) -> Self:
        for what, values in {
            "name": [scenario.name for scenario in self.scenarios],
            "contact.user_id": [scenario.contact.user_id for scenario in self.scenarios],
        }.items():
            if repeated := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"scenarios: the {what} {repeated[0]!r} is there twice")
        return self

    def zone_of(self, scenario: Scenario, default: ZoneInfo) -> ZoneInfo:
        """The zone in which the scenario's days are counted."""
        return ZoneInfo(scenario.contact.timezone) if scenario.contact.timezone else default

    def begun_on(self, day: date) -> "ScenarioFile":
        """The same file on another timeline, which begins on ``day`` at the same time of day.

        Days of events and expectations move along; instants that are written out, and dates in attributes and properties, stay.
        """
        start = datetime.combine(day, self.start.timetz())
        until = None if self.until is None else self.until + (start - self.start)
        return self.model_copy(update={"start": start, "until": until})

    def instant(self, moment: str, zone: ZoneInfo) -> datetime:
        """A moment of a contact in ``zone`` as an instant."""
        given = _DAY.fullmatch(moment)
        if given is None:
            return datetime.fromisoformat(moment).astimezone(UTC)
        first: date = self.start.astimezone(zone).date()
        hour, minute, second = (int(part) for part in given.groups("0")[1:])
        clock = time(hour, minute, second)
        return datetime.combine(first + timedelta(days=int(given[1]) - 1), clock, tzinfo=zone).astimezone(UTC)


def read_scenarios(path: Path) -> ScenarioFile:
    """Read a scenario file. Raises LocalError that names the file, the field and the reason."""
    try:
        content = read_yaml(path)
        return ScenarioFile.model_validate(content)
    except FileNotFoundError as error:
        raise LocalError(f"{path} is missing", "docs/authoring.md shows what goes into it") from error
    except UnclearYamlError as error:
        raise LocalError(f"{path}: {error}", "docs/authoring.md shows the format") from error
    except ValidationError as error:
        found = [str(Problem(str(path), field, reason)) for field, reason in explain(error, content, ScenarioFile)]
        raise LocalError("\n".join(found), "docs/authoring.md shows the format") from error
