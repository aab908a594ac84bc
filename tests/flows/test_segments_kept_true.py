"""A profile change enters a saved segment, which starts a journey; leaving the segment ends it. On the embedded cloud."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.commands.app import app
from local.project.segment_files import segment_called
from local.running import segment_members
from local.running.segment_members import count_by_scan
from tests.flows.dropped_in import drop_in_all
from tests.flows.steps import accepted, contact_id, introduce, items, only, rows, travel
from waypost.reports.timeline import timeline

JOURNEY = "vip-greeting"


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, changed_assembly: Callable[[Callable[[Path], None]], Assembly]
) -> Iterator[LocalCloud]:
    """This project with the journeys that are dropped in."""
    folder = tmp_path_factory.mktemp("segments")
    with LocalCloud(folder / "cloud", assembly=changed_assembly(drop_in_all)) as cloud:
        cloud.time.settle()
        yield cloud


@pytest.fixture
def running(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """The cloud as ``waypost`` finds the one that runs."""
    monkeypatch.setattr("local.running.background.access", cloud.access.to_dict)
    monkeypatch.setattr(segment_members, "_now", cloud.clock.now)
    return cloud


def timeline_entries(cloud: LocalCloud, user_id: str) -> list[tuple[str, str]]:
    """What the timeline says of segments, tags, stages and journeys."""
    entries = timeline(contact_id(user_id), items(cloud), default_zone=cloud.default_zone)
    return [(each.title, each.detail) for each in entries if each.kind in {"entry", "end"} or "segment" in each.title]


def asked(*arguments: str) -> Any:
    shown = CliRunner().invoke(app, ["segment", *arguments, "--json"])
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


@pytest.mark.flow
def test_a_profile_change_enters_a_segment_which_starts_a_journey_and_leaving_ends_it(running: LocalCloud) -> None:
    introduce(running, "lin", level=3)
    running.time.settle()
    profile = only(rows(running, "lin", "profile"))
    assert "vip-members" in profile["segments"]
    assert ("journey entered", "by segment_entered") in timeline_entries(running, "lin")
    [member] = [row for row in rows(running, "lin", "enrolment").values() if row["journey"] == JOURNEY]
    assert member["trigger"]["properties"] == {"segment": "vip-members", "because": "identified"}

    travel(running, running.clock.now() + timedelta(days=1))
    introduce(running, "lin", level=1)
    running.time.settle()
    assert "vip-members" not in only(rows(running, "lin", "profile"))["segments"]
    [member] = [row for row in rows(running, "lin", "enrolment").values() if row["journey"] == JOURNEY]
    assert (member["status"], member["outcome"]) == ("ended", "exited")
    assert ("left segment vip-members", "because of identified") in timeline_entries(running, "lin")


@pytest.mark.flow
def test_a_segment_is_counted_and_explained_in_the_running_system(running: LocalCloud) -> None:
    introduce(running, "wei", level=1)
    order = {"order_id": "o-1", "total": 3200}
    accepted(running.tracking.track("wei", "order_placed", order, at=running.clock.now()))
    introduce(running, "mei", level=2)
    running.time.settle()

    counted = asked("count", "vip-members")
    assert contact_id("wei") in counted["sample"]
    assert contact_id("mei") not in counted["sample"]
    assert 1 <= counted["members"] < counted["contacts"]
    checked, seen = segment_called("vip-members"), list[int]()
    scanned = count_by_scan(checked, running.access.to_dict(), progress=lambda number, _total: seen.append(number))
    assert scanned.to_dict() | {"sample": sorted(scanned.sample)} == counted | {"sample": sorted(counted["sample"])}
    assert seen[-1] == counted["contacts"]

    explained = asked("why", "vip-members", "wei@example.com")
    assert (explained["contact_id"], explained["member"], explained["kept"]) == (contact_id("wei"), True, True)
    spent, level = (
        explained["explanation"]["children"][0]["children"][1],
        explained["explanation"]["children"][0]["children"][0],
    )
    assert (spent["holds"], level["holds"]) == (True, False)
    assert "3200" in spent["values"].replace(",", "")
    assert not asked("why", "vip-members", contact_id("mei"))["member"]
