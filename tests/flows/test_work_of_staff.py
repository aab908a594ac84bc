"""A journey gives a member of staff a task: answered on its page the journey goes on, left alone it is escalated. Another one
says in the group of a department what has happened.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.loopback import call
from local.problems import LocalError
from local.providers.record import Call
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import ScenarioFile
from local.running.file_operations import FileOperations
from local.running.operation_runs import run_operation
from tests.flows.steps import accepted, enrolment_of, heard, introduce, local_time, only, rows, travel, waiting_at
from waypost.contacts.channels import Channel

pytestmark = pytest.mark.flow

JOURNEY = "service-call"
MEMBERS = {
    "members": [
        {"id": "wei.zhang", "name": "Wei Zhang", "email": "wei.zhang@acme.example", "roles": ["lead"], "locale": "en"},
        {
            "id": "lin.chen",
            "name": "陈琳",
            "email": "lin.chen@acme.example",
            "roles": ["editor"],
            "locale": "zh-CN",
            "manager": "wei.zhang",
            "department": "sales",
            "channels": {"sms": "138 0013 8000"},
        },
    ],
    "departments": {"sales": {"robot": "dingtalk-sales"}},
    "queues": {"sales": ["lin.chen"], "service": ["lin.chen"]},
}
LEADS = {
    "journey.yaml": """
scenario: lead alert
description: Says in the group of the sales department that a lead has come.
owner: sales team
trigger: { event: lead_arrived }
re_entry: always
""",
    "definition.asl.yaml": """
Comment: The group hears of the lead.
QueryLanguage: JSONata
StartAt: Tell the sales department
States:
  Tell the sales department:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: "${NotifyStaff}"
      Payload: { context: "{% $states.context %}", message: new-lead, department: sales, urgent: true }
    Next: Finished
  Finished: { Type: Succeed }
""",
    "messages/new-lead/message.yaml": "kind: transactional\ntopic: staff\nchannels: [robot]\n",
    "messages/new-lead/robot.zh-CN.txt": "新线索：{{ contact.name | default('未留姓名') }}",
}
FILES = {
    "journey.yaml": """
scenario: service call
description: Has the owner of a contact call after a complaint.
owner: service team
trigger: { event: complaint_made }
re_entry: always
""",
    "definition.asl.yaml": """
Comment: The owner calls, else their manager sees to it.
QueryLanguage: JSONata
StartAt: Ask the owner to call
States:
  Ask the owner to call:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: "${AssignTask}"
      Payload:
        context: "{% $states.context %}"
        task: call-back
        to: linked
        title: { zh-CN: 回访投诉客户, en: Call the customer who complained }
        text: { zh-CN: 问清原因并致歉。, en: Ask what went wrong and say sorry. }
        within: 2h
        escalate: { to: managers }
    Assign: { time_left: "{% $states.result.Payload.time_left %}", outcome: "{% $states.result.Payload.outcome %}" }
    Next: Was the task given?

  Was the task given?:
    Type: Choice
    Choices:
      - Condition: "{% $outcome = 'skipped' %}"
        Next: Nobody looks after the contact
    Default: Until the task is answered

  Until the task is answered:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Arguments:
      FunctionName: "${PauseJourney}"
      Payload:
        context: "{% $states.context %}"
        for: "{% $time_left %}"
        or: { event: task_answered, where: { property: task, equals: call-back } }
    Assign:
      answer: "{% $exists($states.result.event) ? $states.result.event.properties.answer : 'none' %}"
    Next: What was the answer?

  What was the answer?:
    Type: Choice
    Choices:
      - Condition: "{% $answer = 'done' %}"
        Next: The contact was called
      - Condition: "{% $answer = 'not_possible' %}"
        Next: The contact could not be called
    Default: Nobody answered in time

  The contact was called: { Type: Succeed }
  The contact could not be called: { Type: Succeed }
  Nobody answered in time: { Type: Succeed }
  Nobody looks after the contact: { Type: Succeed }
