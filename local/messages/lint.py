"""Everything there is to say of a message's files before they are published. Called by ``waypost message lint``."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from local.messages.message_folder import PlacedMessage
from local.messages.preview import NOBODY_IN_PARTICULAR, Previewer
from waypost.authoring.mailbox.checks import Level
from waypost.authoring.problems import Problem
from waypost.content.message import PublishedMessage

PUBLISHING: Final = "docs/authoring.md, Messages"
_LINE: Final = re.compile(r"\bline (\d+)\b")
_NAME: Final = re.compile(r"\b(?:contact|event|journey|links|message|products)(?:\.\w+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One point: in which ``file`` (and ``line``, where it is known), why, the way out and where the rule stands."""

    level: Level
    file: str
    line: int | None
    field: str
    reason: str
    way_out: str
    source: str


@dataclass(frozen=True, slots=True)
class Linted:
    """All findings of one message, errors first."""

    message: str
    findings: tuple[Finding, ...]

    @property
    def is_right(self) -> bool:
        """Whether it may be published: warnings do not hinder that."""
        return not any(each.level == "error" for each in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"message": self.message, "ok": self.is_right, "findings": [asdict(each) for each in self.findings]}


def lint_message(place: PlacedMessage, previewer: Previewer) -> Linted:
    """What publishing refuses; for a message that it takes, the mailbox providers' list for each language of its mail."""
    published, problems = place.read()
    if published is None:
        return Linted(place.id, tuple(_of_problem(each) for each in problems))
    return Linted(place.id, tuple(_of_mails(place, PublishedMessage.from_dict(published), previewer)))


def _of_problem(problem: Problem) -> Finding:
    reason, _, way_out = problem.reason.partition("; ")
    return Finding(
        level="error",
        file=problem.file,
        line=_line(problem),
        field=problem.field,
        reason=reason,
        way_out=way_out or _advice(problem),
        source=PUBLISHING,
    )


def _advice(problem: Problem) -> str:
    """What to do where the reason itself says what was expected."""
    if problem.reason.startswith("is missing"):
        return f"add {problem.field or Path(problem.file).name}"
    return f"correct {problem.field or 'the file'}: waypost message lint says when it is right"


def _line(problem: Problem) -> int | None:
    if line := _LINE.search(problem.reason):
        return int(line[1])
    try:
        text = Path(problem.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if problem.field and problem.file.endswith(".yaml"):
        return _line_of_field(text, problem.field)
    name = _NAME.search(problem.reason)
    if name is None:
        return None
    return next((number for number, line in enumerate(text.splitlines(), 1) if name[0] in line), None)


def _line_of_field(text: str, field: str) -> int | None:
    """The line of ``subject.zh-CN`` or ``channels[1]``, or of what is nearest around it."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    line: int | None = None
    for part in re.findall(r"[^.\[\]]+", field):
        match node:
            case yaml.MappingNode():
                pair = next((pair for pair in node.value if pair[0].value == part), None)
                if pair is None:
                    return line
                line, node = pair[0].start_mark.line + 1, pair[1]
            case yaml.SequenceNode() if part.isdigit() and int(part) < len(node.value):
                node = node.value[int(part)]
                line = node.start_mark.line + 1
            case _:
                return line
    return line


def _of_mails(place: PlacedMessage, message: PublishedMessage, previewer: Previewer) -> Iterator[Finding]:
    found: list[Finding] = []
    for channel in message.channels:
        for locale in sorted(message.variants[channel]):
            shown = previewer.shown(place, message, channel, NOBODY_IN_PARTICULAR, locale)
            file = next((str(each) for each in sorted(place.path.glob(f"{channel}.{locale}.*"))), str(place.path))
            if shown.refused:  # products that only a contact's event brings
                reason = f"cannot be shown for a contact of whom nothing is known: {shown.refused}"
                way_out = "look at it for a contact: waypost message preview --contact-file"
                found.append(
                    Finding(
                        level="warning",
                        file=file,
                        line=None,
                        field="",
                        reason=reason,
                        way_out=way_out,
                        source=PUBLISHING,
                    )
                )
            found += [
                Finding(
                    level=each.level,
                    file=file,
                    line=None,
                    field=each.rule,
                    reason=each.reason,
                    way_out=each.way_out,
                    source=each.source,
                )
                for each in shown.findings
            ]
    yield from sorted(found, key=lambda each: each.level != "error")
