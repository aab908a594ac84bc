"""Values to and from DynamoDB, and its answers that are not the whole answer."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.stores import dynamo_stores
from tests.fakes.clock import FakeClock
from tests.fakes.world import event
from waypost.aws import table as items
from waypost.aws.contacts import DynamoContacts
from waypost.aws.translation import translate
from waypost.contacts.profile import Contact
from waypost.errors import ServiceRefused, TemporarilyUnavailable

numbers = st.integers(-(10**30), 10**30) | st.floats(-1e100, 1e100, allow_nan=False).filter(
    lambda number: number == 0 or abs(number) > 1e-100
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_a_json_value_comes_back_as_it_was(value: Any) -> None:
    stored = json.loads(json.dumps(items.dump(value)))
    assert items.load(stored) == value


def test_numbers_come_back_as_json_numbers_whatever_dynamodb_makes_of_them() -> None:
    assert items.load({"N": "1E+3"}) == 1000
    assert items.load({"N": "0.1"}) == 0.1
    assert isinstance(items.load({"N": "12"}), int)


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot store a set"):
        items.dump({1, 2})


def test_no_address_stands_in_a_key() -> None:
    assert "lin@example.com" not in items.identity_pk("email", "lin@example.com")


class Leftovers:
    """A client that does one item of a batch at a time, as DynamoDB may."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls = 0

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls += 1
        ((name, asked),) = RequestItems.items()
        first, *rest = asked["Keys"]
        answer: dict[str, Any] = self.client.batch_get_item(RequestItems={name: asked | {"Keys": [first]}})
        return answer | {"UnprocessedKeys": {name: asked | {"Keys": rest}} if rest else {}}

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.calls += 1
        ((name, (first, *rest)),) = RequestItems.items()
        answer: dict[str, Any] = self.client.batch_write_item(RequestItems={name: [first]})
        return answer | {"UnprocessedItems": {name: rest} if rest else {}}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("waypost.aws.table.time.sleep", waited.append)
    return waited


def test_unprocessed_keys_are_asked_for_until_none_are_left(dynamodb: Any, table: str, waits: list[float]) -> None:
    for number in range(3):
        items.put_once(dynamodb, table, f"pk-{number}", "sk", {"number": number})
    client = Leftovers(dynamodb)
    found = items.batch_get(client, table, [(f"pk-{number}", "sk") for number in range(3)])
    assert sorted(item["number"] for item in found) == [0, 1, 2]
    assert (client.calls, len(waits)) == (3, 2)


def test_unprocessed_items_are_written_until_none_are_left(dynamodb: Any, table: str, waits: list[float]) -> None:
    client = Leftovers(dynamodb)
    items.batch_put(client, table, [items.key(f"pk-{number}", "sk") for number in range(9)])
    found = items.batch_get(dynamodb, table, [(f"pk-{number}", "sk") for number in range(9)])
    assert (len(found), client.calls) == (9, 9)
    assert len(waits) == 8
    assert max(waits) <= items.LONGEST_WAIT


def test_a_long_history_is_read_page_by_page(dynamodb: Any, table: str, clock: FakeClock) -> None:
    history = dynamo_stores(dynamodb, table).history
    for number in range(12):
        clock.advance(seconds=1)
        large = event("page_viewed", clock(), f"e-{number}", text="x" * 100_000)
        history.record("c-1", large, routed_at=clock())
    assert len(history.since("c-1", event("x", FakeClock("2027-01-01T00:00:00Z")()).occurred_at)) == 12


def client_error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutItem")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("ThrottlingException", 400),
        ("TransactionConflictException", 400),
        ("InternalServerError", 500),
        ("SomethingNew", 503),
        ("SomethingNew", 429),
        ("ExecutionLimitExceeded", 400),
        ("RequestThrottled", 400),
        ("ConflictException", 409),
        ("ServiceQuotaExceededException", 402),
        ("OverLimit", 403),
        ("KmsThrottlingException", 400),
        ("ConcurrentModificationException", 400),
        ("ResourceInUseException", 400),
        ("QuotaNobodyHasHeardOf", 400),
    ],
)
def test_what_may_pass_is_worth_a_retry(code: str, status: int) -> None:
    assert isinstance(translate(client_error(code, status)), TemporarilyUnavailable)
    assert isinstance(translate(ConnectTimeoutError(endpoint_url="https://x.example")), TemporarilyUnavailable)


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "ValidationException",
        "ResourceNotFoundException",
        "ItemCollectionSizeLimitExceededException",
        "TooManyEntriesInBatchRequest",
    ],
)
def test_what_cannot_pass_is_final(code: str) -> None:
    assert isinstance(translate(client_error(code, 400)), ServiceRefused)


