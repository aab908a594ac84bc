"""What is answered at once: ``statemachines/replies.yaml``, and the messages in ``statemachines/replies/``. Used by discovery."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.channels import authored_channels
from waypost.authoring.problems import Authored, unknown
from waypost.contacts.channels import declared_channels
from waypost.content.folding import fold
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


def _folded(keyword: str) -> str:
    """Raises ValueError for a keyword of blanks alone."""
    if not (folded := fold(keyword)):
        raise ValueError("should have a letter or a digit")
    return folded


Keywords = Annotated[
    list[Annotated[str, Field(max_length=100), AfterValidator(_folded)]],
    BeforeValidator(_one_or_more),
    Field(max_length=100),
]


class ReplyEntry(Authored):
    """Events of a type are answered by the message of this folder, if the properties fit.

    A pattern is a whole value, or its beginning with ``*`` behind. With keywords, what somebody wrote is one of ``equals``
    or has one of ``contains`` in it, whatever the width, case and script (simplified or traditional) of its characters.
    """

    to: Annotated[list[str], BeforeValidator(_one_or_more), Field(min_length=1)]
    message: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=50)]
    when: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")], Texts], Field(max_length=5)] = Field(
        default_factory=dict
    )
    equals: Keywords = Field(default_factory=list)
    contains: Keywords = Field(default_factory=list)


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
    written = {event for each in declared_channels().values() for event in each.keyword_events}
    folders = [each.name for each in reader.folders(reader.root / FOLDER)]
    for index, rule in enumerate(file.replies):
        for event in rule.to:
            if event not in known:
                reader.add(path, f"replies[{index}].to", unknown(event, known, "is answered by nothing at once"))
            elif (rule.equals or rule.contains) and event not in written:
                of = "equals" if rule.equals else "contains"
                reader.add(path, f"replies[{index}].{of}", f"{event} brings no text; {', '.join(sorted(written))} does")
        if rule.message not in folders:
            reader.add(path, f"replies[{index}].message", unknown(rule.message, folders, f"no folder in {FOLDER}/"))
    return {
        "rules": [
            {
                "to": sorted(set(rule.to)),
                "message": f"{FOLDER}/{rule.message}",
                **({"when": rule.when} if rule.when else {}),
                **({"equals": sorted(set(rule.equals))} if rule.equals else {}),
                **({"contains": sorted(set(rule.contains))} if rule.contains else {}),
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


def answers_alone(message: Mapping[str, Any]) -> str:
    """The channel on which a message can do nothing but answer at once; "" when there is none."""
    found = (
        each for each in message["channels"] if not authored_channels()[each].answers_at_once(message["variants"][each])
    )
    return next(found, "")


def for_messages(
    reader: FileReader, section: Mapping[str, Any], messages: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The section with what each rule must ask for because of its message, such as the account that answers.

    Adds a problem for a rule whose event another channel brings, or which is never reached.
    """
    path, rules = reader.root / FILE, section.get("rules", ())
    complete: list[dict[str, Any]] = []
    for index, rule in enumerate(rules):
        message = messages.get(rule["message"].rpartition("/")[2])
        if message is None or problem_of(message) is not None:  # which is a problem already
            complete.append(rule)
            continue
        [channel] = message["channels"]
        if other := [event for event in rule["to"] if event not in declared_channels()[channel].answered_at_once]:
            reader.add(path, f"replies[{index}].message", f"goes out by {channel}, which does not bring {other[0]}")
        needed = {
            name: [value]
            for name, value in authored_channels()[channel].answers_only(message["variants"][channel]).items()
        }
        for name, [value] in needed.items():
            if rule.get("when", {}).get(name, [value]) != [value]:
                reader.add(path, f"replies[{index}].when.{name}", f"should be {value}, from which the message comes")
        when = {**rule.get("when", {}), **needed}
        complete.append({**rule, "when": when} if when else dict(rule))
        if (before := _hidden_by(complete[-1], complete[:-1])) is not None:
            reader.add(path, f"replies[{index}]", f"is never used: replies[{before}] answers all that it would")
    return {**section, "rules": complete} if rules else dict(section)


def _hidden_by(rule: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> int | None:
    """The rule before this one that fits whatever this one fits; None when there is none."""
    when = rule.get("when", {})
    for index, other in enumerate(earlier):
        asks = other.get("when", {})
        is_wider = {*rule["to"]} <= {*other["to"]} and all(when.get(name) == asks[name] for name in asks)
        if is_wider and (not _keywords(other) or (_keywords(rule) and _keywords(rule) <= _keywords(other))):
            return index
    return None


def _keywords(rule: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(way, keyword) for way in ("equals", "contains") for keyword in rule.get(way, ())}
