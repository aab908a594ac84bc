"""Everything that is planned of a journey on one sheet: its facts, picture, planning tables and messages. Used by page and gallery."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.planning_tables import (
    Table,
    channels_in_words,
    condition_table,
    flow_table,
    message_subject,
    readable,
)
from waypost.authoring.trigger_words import (
    entry_in_words,
    exits_in_words,
    goal_in_words,
    re_entry_in_words,
    target_in_words,
    trigger_in_words,
)
from waypost.contacts.channels import channel_named, declared_channels
from waypost.pages.rendering import render
from waypost.pages.texts import LANGUAGES, Texts, gettext_noop, texts
from waypost.reports.journey_page import drawings
from waypost.reports.step_words import span_in_words

_UNREAD: Final = frozenset({"html", "subject", "title", "kind", "url", "link"})
"""Fields of a message that are no text of it, or its title."""
_KINDS: Final = {"marketing": gettext_noop("marketing"), "transactional": gettext_noop("transactional")}


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetMessage:
    """A message: its kind and channels in words, its subject if it has one, and by the name of a channel the text that is read."""

    name: str
    about: str
    title: str
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A journey in one language. ``facts`` are labels with their values; the tables leave out what the facts say."""

    journey: str
    scenario: str
    description: str
    facts: tuple[tuple[str, str], ...]
    flow: Table
    conditions: Table
    messages: tuple[SheetMessage, ...]


def sheet(journey: JourneyFolder, words: Texts) -> Sheet:
    """The sheet of a journey."""
    manifest = journey.manifest
    shown = manifest.in_language(words.language)
    return Sheet(
        journey=journey.name,
        scenario=shown.scenario or "",
        description=" ".join((shown.description or "").split()),
        facts=tuple((label, value) for label, value in _facts(journey, words) if value),
        flow=_without(flow_table([journey], words), 0, 1, 9, 10, 11),
        conditions=_without(condition_table([journey], words), 0),
        messages=tuple(_message(name, message, words) for name, message in sorted(journey.messages.items())),
    )


def sheet_page(journey: JourneyFolder, *, language: str) -> str:
    """The sheet as a page, in all languages, in ``language`` first."""
    return render(
        "journey_sheet",
        language=language,
        journey=journey.name,
        translations=[_translated(journey, texts(each)) for each in LANGUAGES],
    )


def _translated(journey: JourneyFolder, words: Texts) -> dict[str, Any]:
    shown = sheet(journey, words)
    return {
        "language": words.language,
        "gettext": words.gettext,
        "sheet": {
            "scenario": shown.scenario,
            "description": shown.description,
            "facts": [{"label": label, "value": value} for label, value in shown.facts],
            "tables": [
                {"title": each.title, "columns": each.columns, "rows": each.rows}
                for each in (shown.flow, shown.conditions)
            ],
            "messages": [
                {
                    "name": each.name,
                    "about": each.about,
                    "title": each.title,
                    "texts": [{"channel": channel, "text": text} for channel, text in each.texts],
                }
                for each in shown.messages
            ],
        },
        "pictures": drawings(journey.graph, words, description=shown.description),
    }


def _facts(journey: JourneyFolder, words: Texts) -> Iterator[tuple[str, str]]:
    manifest = journey.manifest
    yield words.gettext("starts with"), trigger_in_words(manifest, words)
    yield words.gettext("for whom"), entry_in_words(manifest, words) or words.gettext("everybody")
    yield words.gettext("how often"), re_entry_in_words(manifest, words)
    yield words.gettext("goal"), goal_in_words(manifest, words)
    yield words.gettext("early end"), "; ".join(exits_in_words(manifest, words))
    yield words.gettext("target"), target_in_words(manifest)
    yield (
        words.gettext("finished within"),
        span_in_words(manifest.finishes_within, words) if manifest.finishes_within else "",
    )
    yield words.gettext("owning team"), manifest.owner
    yield words.gettext("department"), manifest.department or ""
    yield words.gettext("responsible"), manifest.responsible.default if manifest.responsible else ""


def _message(name: str, message: Mapping[str, Any], words: Texts) -> SheetMessage:
    found = []
    for channel, variants in message["variants"].items():
        variant: Mapping[str, str] = variants.get(words.language) or next(iter(variants.values()), {})
        text = "\n".join(readable(value) for field, value in variant.items() if field not in _UNREAD and value.strip())
        found.append((declared_channels()[channel_named(channel)].names[words.language], text))
    kind = words.gettext(_KINDS[message["kind"]])
    return SheetMessage(
        name=name,
        about=f"{channels_in_words(message, words)} · {kind} · {message['topic']}",
        title=message_subject(message, words.language),
        texts=tuple(found),
    )


def _without(table: Table, *columns: int) -> Table:
    def kept(row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cell for index, cell in enumerate(row) if index not in columns)

    return table._replace(columns=kept(table.columns), rows=[kept(row) for row in table.rows])
