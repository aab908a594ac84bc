"""The stores of versions and of approvals: the fakes and DynamoDB keep the same promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.library import FakeApprovals, FakeLibrary
from waypost.approvals.approval import Approval, ApprovalStore, Subject
from waypost.aws.approvals import DynamoApprovals
from waypost.aws.message_library import DynamoLibrary
from waypost.content.message_library import LibraryEntry, LibraryStore, MessageVersion

AT = datetime(2031, 3, 3, 9, tzinfo=UTC)
ENTRY = LibraryEntry("win-back/sorry", versions=(MessageVersion(1, "d-1", "lin.chen", AT, "draft"),)).going_live(
    1, at=AT, by="lin.chen"
)
ASKED = Approval(
    id="a-1",
    subject=Subject("message_version", "win-back/sorry", 1, "d-1"),
    requested_by="lin.chen",
    approver="wei.zhang",
    requested_at=AT,
    expires_at=AT + timedelta(days=7),
)


@pytest.fixture(params=["fake", "dynamodb"])
def library(request: pytest.FixtureRequest, dynamodb: Any, table: str) -> LibraryStore:
    return FakeLibrary() if request.param == "fake" else DynamoLibrary(dynamodb, table)


@pytest.fixture(params=["fake", "dynamodb"])
def approvals(request: pytest.FixtureRequest, dynamodb: Any, table: str) -> ApprovalStore:
    return FakeApprovals() if request.param == "fake" else DynamoApprovals(dynamodb, table)


def test_an_entry_is_written_over_the_one_that_was_read(library: LibraryStore) -> None:
    assert (library.glance(ENTRY.message), library.load(ENTRY.message)) == (None, None)
    assert library.save(ENTRY)
    read = library.load(ENTRY.message)
    assert read == replace(ENTRY, revision=1)
    assert library.glance(ENTRY.message) == read
    assert library.save(replace(read, retired_at=AT))
    assert not library.save(replace(read, under_way="begun")), "another write was faster"
    again = library.load(ENTRY.message)
    assert again is not None
    assert (again.retired_at, again.under_way) == (AT, "newest")


def test_a_request_is_opened_and_decided_once(approvals: ApprovalStore) -> None:
    assert approvals.load("a-1") is None
    assert not approvals.replace_undecided(ASKED.decided("approved", at=AT, comment=""))
    assert approvals.open(ASKED)
    assert not approvals.open(replace(ASKED, note="again"))
    assert approvals.load("a-1") == ASKED
    later = replace(ASKED, task_token="t-2", subject=replace(ASKED.subject, request={"contacts": 3, "note": "x"}))
    assert approvals.replace_undecided(later)
    assert approvals.load("a-1") == later
    decided = ASKED.decided("rejected", at=AT, comment="too long")
    assert approvals.replace_undecided(decided)
    assert not approvals.replace_undecided(ASKED.decided("approved", at=AT, comment=""))
    assert approvals.load("a-1") == decided
