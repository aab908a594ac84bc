"""The operation rescore-engagement on the embedded cloud: by night a scanner's clicks become a program's, in events and profile."""

from datetime import timedelta
from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from local.running.operation_runs import run_operation
from tests.flows.steps import accepted, introduce, only, rows
from waypost.tracking.visit import Visit

pytestmark = pytest.mark.flow


def clicked(cloud: LocalCloud, user: str, link: str, *, seconds: int) -> None:
    seen = Visit(act="clicked", user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64)", seconds=900).to_dict()
    given: dict[str, Any] = {"channel": "email", "message_key": "m-1", "link": link, "visit": seen}
    at = cloud.clock.now() - timedelta(days=4) + timedelta(seconds=seconds)
    accepted(cloud.tracking.track(user, "message_clicked", given | {"verdict": "nothing_against_it"}, at=at))


def test_the_first_clicks_of_a_scanner_are_a_programs_once_they_are_judged_again(cloud: LocalCloud) -> None:
    for user, links in {"scanned": ("one", "two", "three"), "reader": ("one",)}.items():
        introduce(cloud, user)
        for second, link in enumerate(links):
            clicked(cloud, user, link, seconds=second)
    cloud.time.settle()

    cloud.time.travel_to(cloud.clock.now() + timedelta(days=1))
    cloud.time.settle()
    kinds = {user: sorted(row["type"] for row in rows(cloud, user, "event").values()) for user in ("scanned", "reader")}
    assert kinds["scanned"].count("message_scanned") == 3
    assert "message_clicked" not in kinds["scanned"]
    assert kinds["reader"].count("message_clicked") == 1
    assert "message_clicked" not in only(rows(cloud, "scanned", "profile"))["seen"]
    assert "message_clicked" in only(rows(cloud, "reader", "profile"))["seen"]

    again = run_operation(cloud.access.to_dict(), "rescore-engagement", {})
    assert (again["judged"], again["changed"], again["profiles"]) == (4, 0, 0)
