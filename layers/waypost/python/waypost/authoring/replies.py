"""What is answered at once: ``statemachines/replies.yaml``, and the messages in ``statemachines/replies/``. Used by discovery."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.channels import authored_channels
from waypost.authoring.problems import Authored, unknown
from waypost.contacts.channels import declared_channels
from waypost.intake.declared_replies import FOLDER

FILE: Final = "replies.yaml"
_PATTERN = r"^[^*]*\*?$"


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100, pattern=_PATTERN)]],
    BeforeValidator(_one_or_more),
    Field(min_length=1, max_length=100),
]


class ReplyEntry(Authored):
    """Events of a type are answered by the message of this folder, if the properties fit.

    A pattern is a whole value, or its beginning with ``*`` behind.
    """

    to: Annotated[list[str], BeforeValidator(_one_or_more), Field(min_length=1)]
    message: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=50)]
    when: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")], Texts], Field(max_length=5)] = Field(
        default_factory=dict
    )


class RepliesFile(Authored):
    """``replies.yaml``: of its rules the first one that fits is used."""

    replies: Annotated[list[ReplyEntry], Field(max_length=200)] = Field(default_factory=list)


def replies(reader: FileReader) -> dict[str, Any]:
    """The section ``replies``."""
    path = reader.root / FILE
    file = reader.declared(path, RepliesFile)
    if file is None:
        return {}
    known = {event for each in declared_channels().values() for event in each.answered_at_once}
    folders = [each.name for each in reader.folders(reader.root / FOLDER)]
    for index, rule in enumerate(file.replies):
        for event in rule.to:
            if event not in known:
                reader.add(path, f"replies[{index}].to", unknown(event, known, "is answered by nothing at once"))
        if rule.message not in folders:
            reader.add(path, f"replies[{index}].message", unknown(rule.message, folders, f"no folder in {FOLDER}/"))
    return {
        "rules": [
            {
                "to": sorted(set(rule.to)),
                "message": f"{FOLDER}/{rule.message}",
                **({"when": rule.when} if rule.when else {}),
            }
            for rule in file.replies
        ]
    }


def problem_of(message: Mapping[str, Any]) -> tuple[str, str] | None:
    """The field of ``message.yaml`` for which a message in ``replies/`` cannot answer at once, and why; None when it can.

    It comes without a consent and at any hour, because the person has just acted: so it is no marketing.
    """
    if message["kind"] != "transactional":
        return (
            "kind",
            f"should be transactional: what is answered at once asks for no consent, and {message['kind']} does",
        )
    if len(message["channels"]) > 1:
        return "channels", "should be the one on which the person acted"
    [channel] = message["channels"]
    reason = authored_channels()[channel].answers_at_once(message["variants"][channel])
    return (channel, reason) if reason else None
