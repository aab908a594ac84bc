"""How long events are kept, ``statemachines/contacts/retention.yaml``, checked. Used by declaring, which publishes it."""

import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.events.message_events import MessageEvent
from waypost.events.names import snake_case
from waypost.events.retention import Retention

PATH: Final = "contacts/retention.yaml"
_SPAN: Final = re.compile(r"([0-9]{1,4})([dwy])")
_DAYS: Final = {"d": 1, "w": 7, "y": 366}
"""A year is 366 days: never shorter than a calendar year, whichever it is."""
_LONGEST_DAYS: Final = 36_600
_EVENT: Final = re.compile(r"[\w*]*\w[\w*]*")


def span_days(text: str) -> int:
    """``90d``, ``8w`` or ``7y`` in days. Raises ValueError."""
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    days = int(match[1]) * _DAYS[match[2]] if match else 0
    if not 0 < days <= _LONGEST_DAYS:
        raise ValueError(f"expected a span such as 90d, 8w or 7y (a hundred years at most), got {text!r}")
    return days


def _span(text: str) -> str:
    span_days(text)
    return text


def event_pattern(text: str) -> str:
    """Pydantic's view of an event type in which ``*`` may stand for any letters."""
    sample = text.replace("*", "x")
    if not _EVENT.fullmatch(text) or "**" in text or snake_case(sample) != sample:
        raise ValueError(f"expected an event type such as order_placed, or a pattern such as order_*, got {text!r}")
    return text


Span = Annotated[str, AfterValidator(_span)]
EventPattern = Annotated[str, AfterValidator(event_pattern)]


class RetentionClassRules(Authored):
    """One class: how long the table keeps its events, how long the archive does (if not as long), and which they are."""

    keep: Span
    archive: Span | None = None
    description: str | None = None
    events: list[EventPattern] = Field(default_factory=list)


ARRIVAL: Final[MessageEvent] = "message_delivered"
DONE_WITH_A_MESSAGE: Final[tuple[MessageEvent, ...]] = ("message_opened", "message_clicked", "message_complained")
"""What rules hold against the messages that arrived."""

SHORTEST_PASSAGE: Final = 400
"""Days: an event, a hop or a call that comes again must find the row that says it was done; nothing comes again that late."""


class PassageRules(Authored):
    """How long journeys that have ended and messages stay in the table, and then in the archive."""

    keep: Span
    archive: Span | None = None

    @model_validator(mode="after")
    def _is_long_enough(self) -> Self:
        if span_days(self.keep) < SHORTEST_PASSAGE:
            raise ValueError(
                f"keep: a message is sent at most once as long as its row is kept; {SHORTEST_PASSAGE}d at least"
            )
        return self


class RetentionRules(Authored):
    """The whole file."""

    default: str
    passages: PassageRules | None = None
    classes: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")], RetentionClassRules], Field(min_length=1)
    ]

    @model_validator(mode="after")
    def _is_clear(self) -> Self:
        if self.default not in self.classes:
            raise ValueError(f"default: {unknown(self.default, self.classes, 'unknown class')}")
        owners: dict[str, str] = {}
        for name, each in self.classes.items():
            for event in each.events:
                if event in owners:
                    raise ValueError(f"classes.{name}.events: {event!r} belongs to {owners[event]!r} already")
                owners[event] = name
        return self

    @model_validator(mode="after")
    def _readers_stay_readers(self) -> Self:
        kept = Retention.from_dict(self.published())
        delivered = kept.of(ARRIVAL)
        for kind in DONE_WITH_A_MESSAGE:
            if kept.of(kind).keep < delivered.keep:
                raise ValueError(
                    f"classes.{kept.of(kind).name}: {kind} is kept {kept.of(kind).keep.days}d, {ARRIVAL}"
                    f" {delivered.keep.days}d: who opened everything would soon look like who opened nothing; name"
                    f" {kind} under {delivered.name}.events"
                )
        return self

    def published(self) -> dict[str, Any]:
        """The form the run time reads; patterns that say most come first, so that the first match is the answer."""
        owners = {event: name for name, each in self.classes.items() for event in each.events}
        patterns = sorted(
            (event for event in owners if "*" in event), key=lambda event: (event.count("*") - len(event), event)
        )
        return {
            "default": self.default,
            "classes": {name: _days(each) for name, each in self.classes.items()},
            **({"passages": _days(self.passages)} if self.passages else {}),
            "types": {event: name for event, name in owners.items() if "*" not in event},
            "patterns": [[event, owners[event]] for event in patterns],
        }


def _days(each: RetentionClassRules | PassageRules) -> dict[str, int]:
    return {"keep_days": span_days(each.keep), "archive_days": span_days(each.archive or each.keep)}


def retention(reader: FileReader) -> dict[str, Any]:
    """The section ``retention``."""
    rules = reader.declared(reader.root / PATH, RetentionRules)
    return {} if rules is None else rules.published()
