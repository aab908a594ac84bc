"""What a journey passes to a Call task. Read by the checks of its definition."""

import re
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field

from waypost.authoring.destinations import Constant
from waypost.authoring.payloads import Fields, Occurrence, Payload
from waypost.authoring.problems import OrExpression
from waypost.authoring.rules import Name

MOST_FIELDS: Final = 50
MOST_ANSWERS: Final = 20
_FIELD: Final = re.compile(r"(attributes|trigger)\.[^.\s]+(\.[^.\s]+)*")
_PATH: Final = re.compile(r"[^.\s]+(\.[^.\s]+)*")


def _field(value: Any) -> Any:
    if isinstance(value, str) and not _FIELD.fullmatch(value):
        raise ValueError(f"expected attributes.<name>, trigger.<property> or {{constant: …}}, got {value!r}")
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        raise ValueError(f"expected a path such as result.score, got {value!r}")
    return value


MappedField = Annotated[str | Constant, AfterValidator(_field)]
AnswerPath = Annotated[str, Field(max_length=200), AfterValidator(_path)]


class CallWebhookPayload(Payload):
    """Call the ``destination``, which says ``called: true``, with mapped ``fields`` of the contact and ``data`` of the step.

    ``answer`` names what the journey takes of the answer's JSON, by path. ``upsert``: it is about the contact and no step, so that the
    same content reaches the receiver under the same id. ``occurrence`` counts the rounds of a loop.
    """

    result: ClassVar[Fields | None] = {"outcome": {}, "status": {}, "answer": None, "reason": {}}

    destination: Name
    fields: Annotated[dict[Name, MappedField] | None, Field(max_length=MOST_FIELDS)] = None
    data: Annotated[dict[Name, Any] | None, OrExpression] = None
    answer: Annotated[dict[Name, AnswerPath] | None, Field(max_length=MOST_ANSWERS)] = None
    upsert: bool = False
    occurrence: Occurrence | None = None
