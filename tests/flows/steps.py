"""What a flow test does and looks at, in the words of the product. Used by the tests of storms, faults and clients."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from local.cloud.local_cloud import LocalCloud
from local.loopback import Answer
from waypost import ids
from waypost.aws.contacts import DynamoContactItems
from waypost.clock import format_instant, real_now
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import SHARDS
from waypost.journeys.timers import minute_of, timer_name
from waypost.reports.timeline import MessageDecision, decisions
from waypost.segments.vocabulary import CONCLUSIONS
from waypost.sending.occasion import JourneyStep

NURTURE = "new-user-nurture"
WELCOME = "Day 1, welcome e-mail with the product guide"
PATIENCE = timedelta(seconds=60)
"""How long something that is on its way may take, in real time."""

Item = dict[str, Any]

_phones = (f"+86139{number:08d}" for number in count(1))


def contact_id(user_id: str) -> str:
    """The id of the contact first seen under this user id."""
    return ids.contact_id("user_id", user_id)


def traits(user_id: str, **others: Any) -> dict[str, Any]:
    """A contact in Shanghai who can be reached by e-mail and SMS and wants to be."""
    return {
        "email": f"{user_id}@example.com",
        "phone": next(_phones),
        "locale": "zh-CN",
        "timezone": "Asia/Shanghai",
        "consent": {"email": True, "sms": True},
        **others,
    }


def introduce(cloud: LocalCloud, user_id: str, **others: Any) -> None:
    """Say who the contact is, so that only the next event is what the test is about."""
    accepted(cloud.tracking.identify(user_id, traits(user_id, **others), at=cloud.clock.now()))


def sign_up(cloud: LocalCloud, user_id: str, **others: Any) -> None:
    """A new contact registers: the start of the nurture journey."""
    introduce(cloud, user_id, **others)
    accepted(cloud.tracking.track(user_id, "registered", {"source": "web"}, at=cloud.clock.now()))


def accepted(answer: Answer) -> Answer:
    """The answer, which has to be that every event was taken."""
    assert answer.status in {200, 202}, answer.body
    return answer


def by_day(cloud: LocalCloud) -> None:
    """Be at a time when every sending window of the default zone is open, and stays so for hours: now, or at ten."""
    now = cloud.clock.now().astimezone(cloud.default_zone)
    if not 9 <= now.hour < 17:
        travel(cloud, local_time(cloud, 10) + timedelta(days=now.hour >= 9))


def by_night(cloud: LocalCloud) -> None:
    """Be at eleven at night, when no marketing goes out."""
    eleven = local_time(cloud, 23)
    travel(cloud, eleven if eleven >= cloud.clock.now() else eleven + timedelta(days=1))


def local_time(cloud: LocalCloud, hour: int, *, in_days: int = 0) -> datetime:
    """A full hour in the default zone, so many days after today."""
    now = cloud.clock.now().astimezone(cloud.default_zone)
    return now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=in_days)


def travel(cloud: LocalCloud, instant: datetime) -> None:
    """Travel there and wait until everything that happens on arrival has come to rest."""
    cloud.time.travel_to(instant)
    cloud.time.settle()


def eventually(cloud: LocalCloud, condition: Callable[[], object], what: str) -> None:
    """Watch a system that is busy until the condition holds; it is looked at again whenever the emulator answers."""
    deadline = real_now() + PATIENCE
    while not condition():
        assert real_now() < deadline, f"still not so: {what}"
        cloud.emulator.quiet(within=0.02, after=cloud.clock.now())


def rows(cloud: LocalCloud, user_id: str, kind: str = "") -> dict[str, Item]:
    """What is kept of a contact: sort key → item, of one kind (``message``, ``pause``, ``event`` …) or all."""
    found = items(cloud).everything(contact_id(user_id))
    return {str(item["sk"]): item for item in found if not kind or str(item["sk"]).split("#")[0] == kind}


def heard(cloud: LocalCloud, user_id: str, kind: str = "event") -> dict[str, Item]:
    """The contact's events, or the marks that they were ``routed``, without those in which Waypost concludes something."""
    found = rows(cloud, user_id, kind)
    return {sk: row for sk, row in found.items() if row.get("type", row.get("event_type")) not in CONCLUSIONS}


