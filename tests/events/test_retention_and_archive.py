"""How long events are kept, and what the archive looks like."""

import gzip
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.project import ROOT
from waypost.authoring.authored_files import FileReader
from waypost.authoring.discovery import InvalidJourney, discover
from waypost.authoring.retention import retention
from waypost.events.archive_events import COLUMNS, ArchiveEvents, ArchiveObject, StreamChanges, archive_objects
from waypost.events.retention import BUILT_IN, Retention

SHIPPED = Retention.from_dict(discover(ROOT / "statemachines").sections["retention"])
FILE = "contacts/retention.yaml"


def declared(tmp_path: Path, text: str) -> Retention:
    """The retention that a file declares."""
    file = tmp_path / "statemachines" / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return Retention.from_dict(discover(tmp_path / "statemachines").sections["retention"])


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("page_viewed", "browsing"),
        ("product_viewed", "browsing"),
        ("order_placed", "transaction"),
        ("consent_granted", "evidence"),
        ("unsubscribed", "evidence"),
        ("registered", "customer"),
    ],
)
def test_the_shipped_classes_take_what_they_say(event: str, name: str) -> None:
    assert SHIPPED.of(event).name == name


def test_transactions_are_kept_longer_than_the_law_asks_and_browsing_for_a_season() -> None:
    assert SHIPPED.of("order_placed").keep > timedelta(days=3 * 366)
    assert SHIPPED.of("page_viewed").keep == timedelta(days=90)


def test_messages_are_kept_longer_than_anything_can_come_again() -> None:
    assert SHIPPED.passages.keep >= timedelta(days=400)
    assert SHIPPED.passages.archive > SHIPPED.passages.keep


def test_without_a_file_everything_is_kept_as_it_is_built_in() -> None:
    assert Retention.from_dict({}).of("anything") == BUILT_IN


def test_the_name_itself_decides_then_the_pattern_that_says_most_then_the_default(tmp_path: Path) -> None:
    kept = declared(
        tmp_path,
        """
default: rest
classes:
  rest: { keep: 1y }
  orders: { keep: 2y, events: ["order_*"] }
  views: { keep: 8w, archive: 90d, events: ["*_viewed", "order_item_viewed"] }
  gifts: { keep: 3y, events: ["order_gift_*"] }
""",
    )
    names = {
        event: kept.of(event).name
        for event in ("order_placed", "order_gift_sent", "order_item_viewed", "order_viewed", "x")
    }
    assert names == {
        "order_placed": "orders",
        "order_gift_sent": "gifts",
        "order_item_viewed": "views",
        "order_viewed": "views",
        "x": "rest",
    }
    assert (kept.of("page_viewed").keep, kept.of("page_viewed").archive) == (timedelta(days=56), timedelta(days=90))
    assert kept.of("x").archive == timedelta(days=366)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("default: a\nclasses: {b: {keep: 1d}}", "unknown class 'a'"),
        ("default: b\nclasses: {b: {keep: forever}}", "classes.b.keep: expected a span such as 90d"),
        ("default: b\nclasses: {b: {keep: 0d}}", "classes.b.keep: expected a span"),
        ("default: b\nclasses: {b: {keep: 1d, events: [Order Placed]}}", "expected an event type"),
        ("default: b\nclasses: {b: {keep: 1d, events: ['*']}}", "expected an event type"),
        ("default: b\nclasses: {b: {keep: 1d, events: [x]}, c: {keep: 2d, events: [x]}}", "'x' belongs to 'b' already"),
        ("default: b\nclasses: {b: {kept: 1d}}", "did you mean 'keep'"),
        ("default: b\nclasses: {}", "classes"),
        ("default: b\nclasses: {b: {keep: 1d}}\npassages: {keep: 399d}", "400d at least"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InvalidJourney) as refused:
        declared(tmp_path, text)
    assert reason in str(refused.value)
    assert FILE in str(refused.value)


def event(number: int, *, day: int = 2, kind: str = "order_placed", **changes: Any) -> dict[str, Any]:
    """A stored event, as the stream gives it."""
    at = f"2026-03-{day:02d}T03:50:00.000Z"
    return {
        "id": f"e-{number}",
        "type": kind,
        "contact_id": "c-1",
        "contact": {"user_id": "u-1"},
        "occurred_at": at,
        "received_at": "2026-03-09T00:00:00.000Z",
        "routed_at": "2026-03-09T00:00:00.000Z",
        "source": "shop",
        "properties": {"total": 5, "note": "line\nline"},
        "profile": {},
        "correlation_id": "r",
        "profile_version": 3,
        "pk": "contact#c-1",
        "expires_at": 5,
        **changes,
    }


