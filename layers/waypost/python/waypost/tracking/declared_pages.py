"""What people can choose on our pages, as ``statemachines/pages.yaml`` declares it. Used by the pages and their services."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, Self

from waypost.journeys.draws import branch_of
from waypost.published_sections import published_section

SECTION: Final = "pages"
Wording = Mapping[str, str]
"""A text by language."""

TITLE_SHOWN: Final = "title_shown"
"""The property of a survey's events that names the title, where several are compared."""
_DRAWN_FOR: Final = "pages/surveys"
"""In the place of a journey's name, which has no stroke."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer; ``group`` is joined by who gives it, "" for none."""

    value: str
    text: Wording
    group: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A single choice. ``name`` is the property of the event, ``attribute`` where the answer is kept too, "" for nowhere."""

    name: str
    text: Wording
    options: tuple[Option, ...]
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """Questions on one page; ``event`` is what an answer makes.

    ``titles`` are compared: each contact sees one of them, ``title_shown`` by its name, as often as it comes.
    """

    name: str
    title: Wording
    thanks: Wording
    questions: tuple[Question, ...]
    event: str = "survey_answered"
    titles: Mapping[str, Wording] = field(default_factory=dict)
    title_shown: str = ""

    def shown_to(self, contact_id: str) -> "Survey":
        """The survey with the title that this contact sees, drawn as journeys draw their random branches."""
        if not self.titles:
            return self
        drawn = branch_of(contact_id, _DRAWN_FOR, self.name, dict.fromkeys(self.titles, 1.0))
        return replace(self, title=self.titles[drawn], title_shown=drawn)


@dataclass(frozen=True, slots=True)
class Landing:
    """A page of our own that a link may lead to: a title, a text, and one way on."""

    name: str
    title: Wording
    text: Wording
    button: Wording
    link: str


@dataclass(frozen=True, slots=True)
class DeclaredPages:
    """``topics`` and what they are called; ``frequency`` are the choices of ``frequency_choices`` in the sending policy, and what they are called; ``version`` names the texts."""

    version: str = ""
    topics: Mapping[str, Wording] = field(default_factory=dict)
    frequency: Mapping[str, Wording] = field(default_factory=dict)
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    landings: Mapping[str, Landing] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            version=value.get("version", ""),
            topics=value.get("topics", {}),
            frequency=value.get("frequency", {}),
            surveys={name: _survey(name, each) for name, each in value.get("surveys", {}).items()},
            landings={name: Landing(name=name, **each) for name, each in value.get("landings", {}).items()},
        )


def _survey(name: str, value: Mapping[str, Any]) -> Survey:
    questions = tuple(
        Question(
            each["name"], each["text"], tuple(Option(**option) for option in each["options"]), each.get("attribute", "")
        )
        for each in value["questions"]
    )
    return Survey(name, value["title"], value["thanks"], questions, value["event"], value.get("titles", {}))


def in_language(wording: Wording, language: str) -> str:
    """The text in this language, or else in any."""
    return wording.get(language) or next(iter(wording.values()), "")


@cache
def load_pages() -> DeclaredPages:
    """What this deployment declares, from the journeys layer."""
    return DeclaredPages.from_dict(published_section(SECTION))