def items(cloud: LocalCloud) -> DynamoContactItems:
    """The reader of everything that is kept of a contact."""
    return DynamoContactItems(cloud.client("dynamodb"), cloud.access.contacts_table)


def only(found: Mapping[str, Item]) -> Item:
    """The one item there is."""
    assert len(found) == 1, sorted(found)
    return next(iter(found.values()))


def decided(cloud: LocalCloud, user_id: str) -> list[MessageDecision]:
    """Every decision on every message of the contact, oldest first."""
    return decisions(contact_id(user_id), items(cloud))


def message_key(user_id: str, state: str = WELCOME, journey: str = NURTURE) -> str:
    """The key of a message of a journey that a contact passes once; known before the contact even signs up."""
    enrolment = ids.enrolment_id(journey, contact_id(user_id), "once")
    return JourneyStep(contact_id(user_id), enrolment, journey, state).message_key


def executions(cloud: LocalCloud, journey: str = NURTURE) -> dict[str, str]:
    """Every execution of a journey: name → status."""
    pages = cloud.client("stepfunctions").get_paginator("list_executions")
    return {
        execution["name"]: execution["status"]
        for page in pages.paginate(stateMachineArn=cloud.access.state_machines[journey])
        for execution in page["executions"]
    }


def enrolment_of(cloud: LocalCloud, user_id: str, journey: str = NURTURE) -> Enrolment:
    """The one passage of a contact through a journey."""
    found = {sk: row for sk, row in rows(cloud, user_id, "enrolment").items() if row["journey"] == journey}
    return Enrolment.from_dict(only(found))


def waiting_at(cloud: LocalCloud, user_id: str) -> list[str]:
    """The Pause states in which the contact is parked."""
    found = [Enrolment.from_dict(row) for row in rows(cloud, user_id, "enrolment").values()]
    return [each.pause.state for each in found if each.pause and each.position == "parked"]


def timer_of(enrolment: Enrolment) -> tuple[str, dict[str, Any]]:
    """The name of the timer that resumes a parked contact, and what it calls with."""
    minute, shard = minute_of(enrolment.due_at), ids.shard_of(enrolment.contact_id, SHARDS)
    return timer_name(minute, shard), {"minute": format_instant(minute), "shard": shard}


def counted(cloud: LocalCloud, function: str, *metrics: str) -> Counter[str]:
    """The sums of a function's metrics since the cloud was started, out of its log."""
    totals: Counter[str] = Counter()
    for line in log_of(cloud, function):
        if line.startswith('{"_aws"'):
            entry = json.loads(line)
            totals.update({metric: int(sum(entry.get(metric, []))) for metric in metrics})
    return totals


def log_of(cloud: LocalCloud, function: str) -> Iterator[str]:
    """The lines of a function's log."""
    group = f"/aws/lambda/{function_name(cloud, function)}"
    pages = cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return (event["message"].strip() for page in pages for event in page["events"])


def function_name(cloud: LocalCloud, function: str) -> str:
    """The name under which the function of a folder is deployed."""
    return f"waypost-{cloud.access.stage}-{function.replace('_', '-')}"


def invoke(cloud: LocalCloud, function: str, payload: Mapping[str, Any]) -> Any:
    """Call a function as a schedule does that fires once more than it should."""
    answer = cloud.client("lambda").invoke(
        FunctionName=function_name(cloud, function), Payload=json.dumps(payload).encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def schedule_input(cloud: LocalCloud, name: str) -> Any:
    """What a schedule calls its function with."""
    group, _, schedule = name.rpartition("/")
    found = cloud.client("scheduler").get_schedule(Name=schedule, GroupName=group.rpartition("/")[2])
    return json.loads(found["Target"]["Input"])


def end_workers(cloud: LocalCloud, function: str) -> int:
    """End the processes in which the embedded cloud runs a function, as a crash would; how many there were."""
    pids = cloud.emulator.workers().get(function_name(cloud, function), [])
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)
