"""The counts of answers: the fake and DynamoDB keep the same promises."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.responses import FakeResponses
from waypost.aws.responses import DynamoResponses
from waypost.staff.responses import ResponseCounts, Responses

ONE = Responses(journey="staff-alerts", member="lin.chen", assigned=1)
ANSWERED = Responses(journey="staff-alerts", member="lin.chen", answered=1, done=1, minutes=25)
LATE = Responses(journey="staff-alerts", member="lin.chen", answered=1, late=1, minutes=95)


@pytest.fixture(params=["fake", "dynamodb"])
def counts(request: pytest.FixtureRequest, dynamodb: Any, table: str) -> ResponseCounts:
    return FakeResponses() if request.param == "fake" else DynamoResponses(dynamodb, table)


def test_counts_are_added_up_by_journey_and_member(counts: ResponseCounts) -> None:
    for each in (ONE, ONE, ANSWERED, LATE, Responses(journey="win-back", member="lin.chen", assigned=1)):
        counts.add("2031-03", each)
    first, second = counts.of_month("2031-03")
    assert first == Responses(
        journey="staff-alerts", member="lin.chen", assigned=2, answered=2, done=1, late=1, minutes=120
    )
    assert (first.figures()["mean_minutes"], second.figures()["mean_minutes"]) == (60, None)


def test_an_answer_at_once_is_an_answer(counts: ResponseCounts) -> None:
    counts.add("2031-03", Responses(journey="win-back", member="jo.li", answered=1, done=1, minutes=0))
    [only] = counts.of_month("2031-03")
    assert (only.answered, only.figures()["mean_minutes"]) == (1, 0)


def test_each_month_has_counts_of_its_own(counts: ResponseCounts) -> None:
    counts.add("2031-03", ONE)
    assert counts.of_month("2031-04") == []


def test_a_row_goes_after_two_years(dynamodb: Any, table: str) -> None:
    DynamoResponses(dynamodb, table).add("2031-03", ONE)
    [row] = dynamodb.scan(TableName=table)["Items"]
    ends = datetime.fromtimestamp(int(row["expires_at"]["N"]), tz=UTC)
    assert (ends.year, ends.month) == (2033, 5)
