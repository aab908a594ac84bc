"""Inboxes on DynamoDB: the ring, its order and lives, and what readers did."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from waypost.aws.inbox import DynamoInboxReader, DynamoInboxWriter
from waypost.aws.provider_calls import SendingService
from waypost.channels.calls import ErrorAnswer
from waypost.channels.inbox.box import COUNTED_FOR, LIFE, SLOTS, KeptMessage

NOW = FakeClock("2027-03-01T02:00:00.000Z")()
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def digest(request: pytest.FixtureRequest) -> str:
    """An inbox of this test."""
    return str(request.node.name)


@pytest.fixture
def writer(dynamodb: Any, table: str) -> DynamoInboxWriter:
    return DynamoInboxWriter(SendingService(dynamodb), table)


@pytest.fixture
def reader(dynamodb: Any, table: str) -> DynamoInboxReader:
    return DynamoInboxReader(dynamodb, table)


def message(number: int, *, at: datetime = NOW) -> KeptMessage:
    return KeptMessage(
        number=number,
        user_id="u-1",
        title="您好",
        text="今天的新品",
        link="/new",
        unsubscribe_url="",
        tags={"message_key": f"m-{number}", "contact_id": "c-1"},
        sent_at=at,
        expires_at=at + LIFE,
    )


def numbers(reader: DynamoInboxReader, digest: str) -> list[int]:
    return sorted(each.number for each in reader.messages(digest, consistent=True))


def test_messages_are_counted_from_one(writer: DynamoInboxWriter, digest: str) -> None:
    assert [writer.next_number(digest, until=NOW) for _ in range(3)] == [1, 2, 3]
    assert writer.next_number(f"{digest} of another", until=NOW) == 1


def test_a_message_comes_back_as_it_was_kept(writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str) -> None:
    assert isinstance(writer.keep(digest, message(1)), str)
    for consistent in (True, False):
        assert reader.messages(digest, consistent=consistent) == [message(1)]


def test_the_fifty_first_message_takes_the_place_of_the_first(
    writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str
) -> None:
    for number in range(1, SLOTS + 3):
        writer.keep(digest, message(number))
    assert numbers(reader, digest) == list(range(3, SLOTS + 3))


def test_a_message_that_is_late_by_fifty_displaces_no_newer_one(
    writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str
) -> None:
    writer.keep(digest, message(SLOTS + 1))
    refused = writer.keep(digest, message(1))
    assert isinstance(refused, ErrorAnswer)
    assert refused.code == "ConditionalCheckFailedException"
    assert numbers(reader, digest) == [SLOTS + 1]


def test_a_count_that_began_again_displaces_what_is_over(
    writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str
) -> None:
    writer.keep(digest, message(SLOTS + 1))
    writer.keep(digest, message(1, at=NOW + LIFE))
    assert numbers(reader, digest) == [1]


def test_every_row_of_an_inbox_has_a_life(writer: DynamoInboxWriter, dynamodb: Any, table: str, digest: str) -> None:
    writer.next_number(digest, until=NOW + COUNTED_FOR)
    writer.keep(digest, message(1))
    rows = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"inbox#{digest}"}},
    )["Items"]
    lives = {row["sk"]["S"]: int(row["expires_at"]["N"]) for row in rows}
    assert lives == {
        "counter": int((NOW + COUNTED_FOR).timestamp()),
        "slot#01": int((NOW + LIFE).timestamp()),
    }


def test_the_first_time_that_something_was_done_stays(
    writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str
) -> None:
    writer.keep(digest, message(1))
    reader.note(digest, message(1), "seen", at=NOW)
    reader.note(digest, message(1), "seen", at=LATER)
    reader.note(digest, message(1), "dismissed", at=LATER)
    assert [each.done for each in reader.messages(digest, consistent=True)] == [{"seen": NOW, "dismissed": LATER}]


@pytest.mark.parametrize("act", ["seen", "dismissed"])
def test_an_act_is_not_noted_at_another_message(
    writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str, act: Any
) -> None:
    writer.keep(digest, message(SLOTS + 1))
    reader.note(digest, message(1), act, at=NOW)
    reader.note(digest, message(2), act, at=NOW)
    assert reader.messages(digest, consistent=True) == [message(SLOTS + 1)]


def test_a_new_message_in_a_slot_is_neither_seen_nor_dismissed(
    writer: DynamoInboxWriter, reader: DynamoInboxReader, digest: str
) -> None:
    writer.keep(digest, message(1))
    reader.note(digest, message(1), "dismissed", at=NOW)
    writer.keep(digest, message(SLOTS + 1))
    assert [each.done for each in reader.messages(digest, consistent=True)] == [{}]
