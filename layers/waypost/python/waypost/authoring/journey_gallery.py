"""The gallery of journeys: an index and a page with picture for each, as Markdown and SVG. Written by ``waypost journey gallery``.

It is made of the folders alone; a test fails while the files of this repository are not as they would be written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.journey_sheet import Sheet, sheet
from waypost.authoring.planning_tables import Table
from waypost.pages.texts import DEFAULT, LANGUAGES, Texts, texts
from waypost.reports.journey_page import drawing

COMMAND: Final = "waypost journey gallery"
_INDEX: Final = "README"


def gallery(journeys: Iterable[JourneyFolder]) -> dict[str, str]:
    """File name → content, in every language of the pages."""
    found: dict[str, str] = {}
    ordered = sorted(journeys, key=lambda each: each.name)
    for language in LANGUAGES:
        words = texts(language)
        sheets = [sheet(each, words) for each in ordered]
        found[_page(_INDEX, language)] = "".join(_index(sheets, words))
        for journey, shown in zip(ordered, sheets, strict=True):
            found[_page(journey.name, language)] = "".join(_journey(shown, words))
            found[_picture(journey.name, language)] = drawing(journey.graph, words, description=shown.description)
    return found


def _page(name: str, language: str) -> str:
    return f"{name}.md" if language == DEFAULT else f"{name}.{language}.md"


def _picture(name: str, language: str) -> str:
    return f"{name}.{language}.svg"


def _index(sheets: Sequence[Sheet], words: Texts) -> Iterator[str]:
    title = words.gettext("Journeys")
    yield f"{_languages(_INDEX, words)}\n\n# {title}\n\n"
    yield (
        words.gettext("Every journey of this project, made from its files with `{command}`.", command=COMMAND) + "\n\n"
    )
    columns = (
        words.gettext("journey"),
        words.gettext("scenario"),
        words.gettext("starts with"),
        words.gettext("what it does"),
    )
    rows = [
        (
            f"[{each.journey}]({_page(each.journey, words.language)})",
            _cell(each.scenario),
            _cell(each.facts[0][1]),
            _cell(each.description),
        )
        for each in sheets
    ]
    yield _table(columns, rows)


def _journey(shown: Sheet, words: Texts) -> Iterator[str]:
    title, messages = words.gettext("All journeys"), words.gettext("Messages")
    index = f"[{title}]({_page(_INDEX, words.language)})"
    yield f"{_languages(shown.journey, words)} · {index}\n\n# {shown.journey}\n\n**{_text(shown.scenario)}**\n\n{_text(shown.description)}\n\n"
    yield _table(("", ""), [(label, _cell(value)) for label, value in shown.facts])
    yield f"\n![{_text(shown.scenario)}]({_picture(shown.journey, words.language)})\n"
    for table in (shown.flow, shown.conditions):
        yield f"\n## {table.title}\n\n{_cells(table)}"
    if shown.messages:
        yield f"\n## {messages}\n"
    for message in shown.messages:
        yield f"\n### {message.name}\n\n{_text(message.about)}\n"
        if message.title:
            yield f"\n**{_text(message.title)}**\n"
        for channel, text in message.texts:
            yield f"\n<details><summary>{channel}</summary>\n\n{_block(text)}\n</details>\n"


def _languages(name: str, words: Texts) -> str:
    """A link to the same page in each other language."""
    return " · ".join(
        own if language == words.language else f"[{own}]({_page(name, language)})"
        for language, own in LANGUAGES.items()
    )


def _cells(table: Table) -> str:
    return _table(table.columns, [tuple(_cell(cell) for cell in row) for row in table.rows])


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return _text(" ".join(text.split())).replace("|", "\\|")


_SIGNS: Final[Mapping[str, str]] = {sign: f"\\{sign}" for sign in "\\`*_[]<>#"}
"""What Markdown would read as its own, each as it is written instead."""


def _text(text: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def _block(text: str) -> str:
    """A text as it is, in a fence longer than any inside it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}\n"
