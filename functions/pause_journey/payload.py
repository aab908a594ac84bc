"""What a journey passes to a Pause task. Read by the checks of its definition."""

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import Authored, OrExpression
from waypost.authoring.rules import EventType, Name, PropertyName, Rule, Where, dump_rule
from waypost.authoring.tasks import LONGEST_WAIT
from waypost.durations import parse_duration
from waypost.policies.policy_form import LocalTime
from waypost.segments.dependencies import reads_past


def _span(text: str) -> str:
    if parse_duration(text).total_seconds() > LONGEST_WAIT:
        raise ValueError(f"expected at most 364d, got {text!r}")
    return text


def _as_span(value: Any) -> Any:
    """A number, which YAML reads where an author forgot the unit, fails as the text it was."""
    return _span(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


Span = Annotated[str, BeforeValidator(_as_span), AfterValidator(_span), OrExpression]


_DAYS: Final = ("day", "workday", "date", "property", "anniversary", "days_later")


class Until(Authored):
    """A time in the contact's zone: of a journey day, so many days later, of the next workday, relative to a date, or the next such time.

    ``date`` is an attribute of the contact, ``property`` one of the event that started the journey; each may be a date or
    an instant. ``anniversary`` is a date attribute of which the day and month count.
    """

    at: Annotated[LocalTime, OrExpression] | None = None
    day: Annotated[int, Field(ge=1, le=364), OrExpression] | None = None
    days_later: Annotated[int, Field(ge=1, le=364), OrExpression] | None = None
    workday: Literal["next"] | None = None
    date: Name | None = None
    property: PropertyName | None = None
    anniversary: Name | None = None
    days: Annotated[int, Field(ge=-364, le=364), OrExpression] | None = None
    hours: Annotated[int, Field(ge=-8736, le=8736), OrExpression] | None = None
    minutes: Annotated[int, Field(ge=-524_160, le=524_160), OrExpression] | None = None

    @model_validator(mode="after")
    def _names_one_day(self) -> Self:
        given = self.model_fields_set
        if len(given.intersection(_DAYS)) > 1:
            raise ValueError(f"expected only one of {', '.join(_DAYS)}")
        if "days" in given and not given & {"date", "property", "anniversary"}:
            raise ValueError(
                "'days' counts from a 'date', a 'property' or an 'anniversary'; for the n-th day of the journey write 'day'"
            )
        exact = given & {"hours", "minutes"}
        if exact and not given & {"date", "property"}:
            raise ValueError(f"{min(exact)!r} counts from a 'date' or a 'property'; after so long write for: 2h")
        if exact and "at" in given:
            raise ValueError(
                f"{min(exact)!r} counts from the very instant, 'at' names a time of day: write one of them"
            )
        if "at" not in given and not given & {"date", "property"}:
            raise ValueError('expected a time of day, such as at: "10:00"')
        return self


class PauseEvent(Authored):
    """The event that ends a pause early."""

    event: EventType
    where: Where | None = None

    @field_validator("where")
    @classmethod
    def _looks_at_the_event(cls, where: Rule | None) -> Rule | None:
        if reads_past(dump_rule(where)):
            raise ValueError("looks at the event at hand; ask about earlier events with EvaluateSegment")
        return where


class PauseJourneyPayload(Payload):
    """Wait ``for`` a time or ``until`` one, ``or`` for an event, whichever is first."""

    result: ClassVar[Fields | None] = {
        "outcome": {},
        "event": {"id": {}, "type": {}, "occurred_at": {}, "properties": None},
    }

    for_: Span | None = Field(None, alias="for")
    until: Annotated[Until, OrExpression] | None = None
    or_: Annotated[PauseEvent, OrExpression] | None = Field(None, alias="or")
    occurrence: Occurrence | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if len(self.model_fields_set & {"for_", "until"}) != 1:
            raise ValueError('expected one of for: "2d" or until: {day: 3, at: "10:00"}')
        return self
