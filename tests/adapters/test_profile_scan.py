"""The scan of all profiles: every living profile once, whatever the slices and pages, parsed by orjson and the same."""

import json
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.adapters.wire import Wire
from waypost.aws import table as items
from waypost.aws.contacts import DynamoContacts
from waypost.aws.profile_scan import DynamoProfileScan, parse_fast, parse_with_orjson
from waypost.contacts.profile import Contact
from waypost.errors import ServiceRefused, TemporarilyUnavailable

THEN = datetime(2027, 3, 1, tzinfo=UTC)


def person(number: int, **more: Any) -> Contact:
    """A contact with something in most fields."""
    return Contact(
        contact_id=f"c-{number:04d}",
        created_at=THEN,
        attributes={
            "city": "上海",
            "level": number,
            "score": 0.5,
            "vip": number % 2 == 0,
            "address": {"zip": "200000"},
        },
        tags=frozenset({"new", f"t-{number % 3}"}),
        seen={"order_placed": (date(2027, 1, 1), date(2027, 2, 1))},
        **more,
    )


@pytest.fixture
def people(dynamodb: Any, table: str) -> list[Contact]:
    """Twenty-five living contacts, one erased, one merged away and one for tests."""
    store = DynamoContacts(dynamodb, table)
    living = [person(number) for number in range(25)]
    for each in [*living, person(90, erased=True), person(91, merged_into="c-0001"), person(92, test=True)]:
        assert store.save(each, claim={})
    return living


@pytest.mark.parametrize("total", [1, 4])
def test_the_slices_are_everybody_alive_exactly_once(
    dynamodb: Any, table: str, people: list[Contact], total: int
) -> None:
    scan = DynamoProfileScan(dynamodb, table, page_limit=3)
    found = [each for segment in range(total) for page in scan.slice(segment, total) for each in page]
    assert sorted(each.contact_id for each in found) == [each.contact_id for each in people]
    assert {each.contact_id: each.attributes for each in found} == {each.contact_id: each.attributes for each in people}


def test_a_slice_goes_on_behind_any_page(dynamodb: Any, table: str, people: list[Contact]) -> None:
    scan = DynamoProfileScan(dynamodb, table, page_limit=4)
    pages = list(scan.slice(0, 1))
    assert len(pages) > 5
    assert pages[-1].after is None
    for number, page in enumerate(pages[:-1]):
        rest = [each.contact_id for later in scan.slice(0, 1, after=page.after) for each in later]
        assert rest == [each.contact_id for later in pages[number + 1 :] for each in later]


def test_an_empty_base_is_one_empty_page(dynamodb: Any, table: str) -> None:
    [page] = DynamoProfileScan(dynamodb, table).slice(0, 1)
    assert (list(page), page.after) == ([], None)


def test_the_size_of_the_base_comes_from_the_table_of_profiles(
    dynamodb: Any, table: str, people: list[Contact]
) -> None:
    assert DynamoProfileScan(dynamodb, table).size().items >= 0
    wire = Wire(client := lone_client())
    described = {"ItemCount": 12_000_000, "TableSizeBytes": 15_000_000_000}
    wire.will_answer((200, {}, {"Table": described}))
    size = DynamoProfileScan(client, "contacts").size()
    assert (size.items, size.bytes) == (12_000_000, 15_000_000_000)
    assert json.loads(wire.requests[-1].body) == {"TableName": "contacts-profiles"}


def lone_client() -> Any:
    """A client that tries once."""
    return boto3.client(
        "dynamodb", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1, "mode": "standard"})
    )


def scanned(*people: Contact, **more: Any) -> dict[str, Any]:
    """What DynamoDB answers to a scan."""
    stored = [items.dump_item(each.to_dict() | {"living": True}) for each in people]
    return {"Items": stored, "Count": len(stored), "ScannedCount": len(stored), **more}


def test_botocore_calls_the_handler_before_it_parses_with_the_arguments_it_relies_on(aws: None) -> None:
    """The pin of the hook: an update of botocore that drops or changes the event fails here, not in a bulk run."""
    client, calls = lone_client(), []
    client.meta.events.register("before-parse.dynamodb.Scan", lambda **arguments: calls.append(arguments))
    Wire(client).will_answer((200, {"x-amzn-requestid": "r-1"}, scanned(person(1))))
    client.scan(TableName="contacts")
    [arguments] = calls
    assert set(arguments) == {"operation_model", "response_dict", "customized_response_dict", "event_name"}
    assert arguments["event_name"] == "before-parse.dynamodb.Scan"
    assert arguments["response_dict"]["status_code"] == 200
    assert json.loads(arguments["response_dict"]["body"])["Count"] == 1


def test_nothing_is_left_for_botocores_own_parser(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client, bodies = lone_client(), []
    parse_fast(client)
    parse_fast(client)
    client.meta.events.register_last(
        "before-parse.dynamodb.Scan", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    Wire(client).will_answer((200, {"x-amzn-requestid": "r-1"}, scanned(person(1))))
    answer = client.scan(TableName="contacts")
    assert bodies == [b"{}"]
    assert answer["Items"] == scanned(person(1))["Items"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_the_fast_answer_is_botocores_answer(aws: None) -> None:
    answers = []
    for is_fast in (False, True):
        client = lone_client()
        if is_fast:
            parse_fast(client)
        last = {"contact_id": {"S": "c-0002"}}
        body = scanned(person(1), person(2), LastEvaluatedKey=last, ConsumedCapacity={"CapacityUnits": 1.5})
        Wire(client).will_answer((200, {"x-amzn-requestid": "r-1"}, body))
        answers.append(client.scan(TableName="contacts"))
    assert answers[0] == answers[1]


def test_an_error_is_left_to_botocore(aws: None) -> None:
    client = lone_client()
    refusal = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow"}
    Wire(client).will_answer((400, {"x-amzn-requestid": "r-1"}, refusal))
    with pytest.raises(TemporarilyUnavailable, match="ProvisionedThroughputExceeded"):
        list(DynamoProfileScan(client, "contacts").slice(0, 1))
    Wire(client := lone_client()).will_answer((400, {}, {"__type": "x#ResourceNotFoundException", "message": "none"}))
    with pytest.raises(ServiceRefused, match="ResourceNotFound"):
        list(DynamoProfileScan(client, "contacts").slice(0, 1))


def test_a_body_that_is_no_json_is_left_to_botocore() -> None:
    response: dict[str, Any] = {"status_code": 200, "body": b"<html>"}
    answer: dict[str, Any] = {}
    parse_with_orjson(response, answer)
    assert (response["body"], answer) == (b"<html>", {})


def test_throttling_is_waited_for_by_a_client_of_bulk_runs(aws: None) -> None:
    slow = {"__type": "x#ProvisionedThroughputExceededException", "message": "slow down"}
    client = boto3.client(
        "dynamodb", region_name="us-east-1", config=Config(retries={"total_max_attempts": 10, "mode": "standard"})
    )
    wire = Wire(client).will_answer(
        (400, {}, slow), (200, {}, scanned(person(1), ConsumedCapacity={"CapacityUnits": 2}))
    )
    [page] = DynamoProfileScan(client, "contacts").slice(2, 5)
    assert ([each.contact_id for each in page], page.read_units) == (["c-0001"], 2.0)
    assert len(wire.requests) == 2
    asked = json.loads(wire.requests[-1].body)
    assert (asked["Segment"], asked["TotalSegments"], asked["TableName"]) == (2, 5, "contacts-profiles")