def test_every_store_speaks_our_errors(dynamodb: Any, clock: FakeClock) -> None:
    stores = dynamo_stores(dynamodb, "no-such-table")
    with pytest.raises(ServiceRefused):
        stores.contacts.load("c-1")
    with pytest.raises(ServiceRefused):
        stores.contacts.save(Contact(contact_id="c-1", created_at=clock()), claim={"user_id": "u-1"})
    with pytest.raises(ServiceRefused):
        stores.history.is_routed(["c-1"], "e-1")
    with pytest.raises(ServiceRefused):
        stores.enrolments.unfinished("c-1")
    with pytest.raises(ServiceRefused):
        list(stores.enrolments.find_due(0, since=None, until=clock()))
    with pytest.raises(ServiceRefused):
        list(stores.ledger.stale_claims(clock()))


def test_a_number_that_json_knows_and_dynamodb_does_not_is_refused_for_good(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    assert math.isfinite(1e300)
    stores = dynamo_stores(dynamodb, table)
    with pytest.raises(ServiceRefused):
        stores.contacts.save(Contact(contact_id="c-1", created_at=clock(), attributes={"n": 1e300}), claim={})


def cancelled(*codes: str, message: str = "") -> ClientError:
    reasons = [{"Code": code, "Message": message} if code != "None" else {"Code": code} for code in codes]
    answer = {"Error": {"Code": "TransactionCanceledException", "Message": "…"}, "CancellationReasons": reasons}
    return ClientError(answer, "TransactWriteItems")


@pytest.mark.parametrize(
    "codes",
    [
        ("ConditionalCheckFailed",),
        ("None", "TransactionConflict"),
        ("TransactionConflict", "ConditionalCheckFailed"),
        ("ConditionalCheckFailed", "ThrottlingError"),
    ],
)
def test_a_condition_or_a_conflict_is_a_lost_race(codes: tuple[str, ...]) -> None:
    assert items.is_lost_race(cancelled(*codes))


@pytest.mark.parametrize(
    "codes",
    [("ThrottlingError", "None"), ("ProvisionedThroughputExceeded",), ("TransactionConflict", "ThrottlingError"), ()],
)
def test_a_throttled_transaction_is_no_lost_race_and_comes_again(codes: tuple[str, ...]) -> None:
    with pytest.raises(TemporarilyUnavailable, match="transaction cancelled"):
        items.is_lost_race(cancelled(*codes))


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_transaction_that_can_never_be_written_is_refused_with_the_reason(code: str) -> None:
    too_large = cancelled(
        "None", code, "TransactionConflict", message="Item size has exceeded the maximum allowed size"
    )
    for judge in (items.is_lost_race, items.failed_conditions):
        with pytest.raises(ServiceRefused, match=f"{code}: Item size has exceeded"):
            judge(too_large)


class Cancelling:
    """A DynamoDB client whose transactions are all cancelled."""

    def __init__(self, *codes: str) -> None:
        self.error = cancelled(*codes, message="no")

    def transact_write_items(self, **_: Any) -> None:
        raise self.error


def test_the_contact_store_says_why_a_transaction_was_cancelled() -> None:
    lin = Contact("c-1", datetime(2027, 3, 1, tzinfo=UTC), version=3)

    def save(*codes: str) -> bool:
        return DynamoContacts(Cancelling(*codes), "contacts").save(lin, claim={"user_id": "u-1"})

    assert save("ConditionalCheckFailed", "None") is False
    assert save("None", "TransactionConflict") is False
    with pytest.raises(TemporarilyUnavailable):
        save("ThrottlingError", "None")
    with pytest.raises(ServiceRefused, match="ValidationError: no"):
        save("ValidationError", "None")