def lines(written: ArchiveObject) -> list[dict[str, Any]]:
    """What an object holds."""
    return [json.loads(line) for line in gzip.decompress(written.body).splitlines()]


def test_events_are_laid_down_by_their_own_day_and_class() -> None:
    batch = [event(1), event(2, day=1), event(3, kind="page_viewed"), event(4)]
    written = list(archive_objects(batch, SHIPPED))
    assert [
        (each.key.rpartition("/")[0], each.key.rpartition("/")[2].split("-")[0], each.retention) for each in written
    ] == [
        ("events/day=2026-03-01", "transaction", "transaction"),
        ("events/day=2026-03-02", "browsing", "browsing"),
        ("events/day=2026-03-02", "transaction", "transaction"),
    ]
    assert [line["id"] for line in lines(written[2])] == ["e-1", "e-4"]
    assert all(set(line) == set(COLUMNS) for each in written for line in lines(each))


def test_the_same_events_give_the_same_objects_whatever_else_is_in_the_batch() -> None:
    whole = {each.key: each.body for each in archive_objects([event(1), event(2), event(3, day=5)], SHIPPED)}
    half = {each.key: each.body for each in archive_objects([event(1), event(2)], SHIPPED)}
    assert half.items() <= whole.items()


def test_an_object_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waypost.events.archive_events.LARGEST_OBJECT", 1000)
    written = list(archive_objects([event(number) for number in range(10)], SHIPPED))
    assert len(written) > 1
    assert sorted(line["id"] for each in written for line in lines(each)) == [f"e-{number}" for number in range(10)]
    assert len({each.key for each in written}) == len(written)


def test_an_event_that_cannot_be_composed_leaves_nothing_half_written() -> None:
    put: list[ArchiveObject] = []

    class Store:
        def put(self, object_: ArchiveObject) -> None:
            put.append(object_)

    with pytest.raises(TypeError):
        ArchiveEvents(store=Store(), retention=SHIPPED).archive(
            StreamChanges([event(1), event(2, day=3, properties={"x": object()})])
        )
    assert put == []
    assert ArchiveEvents(store=Store(), retention=SHIPPED).archive(StreamChanges([event(1), event(2, day=3)])) == {
        "events": 2,
        "rows": 0,
        "objects": 2,
    }


def test_the_documented_table_reads_what_is_written() -> None:
    """Athena's OpenX SerDe reads the columns by name, and folders by the template: both must be those of the archive."""
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    statement = re.search(r"```sql\n(CREATE EXTERNAL TABLE.*?)```", page, re.DOTALL)
    assert statement is not None
    table = statement[1]
    columns = dict(re.findall(r"^  `?(\w+)`? ([\w<>,: ]+?),?$", table.split("PARTITIONED BY")[0], re.MULTILINE))
    assert set(columns) == set(COLUMNS)
    [line] = lines(next(iter(archive_objects([event(1)], SHIPPED))))
    kinds = {"string": (str, dict), "bigint": (int,), "map<string,string>": (dict,)}
    for name, kind in columns.items():
        assert isinstance(line[name], kinds[kind]), name
    template = re.search(r"'storage.location.template'\s*=\s*'s3://[^/]+/([^']*)'", table)
    assert template is not None
    key = next(iter(archive_objects([event(1)], SHIPPED))).key
    assert key.startswith(template[1].replace("${day}", "2026-03-02"))
    assert "PARTITIONED BY (day string)" in table


@pytest.mark.parametrize("kind", ["message_opened", "message_clicked"])
def test_what_was_done_with_a_message_is_kept_as_long_as_its_delivery(tmp_path: Path, kind: str) -> None:
    assert SHIPPED.of(kind).keep >= SHIPPED.of("message_delivered").keep
    assert SHIPPED.of("banner_clicked").name == "browsing"
    text = f"default: long\nclasses:\n  long: {{ keep: 2y }}\n  short: {{ keep: 90d, events: [{kind}] }}\n"
    reader = FileReader(tmp_path)
    (tmp_path / "contacts").mkdir()
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert retention(reader) == {}
    assert f"{kind} is kept 90d, message_delivered 732d" in str(reader.problems[0])
