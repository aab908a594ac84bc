"""The end of a journey ends its enrolment; the end of an operation, and of each part of one, calls nobody."""

from pathlib import Path

import pytest

from local.cloud.local_cloud import LocalCloud
from local.running.file_operations import FileOperations
from tests.flows.steps import accepted, by_day, log_of, only, rows, sign_up

pytestmark = pytest.mark.flow


def closings(cloud: LocalCloud) -> int:
    """How often the end of an execution was reported: the platform's own line begins each call."""
    return sum(line.startswith("START ") for line in log_of(cloud, "close_enrolment"))


def test_the_end_of_a_journey_is_emitted_and_that_of_an_operation_is_not(cloud: LocalCloud, tmp_path: Path) -> None:
    by_day(cloud)
    before = closings(cloud)

    file = tmp_path / "members.csv"
    file.write_text("user_id,email\nu-imported-once,imported-once@example.com\n", encoding="utf-8")
    operations = FileOperations(cloud.access.to_dict())
    report = operations.import_file({"file": operations.upload(file)}, lambda _done, _total: None)
    cloud.time.settle()
    assert report["created"] == 1
    assert closings(cloud) == before

    sign_up(cloud, "u-ends")
    cloud.time.settle()
    accepted(
        cloud.tracking.webhook("shop", {"type": "unsubscribed", "contact": {"user_id": "u-ends"}, "properties": {}})
    )
    cloud.time.settle()
    assert closings(cloud) == before, "nothing is left to do once the contact has left, so no hop walks to the end"
    assert only(rows(cloud, "u-ends", "enrolment"))["status"] == "ended"

    sign_up(cloud, "u-orders")
    cloud.time.settle()
    accepted(
        cloud.tracking.webhook(
            "shop",
            {"type": "order_placed", "contact": {"user_id": "u-orders"}, "properties": {"coupon": "WELCOME10"}},
        )
    )
    cloud.time.settle()
    assert closings(cloud) == before + 1
    assert only(rows(cloud, "u-orders", "enrolment"))["status"] == "ended"