""",
}
SCENARIOS = """
start: "2031-03-03T08:00:00+08:00"
scenarios:
  - name: is called
    contact: { user_id: u-called, email: called@example.com, timezone: Asia/Shanghai, owner: lin.chen }
    events:
      - { at: "day 1 10:00", event: complaint_made }
      - { at: "day 1 11:00", completes: call-back, note: 已致歉 }
    expect: { ends: completed, trail: [Until the task is answered, The contact was called] }
  - name: cannot be called
    contact: { user_id: u-unreachable, email: unreachable@example.com, timezone: Asia/Shanghai, owner: lin.chen }
    events:
      - { at: "day 1 10:00", event: complaint_made }
      - { at: "day 1 11:30", declines: call-back }
    expect: { ends: completed, trail: [Until the task is answered, The contact could not be called] }
  - name: is forgotten
    contact: { user_id: u-forgotten, email: forgotten@example.com, timezone: Asia/Shanghai, owner: lin.chen }
    events:
      - { at: "day 1 10:00", event: complaint_made }
    expect: { ends: completed, trail: [Until the task is answered, Nobody answered in time] }
  - name: has no owner
    contact: { user_id: u-ownerless, email: ownerless@example.com, timezone: Asia/Shanghai }
    events:
      - { at: "day 1 10:00", event: complaint_made }
    expect: { ends: completed, trail: [Nobody looks after the contact] }
  - name: is asked for too late in the evening
    contact: { user_id: u-evening, email: evening@example.com, timezone: Asia/Shanghai, owner: lin.chen }
    events:
      - { at: "day 1 19:00", event: complaint_made }
      - { at: "day 1 20:00", completes: call-back }
