"""How a task of journeys names members of staff, as a Pydantic model to build on. Used by ``functions/<task>/payload.py``."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from waypost.authoring.payloads import Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name
from waypost.journeys.tasks.staff_targets import MOST_REACHED, Target

Text = Annotated[str, Field(min_length=1, max_length=80), OrExpression]


class StaffTargetPayload(Payload):
    """Exactly one of ``to``, ``member``, ``department`` and ``queue``; ``otherwise`` is the queue for when that is nobody."""

    to: Target | None = None
    member: Text | None = None
    department: Text | None = None
    queue: Text | None = None
    otherwise: Text | None = None
    linked_by: Name | None = None
    levels: Annotated[int, Field(ge=1, le=MOST_REACHED)] | None = None

    @model_validator(mode="after")
    def _names_one_target(self) -> Self:
        targets = ("to", "member", "department", "queue")
        if sum(getattr(self, each) is not None for each in targets) != 1:
            raise ValueError(f"expected exactly one of {', '.join(targets)}")
        if self.levels is not None and self.to != "managers":
            raise ValueError("'levels' goes with 'to: managers' only")
        return self
