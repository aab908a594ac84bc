"""Journeys that a person, a tag or the clock starts, through the machine start-journey and its schedules."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.running.operation_runs import run_operation
from tests.flows.steps import NURTURE, accepted, by_day, decided, introduce, local_time, travel
from waypost.clock import parse_instant

pytestmark = pytest.mark.flow

SEND = """
      Type: Task
      Resource: arn:aws:states:::lambda:invoke
      Arguments:
        FunctionName: "${SendMessage}"
        Payload: { message: greeting, context: "{% $states.context %}" }
      Next: Finished
"""
PAUSE = """
    Until nine on the day:
      Type: Task
      Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
      Arguments:
        FunctionName: "${PauseJourney}"
        Payload: { until: { anniversary: birthday, days: -7, at: "09:00" }, context: "{% $states.context %}" }
      Next: Say it
"""
JOURNEYS = {
    "birthday-letter": ("{ anniversary: birthday, days: -7 }", "Until nine on the day", PAUSE),
    "weekly-letter": (
        '{ schedule: { every: week, on: monday, at: "09:30" }, rule: { attribute: level, at_least: 2 } }',
        "Say it",
        "",
    ),
    "vip-care": ("{ tag: vip }", "Say it", ""),
    "by-hand": ("manual", "Say it", ""),
}


def drop_in(statemachines: Path) -> None:
    for name, (trigger, first, pause) in JOURNEYS.items():
        folder = statemachines / "journeys" / name
        (folder / "messages" / "greeting").mkdir(parents=True)
        (folder / "journey.yaml").write_text(
            f"scenario: {name}\ndescription: Greets.\nowner: shop team\nre_entry: always\ntrigger: {trigger}\n"
        )
        (folder / "definition.asl.yaml").write_text(
            f"Comment: Greets.\nQueryLanguage: JSONata\nStartAt: {first}\nStates:\n{pause}\n    Say it:{SEND}\n"
            "    Finished:\n      Type: Succeed\n"
        )
        message = folder / "messages" / "greeting"
        (message / "message.yaml").write_text("kind: transactional\ntopic: care\nchannels: [sms]\n")
        (message / "sms.zh-CN.txt").write_text("【路标商店】你好", encoding="utf-8")


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, changed_assembly: Callable[[Callable[[Path], None]], Assembly]
) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("started") / "cloud"
    with LocalCloud(folder, assembly=changed_assembly(drop_in)) as cloud:
        by_day(cloud)
        yield cloud


def sent(cloud: LocalCloud, user_id: str) -> list[tuple[str, str]]:
    """Journey and local time of each message that went out."""
    return [
        (each.journey, f"{parse_instant(each.at).astimezone(cloud.default_zone):%Y-%m-%d %H:%M}")
        for each in decided(cloud, user_id)
        if each.outcome == "sent"
    ]


def test_a_person_starts_a_journey_for_contacts_and_for_each_once(cloud: LocalCloud) -> None:
    for name in ("u-one", "u-two", "u-other"):
        introduce(cloud, name)
    cloud.time.settle()
    request = {
        "journey": "by-hand",
        "contacts": [{"user_id": "u-one"}, {"user_id": "u-two"}, {"user_id": "u-nobody"}],
        "occasion": "spring",
    }
    for _ in range(2):
        answer = run_operation(cloud.access.to_dict(), "start-journey", request)
        cloud.time.settle()
    assert (answer["requested"], answer["unknown"]) == (2, ["contacts[2]"])
    assert [len(sent(cloud, name)) for name in ("u-one", "u-two", "u-other")] == [1, 1, 0]


def test_a_test_contact_lives_a_week_of_the_deployed_journey_in_minutes(cloud: LocalCloud) -> None:
    introduce(cloud, "u-tester")
    cloud.time.settle()
    access, began = cloud.access.to_dict(), cloud.clock.now()
    who, asked = {"user_id": "u-tester"}, {"by": "lin.chen", "reason": "tries the nurture"}
    request = {"journey": NURTURE, "contact": who, "test": True, **asked}
    with pytest.raises(LocalError, match="is no test contact"):
        run_operation(access, "start-journey", request)
    run_operation(access, "mark-test-contact", {"contact": who, **asked})
    cloud.time.settle()
    run_operation(access, "start-journey", request)
    travel(cloud, began + timedelta(minutes=20))
    [passage] = run_operation(access, "show-contact", {"contact": who})["journeys"]
    assert (passage["outcome"], passage["test_pace"]) == ("completed", 1440)
    today = began.astimezone(cloud.default_zone).date()
    lived = [datetime.fromisoformat(each.local_time) for each in decided(cloud, "u-tester") if each.outcome == "sent"]
    days = [(each.date() - today).days + 1 for each in lived]
    assert days == [1, 3, 7], "who answers nothing is written to on the first, third and seventh day of the journey"
    assert parse_instant(passage["ended_at"]) - began <= timedelta(minutes=20)
    assert NURTURE not in [journey for journey, _ in sent(cloud, "u-one")], "nobody else was touched"


def test_a_tag_starts_a_journey(cloud: LocalCloud) -> None:
    introduce(cloud, "u-vip")
    cloud.time.settle()
    assert sent(cloud, "u-vip") == []
    accepted(cloud.tracking.identify("u-vip", {"tags": ["vip"]}, at=cloud.clock.now()))
    cloud.time.settle()
    assert [journey for journey, _ in sent(cloud, "u-vip")] == ["vip-care"]


def test_the_clock_starts_journeys_on_the_day_and_at_the_minute(cloud: LocalCloud) -> None:
    today = local_time(cloud, 0)
    due = today + timedelta(days=3)
    born = (due + timedelta(days=7)).date().replace(year=1996)
    introduce(cloud, "u-birthday", birthday=born.isoformat())
    introduce(cloud, "u-later", birthday=(due + timedelta(days=60)).date().replace(year=1996).isoformat())
    introduce(cloud, "u-reader", level=2)
    cloud.time.settle()
    travel(cloud, local_time(cloud, 20, in_days=7))
    assert sent(cloud, "u-birthday") == [("birthday-letter", f"{due:%Y-%m-%d} 09:00")]
    assert sent(cloud, "u-later") == []
    monday = next(today + timedelta(days=n) for n in range(1, 8) if (today + timedelta(days=n)).weekday() == 0)
    letters = sent(cloud, "u-reader")
    assert [journey for journey, _ in letters] == ["weekly-letter"] * len(letters)
    assert f"{monday:%Y-%m-%d} 09:30" in [at for _, at in letters]