"""
FORM = {"content-type": "application/x-www-form-urlencoded", "accept-language": "zh-CN"}
LINK = re.compile(r"https?://[^\s\"<>]+/t/[\w.-]+")


def drop_in(statemachines: Path) -> None:
    for journey, files in {JOURNEY: FILES, "lead-alert": LEADS}.items():
        for name, text in files.items():
            path = statemachines / "journeys" / journey / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    members = statemachines / "staff" / "members.yaml"
    members.write_text(yaml.safe_dump(MEMBERS, allow_unicode=True), encoding="utf-8")


@pytest.fixture(scope="module")
def assembly(changed_assembly: Callable[[Callable[[Path], None]], Assembly]) -> Assembly:
    return changed_assembly(drop_in)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, assembly: Assembly) -> Iterator[LocalCloud]:
    scenarios = ScenarioFile.model_validate(yaml.safe_load(SCENARIOS))
    with LocalCloud(tmp_path_factory.mktemp("tasks") / "cloud", assembly=assembly, start=scenarios.start) as cloud:
        yield cloud


def complains(cloud: LocalCloud, user_id: str, owner: str = "lin.chen") -> int:
    """On the next workday at ten, where the owner and the manager work; how many messages had gone out before."""
    days = (cloud.clock.now().astimezone(cloud.default_zone).weekday() + 1) % 7
    travel(cloud, local_time(cloud, 10, in_days={5: 3, 6: 2}.get(days, 1)))
    before = len(cloud.providers.accepted)
    introduce(cloud, user_id, owner=owner, name="林")
    accepted(cloud.tracking.track(user_id, "complaint_made", {}, at=cloud.clock.now()))
    cloud.time.settle()
    return before


def notices_to(cloud: LocalCloud, member: str, since: int) -> list[Call]:
    return [each for each in cloud.providers.accepted[since:] if each.recipient == member]


def link_in(notice: Call) -> str:
    found = LINK.search(notice.content.text)
    assert found, notice.content.text
    return found[0]


def test_scenarios_answer_tasks_at_a_time(cloud: LocalCloud) -> None:
    file = ScenarioFile.model_validate(yaml.safe_load(SCENARIOS))
    results = {each.scenario.name: each for each in Rehearsal(cloud, {JOURNEY: file}).run()[JOURNEY]}
    late = results.pop("is asked for too late in the evening")
    assert {name: result.differences for name, result in results.items() if result.differences} == {}
    [reason] = late.differences
    assert "no notice of the task 'call-back' had gone out yet" in reason
    shown = [entry.title for entry in results["is called"].timeline]
    assert shown.index("task_assigned") < shown.index("task_answered")
    detail = next(entry.detail for entry in results["is called"].timeline if entry.title == "task_answered")
    for part in ("answer: done", "by: lin.chen", "note: 已致歉", "minutes: 60"):
        assert part in detail, detail


def test_a_task_that_is_answered_on_its_page_lets_the_journey_go_on(cloud: LocalCloud) -> None:
    before = complains(cloud, "u-answered")
    [notice] = notices_to(cloud, "lin.chen@acme.example", before)
    assert "回访投诉客户" in notice.content.subject
    shown = call("GET", link_in(notice), headers=FORM)
    assert shown.status == 200
    for words in ("回访投诉客户", "问清原因并致歉", "林", "u-answered@example.com"):
        assert words in shown.body.decode(), words
    assert waiting_at(cloud, "u-answered") == ["Until the task is answered"], "looking changes nothing"

    given = call("POST", link_in(notice), headers=FORM, body="answer=done&note=已致歉".encode())
    cloud.time.settle()
    assert given.status == 200
    assert enrolment_of(cloud, "u-answered", JOURNEY).outcome == "completed"
    again = call("POST", link_in(notice), headers=FORM, body=b"answer=not_possible")
    cloud.time.settle()
    assert "陈琳" in again.body.decode()
    answered = [row for row in heard(cloud, "u-answered").values() if row["type"] == "task_answered"]
    assert [row["properties"]["answer"] for row in answered] == ["done"]

    travel(cloud, cloud.clock.now() + timedelta(hours=3))
    assert notices_to(cloud, "wei.zhang@acme.example", before) == [], "nothing is left to escalate"


def test_a_task_that_nobody_answers_is_escalated_and_the_manager_can_answer(cloud: LocalCloud) -> None:
    before = complains(cloud, "u-silent")
    travel(cloud, cloud.clock.now() + timedelta(hours=2, minutes=2))
    assert enrolment_of(cloud, "u-silent", JOURNEY).outcome == "completed"
    [notice] = notices_to(cloud, "wei.zhang@acme.example", before)
    assert notice.content.subject == "Not answered in time: Call the customer who complained"
    assert "lin.chen" in notice.content.text

    given = call("POST", link_in(notice), headers={**FORM, "accept-language": "en"}, body=b"answer=done")
    cloud.time.settle()
    assert given.status == 200
    [answered] = [row for row in heard(cloud, "u-silent").values() if row["type"] == "task_answered"]
    assert (answered["properties"]["by"], answered["properties"]["late"]) == ("wei.zhang", True)
    task = only(rows(cloud, "u-silent", "task"))
    assert (task["answered_by"], task["expires_at"] > cloud.clock.now().timestamp()) == ("wei.zhang", True)


def test_a_file_of_members_is_in_force_as_a_whole_or_not_at_all(cloud: LocalCloud, tmp_path: Path) -> None:
    access, file = cloud.access.to_dict(), tmp_path / "staff.csv"

    def taken(*rows: str, dry_run: bool = False) -> dict[str, Any]:
        file.write_text("\n".join(("工号,姓名,邮箱,上级", *rows)) + "\n", encoding="utf-8")
        key = FileOperations(access).upload(file)
        return run_operation(access, "import-staff", {"file": key, "dry_run": dry_run})

    assert taken("shop-1,门店 1,shop-1@shops.example,lin.chen", dry_run=True)["joined_members"] == ["shop-1"]
    with pytest.raises(
        LocalError, match=r"1 of 2 rows cannot be used; nothing was changed\nrow 3, manager: nobody is neither"
    ):
        taken("shop-1,门店 1,shop-1@shops.example,lin.chen", "shop-2,门店 2,shop-2@shops.example,nobody")
    assert taken("shop-1,门店 1,shop-1@shops.example,lin.chen")["joined"] == 1

    before = complains(cloud, "u-of-a-shop", owner="shop-1")
    [notice] = notices_to(cloud, "shop-1@shops.example", before)
    assert "回访投诉客户" in notice.content.subject
    travel(cloud, cloud.clock.now() + timedelta(hours=2, minutes=2))
    assert len(notices_to(cloud, "lin.chen@acme.example", before)) == 1, "the manager, who is in members.yaml"


def test_members_in_wecom_come_and_leave_by_a_sync(cloud: LocalCloud) -> None:
    access, wecom = cloud.access.to_dict(), Channel("wecom")
    for member, leader in (("ShopLead", "lin.chen"), ("ShopTwo", "ShopLead")):
        cloud.providers.perform(wecom, "hire", {"member": member, "leader": leader})
    assert run_operation(access, "sync-staff", {})["joined_members"] == ["shoplead", "shoptwo"]
    cloud.providers.perform(wecom, "dismiss", {"member": "ShopTwo"})
    found = run_operation(access, "sync-staff", {})
    assert (found["left_members"], found["problems"]) == (["shoptwo"], [])
    with pytest.raises(LocalError, match="expected dry_run, by and shrink"):
        run_operation(access, "sync-staff", {"file": "x"})


def test_the_group_of_a_department_hears_of_a_lead_by_its_robot(cloud: LocalCloud) -> None:
    introduce(cloud, "u-lead", name="林")
    accepted(cloud.tracking.track("u-lead", "lead_arrived", {}, at=cloud.clock.now()))
    cloud.time.settle()
    assert enrolment_of(cloud, "u-lead", "lead-alert").outcome == "completed"
    [arrived] = [each for each in cloud.providers.accepted if each.channel == "robot"]
    assert arrived.content.text == "新线索：林\n@13800138000"
    assert {"timestamp", "sign"} < arrived.request["query"].keys(), "it was signed, and the fake has checked it"
