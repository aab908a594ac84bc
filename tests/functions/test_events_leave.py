"""The samples of the functions by which events leave: into the archive, and to other systems."""

import gzip
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.archive_events import handler as archive_events
from functions.deliver_event import handler as deliver_event
from tests.functions.conftest import LambdaContext, sample
from waypost.destinations.deliver_event import Delivered, GivenUp, Outcome, TryAgain
from waypost.events.archive_events import ArchiveEvents, ArchiveObject
from waypost.events.retention import Retention

CONTACT = "c-21c9fa0ee133efc0e6794803"


class Store:
    """An ArchiveStore in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, ArchiveObject] = {}

    def put(self, object_: ArchiveObject) -> None:
        self.objects[object_.key] = object_


class Batch:
    """A DeliveryBatch that has these outcomes."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = [("crm", f"message-{number}", outcome) for number, outcome in enumerate(outcomes)]

    def process(self, event: dict[str, Any]) -> dict[str, Any]:
        assert event["Records"]
        return {"batchItemFailures": []}


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the functions write."""
    written = io.StringIO()
    for module in (archive_events, deliver_event):
        for output in module.logger.handlers:
            monkeypatch.setattr(output, "stream", written)
    yield written
    for module in (archive_events, deliver_event):
        module.metrics.clear_metrics()


def test_the_sample_of_the_stream_is_archived(monkeypatch: pytest.MonkeyPatch, logs: io.StringIO) -> None:
    store = Store()
    monkeypatch.setattr(archive_events, "archive_events", lambda: ArchiveEvents(store=store, retention=Retention()))
    for _ in range(2):
        assert archive_events.handle(sample("archive_events"), LambdaContext()) == {
            "events": 1,
            "rows": 0,
            "objects": 1,
        }
    [(key, written)] = store.objects.items()
    assert key.startswith("events/day=2026-03-02/standard-")
    line = json.loads(gzip.decompress(written.body))
    assert (line["contact_id"], line["type"], line["properties"]["plan"]) == (CONTACT, "registered", "free")


def test_every_delivery_is_counted_and_logged_without_names(
    monkeypatch: pytest.MonkeyPatch, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = (Delivered(200), TryAgain("answered 500", timedelta(seconds=5)), GivenUp("answered 410 Gone"))
    monkeypatch.setattr(deliver_event, "batch", lambda: Batch(*outcomes))
    assert deliver_event.handle(sample("deliver_event"), LambdaContext()) == {"batchItemFailures": []}
    counted = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {name: counted[name] for name in ("EventsDelivered", "EventsTryAgain", "EventsGivenUp")} == {
        "EventsDelivered": [1.0],
        "EventsTryAgain": [1.0],
        "EventsGivenUp": [1.0],
    }
    logged = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert [line["outcome"] for line in logged] == ["Delivered", "TryAgain", "GivenUp"]
    assert "u-1042" not in logs.getvalue()
