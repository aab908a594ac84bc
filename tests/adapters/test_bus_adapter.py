"""The event bus on EventBridge."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.adapters.stores import REGION
from tests.fakes.clock import FakeClock
from tests.fakes.world import event
from waypost.aws.bus import EventBridgeBus
from waypost.errors import TemporarilyUnavailable


@pytest.fixture
def events(aws: None) -> Any:
    return boto3.client("events", region_name=REGION)


def test_an_event_on_the_bus_says_whose_and_what_it_is(events: Any, clock: FakeClock) -> None:
    happened = event("order_placed", clock(), "e-1", name="林", total=9.5)
    expected = {
        "EventBusName": "waypost-dev",
        "Source": "waypost",
        "DetailType": "order_placed",
        "Detail": json.dumps(happened.to_dict() | {"contact_id": "c-1"}, ensure_ascii=False),
        "Time": clock(),
    }
    with Stubber(events) as stub:
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [expected]})
        EventBridgeBus(events, "waypost-dev").publish([("c-1", happened)])
        stub.assert_no_pending_responses()


def test_an_entry_that_the_bus_did_not_take_is_to_be_published_again(events: Any, clock: FakeClock) -> None:
    with Stubber(events) as stub:
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [refused]})
        with pytest.raises(TemporarilyUnavailable, match="ThrottlingException"):
            EventBridgeBus(events, "waypost-dev").publish([("c-1", event("order_placed", clock()))])


def test_ten_events_are_one_call_and_large_ones_are_more(clock: FakeClock) -> None:
    calls: list[int] = []

    class Events:
        def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
            calls.append(len(Entries))
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    bus = EventBridgeBus(Events(), "waypost-dev")
    bus.publish([("c-1", event("order_placed", clock(), f"e-{number}")) for number in range(12)])
    assert calls == [10, 2]
    calls.clear()
    bus.publish([("c-1", event("order_placed", clock(), f"e-{number}", note="x" * 100_000)) for number in range(3)])
    assert calls == [2, 1]
    calls.clear()
    bus.publish([])
    assert calls == []
