"""WeCom on the embedded cloud: what becomes of messages that members send to customers."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml

from infra.project import Project
from local.cloud.local_cloud import LocalCloud
from local.running.operation_runs import run_operation
from tests.flows.message_journeys import add_journey
from tests.flows.projects import cloud_of, copy_content
from tests.flows.steps import accepted, by_day, introduce, rows
from waypost.channels.wecom.fake import FAKES
from waypost.contacts.channels import Channel

pytestmark = pytest.mark.flow

WECOM = Channel("wecom")
LIN, MEI = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA", "woAJ2GCAAAXtWyujaWJHDDGi0mACBBBB"
MEMBERS = {
    "members": [
        {
            "id": "zhang.san",
            "name": "张三",
            "email": "zhang.san@acme.example",
            "roles": ["operator"],
            "manager": "wei.zhang",
            "channels": {"wecom": "ZhangSan"},
        },
        {"id": "wei.zhang", "name": "Wei Zhang", "email": "wei.zhang@acme.example", "roles": ["lead"], "locale": "en"},
    ]
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("wecom-customers")
    statemachines = copy_content(folder)
    add_journey(
        statemachines / "journeys",
        "offer",
        "offer_made",
        {"channels": ["wecom"], "wecom": {"kind": "customer"}},
        {"wecom.zh-CN.yaml": "text: 您好，新品已经到店\n"},
    )
    (statemachines / "staff").mkdir(exist_ok=True)
    (statemachines / "staff" / "members.yaml").write_text(yaml.safe_dump(MEMBERS, allow_unicode=True), encoding="utf-8")
    return Project.at(folder)


@pytest.fixture(scope="module")
def cloud(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with cloud_of(project, tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


def act(cloud: LocalCloud, action: str, customer: str, **values: str) -> None:
    """A person does this in WeCom, and all that follows."""
    given = {"customer": customer, "member": "ZhangSan", **values}
    assert all(each.status == 200 for each in cloud.providers.perform(WECOM, action, given))
    cloud.time.settle()


def offer(cloud: LocalCloud, user_id: str, customer: str) -> None:
    """A customer of ZhangSan is to get the offer, which is a task for him."""
    introduce(cloud, user_id, external_userid=customer)
    cloud.time.settle()
    act(cloud, "add-customer", customer)
    by_day(cloud)
    accepted(cloud.tracking.track(user_id, "offer_made", {}, at=cloud.clock.now()))
    cloud.time.settle()


def row(cloud: LocalCloud, user_id: str) -> dict[str, Any]:
    [found] = [each for each in rows(cloud, user_id, "message").values() if each["message"] == "offer/offer"]
    return found


def test_a_message_is_delivered_when_its_member_sends_it_and_those_who_wait_are_reminded(cloud: LocalCloud) -> None:
    [wecom] = FAKES
    offer(cloud, "u-lin", LIN)
    offer(cloud, "u-mei", MEI)
    assert (row(cloud, "u-lin")["state"], row(cloud, "u-mei")["state"]) == ("accepted", "accepted")

    act(cloud, "confirm-task", LIN)
    cloud.time.travel_to(cloud.clock.now() + timedelta(hours=2))
    cloud.time.settle()
    assert (row(cloud, "u-lin")["state"], row(cloud, "u-mei")["state"]) == ("delivered", "accepted")
    assert "due_at" not in row(cloud, "u-lin")

    cloud.time.travel_to(cloud.clock.now() + timedelta(days=3))
    cloud.time.settle()
    assert wecom.reminders["ZhangSan"] >= 2
    hears = [call for call in cloud.providers.accepted if call.recipient == "wei.zhang@acme.example"]
    assert hears
    assert "张三: 1" in hears[0].content.text

    cloud.time.travel_to(cloud.clock.now() + timedelta(days=5))
    cloud.time.settle()
    assert row(cloud, "u-mei")["state"] == "rejected"
    access = {"outputs": cloud.access.outputs, "endpoint_url": cloud.access.endpoint_url}
    months = {f"{cloud.clock.now() - timedelta(days=days):%Y-%m}" for days in (0, 9)}
    shown = [run_operation(access, "show-task-results", {"month": month}) for month in sorted(months)]
    assert (sum(each["sent"] for each in shown), sum(each["withdrawn"] for each in shown)) == (1, 1)
    with pytest.raises(ValueError, match="no message waits"):
        wecom.confirm(MEI)
