"""The tasks a journey's definition may call: their payloads, checked, and what the synth adds to each.

Used by the definition's checks. The functions themselves read the same payloads as plain JSON: they come from here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from waypost.authoring.problems import Authored, OrExpression
from waypost.authoring.rules import EventType, Name, Rule, Where, dump_rule
from waypost.authoring.sending_policy import LocalTime
from waypost.durations import parse_duration
from waypost.segments.dependencies import reads_past

INVOKE: Final = "arn:aws:states:::lambda:invoke"
INVOKE_AND_WAIT: Final = "arn:aws:states:::lambda:invoke.waitForTaskToken"

TRANSIENT_ERRORS: Final = (
    "ConcurrentUpdate",
    "TemporarilyUnavailable",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
)
"""What may go away by itself. Source: Step Functions Developer Guide, "Handle transient Lambda service exceptions"; a
function that ran out of time or was killed reports the last two or Lambda.Unknown, depending on its runtime."""

_ONE_MINUTE: Final = 60
_A_YEAR_MINUS_A_DAY: Final = 364 * 24 * 60 * 60
"""An execution may last a year; a Pause must end before it does, so that the journey fails with a name."""


def _context(value: str) -> str:
    if not re.fullmatch(r"\{%\s*\$states\.context\s*%\}", value):
        raise ValueError(f'expected "{{% $states.context %}}", got {value!r}')
    return value


def _one_name(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty")
    return value


def _span(text: str) -> str:
    if parse_duration(text).total_seconds() > _A_YEAR_MINUS_A_DAY:
        raise ValueError(f"expected at most 364d, got {text!r}")
    return text


Occurrence = Annotated[int, Field(ge=1), OrExpression]
Span = Annotated[str, AfterValidator(_span), OrExpression]
Tag = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_one_name)]


class Payload(Authored):
    """What every task passes: where in which journey it is called from."""

    context: Annotated[str, AfterValidator(_context)]


class SendMessagePayload(Payload):
    """Send a message of this journey. ``channel`` forces one; ``occurrence`` counts the rounds of a loop."""

    message: Name
    channel: Annotated[Literal["email", "sms"] | None, OrExpression] = None
    occurrence: Occurrence | None = None


class Until(Authored):
    """A local time in the contact's zone: of a journey day, of the next workday, relative to a date, or the next such time."""

    at: Annotated[LocalTime, OrExpression]
    day: Annotated[int, Field(ge=1, le=364), OrExpression] | None = None
    workday: Literal["next"] | None = None
    date: Name | None = None
    days: Annotated[int, Field(ge=-364, le=364), OrExpression] | None = None

    @model_validator(mode="after")
    def _names_one_day(self) -> Self:
        given = self.model_fields_set
        if len(given & {"day", "workday", "date"}) > 1:
            raise ValueError("expected only one of day, workday, date")
        if "days" in given and "date" not in given:
            raise ValueError("'days' counts from a 'date'; for the n-th day of the journey write 'day'")
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

    for_: Span | None = Field(None, alias="for")
    until: Annotated[Until, OrExpression] | None = None
    or_: Annotated[PauseEvent, OrExpression] | None = Field(None, alias="or")
    occurrence: Occurrence | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if len(self.model_fields_set & {"for_", "until"}) != 1:
            raise ValueError('expected one of for: "2d" or until: {day: 3, at: "10:00"}')
        return self


Points = Annotated[int, Field(ge=1, le=1_000_000), OrExpression]
Names = Annotated[list[Tag], Field(min_length=1), OrExpression]

_ELSEWHERE: Final[Mapping[str, str]] = {
    "tags": "add_tags", "remove_tags": "remove_tags", "groups": "join_groups", "leave_groups": "leave_groups",
}  # fmt: skip
"""Names that ``set`` cannot have, because an event's profile means something else by them, and what is meant instead."""


class UpdateContactPayload(Payload):
    """Change the contact: tags, attributes, groups, points, or its stage in the life cycle."""

    add_tags: Names | None = None
    remove_tags: Names | None = None
    set: Annotated[dict[Name, Any], Field(min_length=1), OrExpression] | None = None
    join_groups: Names | None = None
    leave_groups: Names | None = None
    earn_points: Points | None = None
    spend_points: Points | None = None
    lifecycle: Annotated[Name, OrExpression] | None = None
    occurrence: Occurrence | None = None

    @field_validator("set")
    @classmethod
    def _sets_attributes(cls, given: Any) -> Any:
        for name in given if isinstance(given, dict) else ():
            if name in _ELSEWHERE:
                raise ValueError(f"{name!r} is no attribute; write {_ELSEWHERE[name]} beside 'set'")
            if name == "consent":
                raise ValueError("'consent' is no attribute; a contact gives and withdraws it by an event of its own")
        return given

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        changes = [name for name in type(self).model_fields if name not in {"context", "occurrence"}]
        if not self.model_fields_set.intersection(changes):
            raise ValueError(f"expected at least one of {', '.join(changes)}")
        return self


class EvaluateSegmentPayload(Payload):
    """Ask whether the contact is in a saved ``segment``, or in the one that ``rule`` describes; ``explain`` says why too."""

    rule: Annotated[Rule, OrExpression] | None = None
    segment: Name | None = None
    explain: bool = False

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if len(self.model_fields_set & {"rule", "segment"}) != 1:
            raise ValueError("expected one of rule: {…} or segment: vip-members")
        return self


@dataclass(frozen=True, slots=True)
class Task:
    """A task a definition may call: its payload and what the synth adds to a state that does not say otherwise."""

    payload: type[Payload]
    resource: str
    timeout_seconds: int
    retried_errors: tuple[str, ...]

    def retry(self) -> list[dict[str, Any]]:
        """The standard ``Retry``: about four minutes, spread out so that many journeys do not come back at once."""
        return [
            {
                "ErrorEquals": list(self.retried_errors),
                "IntervalSeconds": 2,
                "MaxAttempts": 6,
                "BackoffRate": 2.5,
                "MaxDelaySeconds": 120,
                "JitterStrategy": "FULL",
            }
        ]


def _quick(payload: type[Payload]) -> Task:
    return Task(payload, INVOKE, _ONE_MINUTE, (*TRANSIENT_ERRORS, "States.Timeout"))


TASKS: Final[Mapping[str, Task]] = {
    "SendMessage": _quick(SendMessagePayload),
    "PauseJourney": Task(PauseJourneyPayload, INVOKE_AND_WAIT, _A_YEAR_MINUS_A_DAY, TRANSIENT_ERRORS),
    "UpdateContact": _quick(UpdateContactPayload),
    "EvaluateSegment": _quick(EvaluateSegmentPayload),
}
"""By placeholder: ``${SendMessage}`` in a definition is the ARN of the function of this name."""
