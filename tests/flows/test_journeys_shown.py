"""A contact's way through a journey, as the console's operation and the command of the same purpose draw it."""

from datetime import timedelta
from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from local.loopback import call
from local.problems import LocalError
from local.running.explaining import explanation_of
from local.running.operation_runs import run_operation
from tests.flows.steps import accepted, travel

pytestmark = pytest.mark.flow

WHO = {"user_id": "u-shown"}


def started(cloud: LocalCloud, operation: str, **given: Any) -> dict[str, Any]:
    access = {"outputs": cloud.access.outputs, "endpoint_url": cloud.access.endpoint_url}
    return run_operation(access, operation, given)


def shown(cloud: LocalCloud, **given: Any) -> dict[str, Any]:
    return started(cloud, "show-contact", **given)


def test_the_link_of_the_operation_leads_to_the_page_of_the_contact(cloud: LocalCloud) -> None:
    at = cloud.clock.now()
    traits = {"email": "shown@example.com", "timezone": "Asia/Shanghai", "consent": {"email": True, "sms": True}}
    accepted(cloud.tracking.identify(WHO["user_id"], traits, at=at))
    accepted(cloud.tracking.track(WHO["user_id"], "registered", {"source": "app"}, at=at))
    cloud.time.settle()

    answer = shown(cloud, contact=WHO, language="zh-CN")
    [journey] = answer["journeys"]
    assert (journey["journey"], journey["waits_at"]) == ("new-user-nurture", "Until day 3 at ten")
    page = call("GET", answer["link"])
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    content = page.body.decode()
    assert "该联系人在“Until day 3 at ten”处等待至" in content
    assert 'class="shape pause passed now"' in content
    assert "shown@example.com" not in content

    explained = started(
        cloud, "explain-contact", contact=WHO, journey="new-user-nurture", message="welcome", language="zh-CN"
    )
    [message] = explained["messages"]
    guards = [each["guard"] for each in message["decisions"][0]["guards"]]
    assert "quiet_hours" in guards
    assert guards[-2:] == ["forbidden_words", "sms_parts"]  # of the content, so after it is filled in
    page = call("GET", explained["link"])
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert message["message_key"] in page.body.decode()

    access = {"contacts_table": cloud.access.contacts_table, "endpoint_url": cloud.access.endpoint_url}
    by_key = explanation_of(access, message_key=message["message_key"], contact="", journey="", message="")
    assert [each.to_dict() for each in by_key.messages] == explained["messages"]

    with pytest.raises(LocalError) as refused:
        shown(cloud, contact={"user_id": "u-unknown"})
    assert "no contact is known by this user_id" in refused.value.what


def test_the_policy_is_changed_without_a_deployment(cloud: LocalCloud) -> None:
    who, signed = {"user_id": "u-capped"}, {"by": "lin.chen", "reason": "a flow test"}
    changed = started(
        cloud, "change-policy", action="apply", policy={"topic_spacing_days": {"new-user-nurture": 1}}, **signed
    )
    assert [each["section"] for each in changed["sections"]] == ["topic_spacing_days"]
    travel(cloud, cloud.clock.now() + timedelta(minutes=2))

    at = cloud.clock.now()
    traits = {"email": "capped@example.com", "timezone": "Asia/Shanghai", "consent": {"email": True, "sms": True}}
    accepted(cloud.tracking.identify(who["user_id"], traits, at=at))
    accepted(cloud.tracking.track(who["user_id"], "registered", {"source": "app"}, at=at))
    cloud.time.settle()
    [message] = started(cloud, "explain-contact", contact=who, journey="new-user-nurture")["messages"]
    assert message["decisions"][0]["policy"] == changed["version_then"]

    with pytest.raises(LocalError) as refused:
        started(cloud, "change-policy", action="apply", policy={"frequency_cap": {"count": 0, "hours": 24}}, **signed)
    assert "policy.frequency_cap.count: input should be greater than or equal to 1" in refused.value.what
    back = started(cloud, "change-policy", action="reset", **signed)
    assert back["version_then"] == changed["version"]
