"""``statemachines/pages.yaml``: what people choose on our pages, checked. Used by declaring."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored
from waypost.authoring.products import Link
from waypost.pages.texts import LANGUAGES
from waypost.tracking.declared_pages import TITLE_SHOWN

_NAME = r"^[a-z0-9]+([-_][a-z0-9]+)*$"
Name = Annotated[str, Field(pattern=_NAME, max_length=50)]
Property = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Wording(Authored):
    """A text in every language of our pages."""

    zh_cn: Annotated[Text, Field(alias="zh-CN")]
    en: Text

    def published(self) -> dict[str, str]:
        """The form the run time reads."""
        return {"zh-CN": self.zh_cn, "en": self.en}


class OptionEntry(Authored):
    """One answer of a question."""

    text: Wording
    group: Name | None = None


class QuestionEntry(Authored):
    """A single choice; ``attribute`` keeps the answer in the profile too."""

    name: Property
    text: Wording
    attribute: Property | None = None
    options: Annotated[dict[Name, OptionEntry], Field(min_length=2, max_length=12)]

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        options = [
            {"value": value, "text": each.text.published(), "group": each.group or ""}
            for value, each in self.options.items()
        ]
        return {
            "name": self.name,
            "text": self.text.published(),
            "attribute": self.attribute or "",
            "options": options,
        }


class SurveyEntry(Authored):
    """Questions on one page; ``titles`` are two or more to be compared in place of ``title``, a part of the contacts seeing each."""

    title: Wording | None = None
    titles: Annotated[dict[Name, Wording], Field(min_length=2, max_length=5)] | None = None
    thanks: Wording
    event: Property = "survey_answered"
    questions: Annotated[list[QuestionEntry], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _names_each_question_once(self) -> "SurveyEntry":
        names = [each.name for each in self.questions]
        if len(set(names)) < len(names) or {"survey", "message_key"} & set(names):
            raise ValueError("questions: each needs a name of its own, other than survey and message_key")
        if self.titles and TITLE_SHOWN in names:
            raise ValueError(f"questions: {TITLE_SHOWN} is taken by the titles that are compared")
        return self

    @model_validator(mode="after")
    def _has_one_title_or_several(self) -> "SurveyEntry":
        if (self.title is None) == (self.titles is None):
            raise ValueError("expected one of title, titles")
        return self

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        titles = {name: each.published() for name, each in (self.titles or {}).items()}
        return {
            "title": self.title.published() if self.title else next(iter(titles.values())),
            **({"titles": titles} if titles else {}),
            "thanks": self.thanks.published(),
            "event": self.event,
            "questions": [question.published() for question in self.questions],
        }


class LandingEntry(Authored):
    """A page with one way on."""

    title: Wording
    text: Wording
    button: Wording
    link: Link


class PagesFile(Authored):
    """``pages.yaml``. ``frequency`` are names of ``frequency_choices`` in sending.yaml; ``version`` names the texts people agree to."""

    version: Annotated[str, Field(min_length=1, max_length=50)]
    topics: Annotated[dict[Name, Wording], Field(max_length=20)] = Field(default_factory=dict)
    frequency: Annotated[dict[Name, Wording], Field(max_length=6)] = Field(default_factory=dict)
    surveys: dict[Name, SurveyEntry] = Field(default_factory=dict)
    landings: dict[Name, LandingEntry] = Field(default_factory=dict)


def pages(reader: FileReader) -> dict[str, Any]:
    """The section ``pages``."""
    file = reader.declared(reader.root / "pages.yaml", PagesFile)
    if file is None:
        return {}
    return {
        "version": file.version,
        "languages": list(LANGUAGES),
        "topics": {name: each.published() for name, each in file.topics.items()},
        "frequency": {name: each.published() for name, each in file.frequency.items()},
        "surveys": {name: each.published() for name, each in file.surveys.items()},
        "landings": {
            name: {
                "title": each.title.published(),
                "text": each.text.published(),
                "button": each.button.published(),
                "link": each.link,
            }
            for name, each in file.landings.items()
        },
    }
