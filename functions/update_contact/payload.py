"""What a journey passes to an Update task. Read by the checks of its definition."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name


def _one_name(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty")
    return value


Tag = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_one_name)]
Points = Annotated[int, Field(ge=1, le=1_000_000), OrExpression]
Names = Annotated[list[Tag], Field(min_length=1), OrExpression]

_ELSEWHERE: Final[Mapping[str, str]] = {
    "tags": "add_tags", "remove_tags": "remove_tags", "groups": "join_groups", "leave_groups": "leave_groups",
}  # fmt: skip
"""Names that ``set`` cannot have, because an event's profile means something else by them, and what is meant instead."""


class UpdateContactPayload(Payload):
    """Change the contact: tags, attributes, groups, points, or its stage in the life cycle."""

    result: ClassVar[Fields | None] = {"changed": {}}

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
