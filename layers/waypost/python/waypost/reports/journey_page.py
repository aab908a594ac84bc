"""Pages that show a journey: one contact's way through it, or the counts of a rehearsal. Used by show_contact and commands.

A page is one file in all languages; of each picture it holds a wide form for screens and a narrow one for phones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel, declared_channels
from waypost.contacts.zones import zone_of
from waypost.journeys.enrolment import Enrolment
from waypost.pages.graph_drawing import NARROW, WIDE, Format, Picture, draw
from waypost.pages.rendering import drawing_style, markup, render
from waypost.pages.texts import LANGUAGES, Texts, gettext_noop, texts
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_graph import JourneyGraph
from waypost.reports.journey_path import JourneyPath, Visit, path_of
from waypost.reports.journey_picture import local, message_outcome, plain, way_label, with_counts, with_path
from waypost.reports.timeline import ContactItems, rows_of

MOST_PASSAGES: Final = 8
"""Passages drawn in a page, the latest ones."""

ENDED: Final = {
    "completed": gettext_noop("The contact went through to the end on {at}."),
    "goal": gettext_noop("The contact reached the goal on {at}."),
    "exited": gettext_noop("The contact left early on {at}."),
    "failed": gettext_noop("The journey failed for this contact on {at}."),
}
FINISHED: Final = {
    "active": gettext_noop("still on the way"),
    "completed": gettext_noop("went through to the end"),
    "goal": gettext_noop("reached the goal"),
    "exited": gettext_noop("left early"),
    "failed": gettext_noop("failed"),
}

Graphs = Callable[[str], JourneyGraph | None]


@dataclass(frozen=True, slots=True)
class _Passage:
    enrolment: Enrolment
    graph: JourneyGraph | None
    path: JourneyPath


def contact_page(
    contact_id: str,
    items: ContactItems,
    *,
    graphs: Graphs,
    default_zone: ZoneInfo,
    now: datetime,
    language: str,
    journey: str = "",
) -> str | None:
    """The page of a contact's passages, the latest first, or of those of one ``journey``; None for an unknown contact.

    ``graphs`` finds the graph of a journey. The page names the contact by its id alone.
    """
    contact, rows = rows_of(contact_id, items)
    if contact is None:
        return None
    zone = zone_of(contact, default_zone)
    found = [Enrolment.from_dict(row) for row in rows if str(row["sk"]).startswith("enrolment#")]
    chosen = sorted((each for each in found if journey in {"", each.journey}), key=lambda each: each.enrolled_at)
    passages = [_passage(each, graphs(each.journey), rows) for each in reversed(chosen[-MOST_PASSAGES:])]
    return render(
        "contact_journeys",
        language=language,
        contact_id=contact.contact_id,
        zone=zone.key,
        translations=[
            {
                "language": each,
                "gettext": texts(each).gettext,
                "at": local(now, zone, texts(each)),
                "passages": [
                    _shown(number, passage, zone, texts(each)) for number, passage in enumerate(passages, start=1)
                ],
            }
            for each in LANGUAGES
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A message of a step as its first reader got it, and how many got one; ``link`` leads to the mail itself, if there is one."""

    step: str
    name: str
    channel: Channel
    count: int
    subject: str
    text: str
    link: str = ""


def counts_page(
    graph: JourneyGraph,
    counts: JourneyCounts,
    *,
    contacts: int,
    begun: datetime,
    language: str,
    messages: Sequence[ShownMessage] = (),
) -> str:
    """The page of a journey with the number of contacts on each way, of a rehearsal of ``contacts`` that began then.

    Beside each step that sends stands its message.
    """
    return render(
        "journey_counts",
        language=language,
        journey=graph.journey,
        description=graph.description,
        translations=[
            _counted(graph, counts, contacts, begun, texts(each)) | {"messages": _messages(messages, texts(each))}
            for each in LANGUAGES
        ],
    )


def drawing(graph: JourneyGraph, words: Texts, form: Format = WIDE, *, description: str = "") -> str:
    """The graph alone, as an SVG file; ``description`` in the language of the words, else that of the graph."""
    return draw(
        plain(graph, words),
        form=form,
        name="journey",
        title=words.gettext("Journey {journey}", journey=graph.journey),
        description=description or graph.description,
        style=drawing_style(),
    )


def drawings(graph: JourneyGraph, words: Texts, *, description: str) -> list[dict[str, Any]]:
    """The graph alone, for a page: wide for screens and narrow for phones."""
    title = words.gettext("Journey {journey}", journey=graph.journey)
    return _pictures(plain(graph, words), name=f"journey-{words.language}", title=title, description=description)


def _passage(enrolment: Enrolment, graph: JourneyGraph | None, rows: Sequence[Mapping[str, Any]]) -> _Passage:
    nothing = JourneyPath(visits=(), steps=frozenset(), ways=frozenset())
    path = nothing if graph is None else path_of(graph, enrolment, rows)
    return _Passage(enrolment, graph, path)


def _shown(number: int, passage: _Passage, zone: ZoneInfo, words: Texts) -> dict[str, Any]:
    enrolment, graph = passage.enrolment, passage.graph
    status = _status(enrolment, zone, words)
    title = words.gettext("Way through the journey {journey}", journey=enrolment.journey)
    name = f"way-{number}-{words.language}"
    picture = with_path(graph, passage.path, enrolment, zone, words) if graph else None
    return {
        "journey": enrolment.journey,
        "version": enrolment.version,
        "is_other_version": graph is not None and graph.version != enrolment.version,
        "status": status,
        "is_failed": enrolment.outcome == "failed",
        "entered": _entered(enrolment, zone, words),
        "pictures": _pictures(picture, name=name, title=title, description=status) if picture else [],
        "visits": [_visit(visit, zone, words) for visit in passage.path.visits],
    }


