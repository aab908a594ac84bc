"""What a journey passes to a Split task. Read by the checks of its definition."""

from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from waypost.authoring.payloads import Fields, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name, Rule


class EvaluateSegmentPayload(Payload):
    """Ask whether the contact is in a saved ``segment``, or in the one that ``rule`` describes; ``explain`` says why too."""

    result: ClassVar[Fields | None] = {"member": {}, "explanation": None}

    rule: Annotated[Rule, OrExpression] | None = None
    segment: Name | None = None
    explain: bool = False

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if len(self.model_fields_set & {"rule", "segment"}) != 1:
            raise ValueError("expected one of rule: {…} or segment: vip-members")
        return self
