"""Pages of journeys: in both languages, with the reason of what happened, and nothing personal but the contact's id."""

from datetime import UTC, datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.reports.nurture import GRAPH, PROFILE, Items, enrolment_row, message, past, pause
from waypost.contacts.channels import channel_named
from waypost.pages.graph_drawing import NARROW
from waypost.pages.texts import LANGUAGES, texts
from waypost.reports.journey_counts import JourneyCounts
from waypost.reports.journey_graph import JourneyGraph
from waypost.reports.journey_page import ShownMessage, contact_page, counts_page, drawing
from waypost.reports.mermaid import mermaid

FIRST, SECOND, THIRD = "2031-03-03T01:00:00.000Z", "2031-03-05T02:00:00.000Z", "2031-03-09T02:00:00.000Z"


def page(*rows: dict[str, Any], graph: JourneyGraph | None = GRAPH, journey: str = "") -> str:
    found = contact_page(
        "c-1",
        Items(PROFILE, *rows),
        graphs=lambda _: graph,
        default_zone=ZoneInfo("UTC"),
        now=datetime(2031, 3, 6, tzinfo=UTC),
        language="en",
        journey=journey,
    )
    assert found is not None
    return found


def test_it_says_where_the_contact_waits_and_until_when_in_its_own_time() -> None:
    waiting = pause("Wait", FIRST, SECOND, waits_for={"event": "survey_answered"})
    shown = page(enrolment_row(pause=waiting), message("Welcome", FIRST))
    assert "The contact waits at “Wait” until 5 Mar 10:00, or until survey_answered." in shown
    assert "该联系人在“Wait”处等待至 3月5日 10:00，或直到发生 survey_answered。" in shown
    assert "3 Mar 09:00 sent (email)" in shown
    assert 'class="shape pause passed now"' in shown


def test_it_says_why_a_journey_failed() -> None:
    failed = enrolment_row(
        status="ended",
        outcome="failed",
        ended_at=SECOND,
        position="running",
        trail=[past("Wait", FIRST, SECOND)],
        failure={"state": "Tag", "error": "InvalidInput", "cause": "no such tag"},
    )
    shown = page(failed)
    assert "At “Tag”: InvalidInput: no such tag" in shown
    assert 'class="shape update failed"' in shown


def test_it_names_nobody() -> None:
    shown = page(enrolment_row(), message("Welcome", FIRST))
    assert "c-1" in shown
    assert not any(personal in shown for personal in ("Mei", "mei@", "example.com"))


def test_each_picture_has_ids_of_its_own() -> None:
    shown = page(enrolment_row(), enrolment_row(sk="enrolment#n-2", enrolment_id="n-2", enrolled_at=SECOND))
    ids = [part.split('"')[0] for part in shown.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    assert shown.count("<svg") == 2 * 2 * len(LANGUAGES)


def test_only_the_passages_of_one_journey_are_shown_when_it_is_named() -> None:
    assert "<svg" not in page(enrolment_row(), journey="another")


def test_a_journey_that_is_gone_is_shown_without_a_picture() -> None:
    shown = page(enrolment_row(), graph=None)
    assert "no longer deployed" in shown
    assert "The contact waits at “Wait”" in shown


def test_a_contact_in_an_older_version_is_told_apart() -> None:
    assert "The contact is in version 1; the picture is" in page(enrolment_row(), graph=_version_2())


def test_nobody_has_no_page() -> None:
    zone = ZoneInfo("UTC")
    now = datetime(2031, 3, 6, tzinfo=UTC)
    assert contact_page("c-2", Items(), graphs=lambda _: None, default_zone=zone, now=now, language="en") is None


def test_counts_stand_on_every_way() -> None:
    counts = JourneyCounts()
    for _ in range(1200):
        counts.add(GRAPH, ["Body", "Welcome", "Wait", "Left"], outcome="exited")
    counts.add(GRAPH, ["Body", "Welcome", "Wait"], outcome="active")
    shown = counts_page(GRAPH, counts, contacts=1300, begun=datetime(2031, 3, 3, tzinfo=UTC), language="zh-CN")
    assert "A rehearsal of 1,300 contacts from 2031-03-03 on" in shown
    assert "left early · 1,200" in shown
    assert "1 wait here" in shown
    assert "提前离开 · 1,200" in shown
    assert shown.count("<svg") == 2 * len(LANGUAGES)


def test_beside_a_step_stands_its_message() -> None:
    welcome = ShownMessage(
        step="Welcome",
        name="welcome",
        channel=channel_named("email"),
        count=1200,
        subject="Hello <Ann>",
        text="\nFirst line\nSecond line\n",
        link="rehearsal/01-welcome.html",
    )
    begun = datetime(2031, 3, 3, tzinfo=UTC)
    shown = counts_page(GRAPH, JourneyCounts(), contacts=1, begun=begun, language="en", messages=[welcome])
    assert "welcome, by e-mail: 1,200 sent" in shown
    assert "welcome，邮件：已发送 1,200" in shown
    assert shown.count("<b>Hello &lt;Ann&gt;</b>") == len(LANGUAGES)
    assert '<div class="read" tabindex="0">First line\nSecond line</div>' in shown
    assert unescape(shown).count('href="rehearsal/01-welcome.html"') == len(LANGUAGES)
    assert 'class="card message"' not in counts_page(GRAPH, JourneyCounts(), contacts=1, begun=begun, language="en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_drawing_is_the_same_every_time(language: str) -> None:
    assert drawing(GRAPH, texts(language)) == drawing(GRAPH, texts(language))
    assert drawing(GRAPH, texts(language), NARROW) != drawing(GRAPH, texts(language))


def test_a_flowchart_has_every_step_and_way() -> None:
    chart = mermaid(GRAPH, texts("en"))
    assert chart.startswith('flowchart TD\n  subgraph s1 ["Body"]\n    s2["Welcome<br/>welcome"]\n    s3(["Wait"])\n')
    assert '  s1 -.->|"goal reached"| s11\n' in chart
    assert chart.count("-->") + chart.count("-.->") == len(GRAPH.ways)


def _version_2() -> JourneyGraph:
    return JourneyGraph.from_dict(GRAPH.to_dict() | {"version": 2})
