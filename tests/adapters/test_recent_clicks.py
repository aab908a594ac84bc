"""Which links of a message were followed just now, on DynamoDB."""

from datetime import timedelta
from typing import Any

from tests.fakes.clock import FakeClock
from waypost.aws.recent_clicks import DynamoRecentClicks


def test_the_links_of_a_message_that_were_followed_within_the_minute_are_known(dynamodb: Any, table: str) -> None:
    clock, clicks = FakeClock("2027-03-01T02:00:00.000Z"), DynamoRecentClicks(dynamodb, table)
    at = clock()
    assert clicks.note("c-1", "m-1", link=0, at=at) == {0: at}
    assert clicks.note("c-1", "m-1", link=3, at=at + timedelta(seconds=2)) == {0: at, 3: at + timedelta(seconds=2)}
    assert clicks.note("c-1", "m-2", link=3, at=at) == {3: at}
    assert clicks.note("c-1", "m-1", link=1, at=at + timedelta(minutes=1)) == {1: at + timedelta(minutes=1)}
