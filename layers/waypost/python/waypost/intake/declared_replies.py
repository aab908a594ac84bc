"""Which message answers an event at once, as ``statemachines/replies.yaml`` declares it. Used by AnswerAtOnce."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Self

from waypost.content.folding import fold
from waypost.events.envelope import Event
from waypost.published_sections import published_section

SECTION: Final = "replies"
FOLDER: Final = "replies"
"""The folder of the messages, and how their ids begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRule:
    """Events of the types ``to`` are answered by ``message``, if each property of ``when`` fits one of its patterns.

    A pattern is the whole value, or its beginning with ``*`` behind. With keywords, the text that somebody wrote is one of
    ``equals`` or has one of ``contains`` in it; keywords are in the spelling of ``content.folding``.
    """

    message: str
    to: frozenset[str]
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)
    equals: frozenset[str] = frozenset()
    contains: Sequence[str] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            message=value["message"],
            to=frozenset(value["to"]),
            when=value.get("when", {}),
            equals=frozenset(value.get("equals", ())),
            contains=value.get("contains", ()),
        )

    @property
    def has_keywords(self) -> bool:
        """Whether it looks at what somebody wrote."""
        return bool(self.equals or self.contains)

    def fits(self, event: Event, text: str) -> bool:
        """Whether it answers this event, whose folded text is ``text``."""
        return (
            event.type in self.to
            and (not self.has_keywords or text in self.equals or any(word in text for word in self.contains))
            and all(
                any(_fits(pattern, event.properties.get(name)) for pattern in patterns)
                for name, patterns in self.when.items()
            )
        )


@dataclass(frozen=True, slots=True)
class DeclaredReplies:
    """All rules, in the order in which they are asked."""

    rules: Sequence[ReplyRule] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one answers nothing."""
        return cls([ReplyRule.from_dict(each) for each in value.get("rules", ())])

    def message_for(self, event: Event) -> str:
        """The id of the message of the first rule that fits; "" when none does."""
        written = event.properties.get("text")
        text = fold(written) if isinstance(written, str) else ""
        return next((rule.message for rule in self.rules if rule.fits(event, text)), "")


def _fits(pattern: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


@cache
def load_replies() -> DeclaredReplies:
    """The replies of this deployment, from the journeys layer."""
    return DeclaredReplies.from_dict(published_section(SECTION))