def _entered(enrolment: Enrolment, zone: ZoneInfo, words: Texts) -> str:
    """When it began, the branches of its random splits, and whether the contact is in the hold-out or tries the journey."""
    sentences = [words.gettext("Entered on {at}.", at=local(enrolment.enrolled_at, zone, words))]
    if enrolment.splits:
        drawn = ", ".join(f"{split}: {branch}" for split, branch in sorted(enrolment.splits.items()))
        sentences.append(words.gettext("Random branches: {drawn}.", drawn=drawn))
    if enrolment.held_out:
        sentences.append(words.gettext("The contact is in the hold-out and gets no marketing of this journey."))
    if enrolment.shortened:
        pace = str(enrolment.shortened.pace)
        sentences.append(words.gettext("A test contact lives it {pace} times faster than the clock.", pace=pace))
    return " ".join(sentences)


def _pictures(picture: Picture, *, name: str, title: str, description: str) -> list[dict[str, Any]]:
    return [
        {
            "form": form.name,
            "svg": markup(draw(picture, form=form, name=f"{name}-{form.name}", title=title, description=description)),
        }
        for form in (WIDE, NARROW)
    ]


def _status(enrolment: Enrolment, zone: ZoneInfo, words: Texts) -> str:
    """Where the contact stands, or how the journey ended and why, in a sentence."""
    if enrolment.status == "ended":
        outcome = enrolment.outcome or "completed"
        ended = words.gettext(ENDED[outcome], at=local(enrolment.ended_at or enrolment.due_at, zone, words))
        if enrolment.failure:
            failure = enrolment.failure
            cause = ": ".join(part for part in (failure.error, failure.cause) if part)
            where = words.gettext("At “{step}”: {cause}", step=failure.state, cause=cause) if failure.state else cause
            return f"{ended} {where}"
        if enrolment.left_on:
            return f"{ended} " + words.gettext("It was because of {event}.", event=enrolment.left_on.type)
        return ended
    pause = enrolment.pause
    if enrolment.position == "parked" and pause is not None:
        until = local(pause.due_at, zone, words)
        if pause.waits_for:
            return words.gettext(
                "The contact waits at “{step}” until {until}, or until {event}.",
                step=pause.state,
                until=until,
                event=pause.waits_for["event"],
            )
        return words.gettext("The contact waits at “{step}” until {until}.", step=pause.state, until=until)
    return words.gettext("The contact is on its way to the next step.")


def _visit(visit: Visit, zone: ZoneInfo, words: Texts) -> dict[str, str]:
    """A line of the list of visits."""
    detail = ""
    match visit.kind:
        case "message":
            detail = f"{message_outcome(visit, zone, words)} · {visit.reason}"
        case "pause":
            until = local(visit.until, zone, words) if visit.until else ""
            detail = words.gettext("until {until}", until=until)
            if visit.awaited:
                detail += " " + words.gettext("or {event}", event=visit.awaited)
            if visit.ended_at == visit.at:
                detail = words.gettext("over at once")
            elif visit.ended_at:
                detail += " → " + local(visit.ended_at, zone, words)
        case "update":
            detail = words.gettext("updated")
        case _:
            assert_never(visit.kind)
    return {"at": local(visit.at, zone, words), "step": visit.step, "detail": detail}


def _messages(messages: Sequence[ShownMessage], words: Texts) -> list[dict[str, str]]:
    return [
        {
            "step": each.step,
            "sent": _sent(each, words),
            "subject": each.subject,
            "text": each.text.strip(),
            "link": each.link,
        }
        for each in messages
    ]


def _sent(message: ShownMessage, words: Texts) -> str:
    channel, count = declared_channels()[message.channel].names[words.language], f"{message.count:,}"
    return words.gettext("{message}, by {channel}: {count} sent", message=message.name, channel=channel, count=count)


def _counted(
    graph: JourneyGraph, counts: JourneyCounts, contacts: int, begun: datetime, words: Texts
) -> dict[str, Any]:
    """What one language's section of the template shows of the counts."""
    entered, played, day = f"{counts.passages:,}", f"{contacts:,}", f"{begun:%Y-%m-%d}"
    title = words.gettext("Ways of all contacts through the journey {journey}", journey=graph.journey)
    description = words.gettext("{count} contacts entered.", count=entered)
    picture = with_counts(graph, counts, words)
    finished = [(counts.outcomes[outcome], words.gettext(meaning)) for outcome, meaning in FINISHED.items()]
    return {
        "language": words.language,
        "gettext": words.gettext,
        "subtitle": words.gettext(
            "A rehearsal of {contacts} contacts from {day} on, in virtual time.", contacts=played, day=day
        ),
        "figures": [
            {"value": entered, "meaning": words.gettext("entered")},
            *({"value": f"{count:,}", "meaning": meaning} for count, meaning in finished if count),
        ],
        "pictures": _pictures(picture, name=f"counts-{words.language}", title=title, description=description),
        "ways": [
            {
                "source": way.source,
                "target": way.target,
                "label": way_label(way, words),
                "count": f"{counts.ways[way]:,}",
            }
            for way in graph.ways
        ],
    }
