"""How an enrolment lies in its row, and how a row moves from the open ones to the past ones in two writes."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.request_units import WRITE_UNIT, item_size
from tests.adapters.test_lives_on_dynamodb import Meanwhile, enrolled
from tests.fakes.clock import FakeClock
from waypost import ids
from waypost.aws.enrolment_row import COMMON_TEXT, WAY, packed, unpacked
from waypost.aws.enrolments import DynamoEnrolments
from waypost.journeys.enrolment import LONGEST_TRAIL, Enrolment, TriggerEvent
from waypost.journeys.pause import Pause
from waypost.journeys.ports import SHARDS, DueEnrolment

SENT = {
    "outcome": "sent",
    "reason": "every_guard_allowed",
    "channel": "email",
    "message_key": "m-e67f60016595e8d7482fa74a",
}


def far_along(enrolment: Enrolment, clock: FakeClock, pauses: int) -> Enrolment:
    """The contact has come through so many Pauses and stands behind the last one, being left."""
    for number in range(1, pauses + 1):
        at = clock() + timedelta(days=number)
        state, due = f"Until day {number} at ten, or an answer", at + timedelta(days=1)
        row = {"at": state, "input": {"StatusCode": 200, "Payload": SENT}, "variables": {"round_number": number}}
        pause = Pause(
            ids.pause_id(enrolment.enrolment_id, state, 1),
            state,
            1,
            {"until": {"day": number, "at": "10:00"}},
            due,
            at,
            row=row,
            waits_for={"event": "survey_answered"},
        )
        enrolment = enrolment.parked(pause).resumed("elapsed", {"outcome": "elapsed"}, due)
    order = TriggerEvent("segment:7838806a-7867-4bd2-adf0-2a7b07f83c08", "order_placed", clock(), {"total": 268.5})
    return enrolment.left("goal", order)


@pytest.mark.parametrize(("pauses", "units"), [(1, 1), (5, 1), (LONGEST_TRAIL, 12)])
def test_a_row_fits_its_units_however_long_the_way(
    dynamodb: Any, table: str, clock: FakeClock, pauses: int, units: int
) -> None:
    enrolment, _ = enrolled(dynamodb, table, clock)
    walked = far_along(enrolment, clock, pauses)
    store = DynamoEnrolments(dynamodb, table)
    assert store.save(walked)
    assert store.load("c-1", "n-1") == replace(walked, revision=2)
    [item] = [each for each in dynamodb.scan(TableName=table)["Items"] if each["sk"]["S"].startswith("enrolment#")]
    travels = item | {WAY: {"B": base64.b64encode(item[WAY]["B"]).decode()}}
    assert item_size(travels) <= units * WRITE_UNIT


def test_a_client_that_leaves_binary_values_as_they_travel_reads_the_same(clock: FakeClock) -> None:
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    plain = {"enrolment_id": "n-1", "contact_id": "c-1", "trail": [{"state": "Day 3"}], "trigger": trigger.to_dict()}
    item = packed(plain) | {"pk": "contact#c-1", "sk": "enrolment#past#n-1"}
    travels = item | {WAY: base64.b64encode(item[WAY]).decode()}
    assert unpacked(travels) == unpacked(item) == plain | {"pk": "contact#c-1", "sk": "enrolment#past#n-1"}


def test_a_row_that_was_packed_without_the_dictionary_is_read(clock: FakeClock) -> None:
    way = {"trail": [{"state": "Day 3"}]}
    item = {"pk": "contact#c-1", "sk": "enrolment#open#n-1", WAY: zlib.compress(json.dumps(way).encode())}
    assert unpacked(item)["trail"] == way["trail"]


def test_the_dictionary_of_stored_rows_stays_as_it_is() -> None:
    assert zlib.adler32(COMMON_TEXT) == 1042451751, (
        "rows are stored that can be read with this dictionary only: add another one"
    )


def test_a_row_of_an_earlier_release_is_found_in_the_index_until_it_is_written_again(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    enrolment, _ = enrolled(dynamodb, table, clock)
    store, shard = DynamoEnrolments(dynamodb, table), ids.shard_of("c-1", SHARDS)
    [item] = [each for each in dynamodb.scan(TableName=table)["Items"] if each["sk"]["S"].startswith("enrolment#")]
    dynamodb.put_item(TableName=table, Item=item | {"due_shard": {"S": f"enrolment#{shard}"}})
    until = clock() + timedelta(days=1)
    noted = DueEnrolment("c-1", "n-1", enrolment.due_at)
    assert list(store.find_due(shard, since=None, until=until)) == [noted]
    assert store.unsettled([noted], until) == [noted]
    read = store.load("c-1", "n-1")
    assert read is not None
    assert store.save(read)
    assert list(store.find_due(shard, since=None, until=until)) == []


Race = Callable[[DynamoEnrolments, Enrolment, FakeClock], object]


def goes_on(store: DynamoEnrolments, enrolment: Enrolment, clock: FakeClock) -> object:
    return store.save(replace(enrolment, anchor_at=clock()))


def ends(store: DynamoEnrolments, enrolment: Enrolment, clock: FakeClock) -> object:
    return store.end(enrolment.ended("exited", clock()))


def goes_on_and_ends(store: DynamoEnrolments, enrolment: Enrolment, clock: FakeClock) -> object:
    goes_on(store, enrolment, clock)
    now = store.load("c-1", "n-1")
    assert now is not None
    return ends(store, now, clock)


@pytest.mark.parametrize("write", [2, 3], ids=["before the ended row is written", "before the open row is removed"])
@pytest.mark.parametrize("race", [goes_on, ends, goes_on_and_ends])
def test_of_two_ends_at_once_one_stands_and_none_stands_beside_an_open_row(
    dynamodb: Any, table: str, clock: FakeClock, race: Race, write: int
) -> None:
    enrolment, _ = enrolled(dynamodb, table, clock)
    store = DynamoEnrolments(dynamodb, table)
    slow = Meanwhile(dynamodb, write, lambda: race(store, enrolment, clock))
    ended = DynamoEnrolments(slow, table).end(enrolment.ended("completed", clock()))
    stored = store.load("c-1", "n-1")
    assert stored is not None
    kept = [
        each["sk"]["S"] for each in dynamodb.scan(TableName=table)["Items"] if each["sk"]["S"].startswith("enrolment#")
    ]
    assert len(kept) == 1, "an open row or an ended one"
    assert ended == (stored.outcome == "completed")
    assert (stored.status == "active") == (race is goes_on)
    assert store.of_contact("c-1") == [stored]
