"""Many systems at once say that three people are one; then it turns out that they are not."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cloud.local_cloud import LocalCloud
from local.commands.app import app
from local.problems import LocalError
from local.running import background
from local.running.operation_runs import run_operation
from tests.flows.steps import accepted, by_day, executions, items
from waypost import ids
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.reports.timeline import timeline

pytestmark = pytest.mark.flow

USER = {"user_id": "u-merged"}
MAIL = {"email": "merged@example.com"}
PHONE = {"phone": "+8613900990099"}
CUSTOMER, READER, CALLER = (ids.contact_id(*next(iter(each.items()))) for each in (USER, MAIL, PHONE))
WAYS = ({**USER, **MAIL}, {**MAIL, **PHONE}, {**USER, **PHONE}, {**USER, **MAIL, **PHONE})
LINKS = 200
POINTS = 40
SENDERS = 12


def contacts(cloud: LocalCloud) -> DynamoContacts:
    return DynamoContacts(cloud.client("dynamodb"), cloud.access.contacts_table)


def happens(cloud: LocalCloud, kind: str, contact: dict[str, str], **event: Any) -> None:
    accepted(cloud.tracking.webhook("shop", {"type": kind, "contact": contact, **event}))


def link(cloud: LocalCloud, number: int) -> None:
    """An identify call that names two of the three, or all; every second one comes from a device of its own."""
    who = WAYS[number % len(WAYS)]
    traits = {name: value for name, value in who.items() if name != "user_id"}
    body = {"messageId": f"link-{number}", "traits": {**traits, f"link_{number}": number}}
    if "user_id" in who:
        body["userId"] = who["user_id"]
    if number % 2:
        body["anonymousId"] = f"device-{number}"
    accepted(cloud.tracking.post("identify", body))


def earn(cloud: LocalCloud, number: int) -> None:
    """One of the three earns a point, and the shop says so twice."""
    who = (USER, MAIL, PHONE)[number % 3]
    points = {"type": "points_earned", "contact": who, "properties": {"points": 1}}
    statuses = [cloud.tracking.webhook("shop", points, webhook_id=f"msg_point_{number}").status for _ in range(2)]
    assert statuses == [202, 200]


def access_of(cloud: LocalCloud) -> dict[str, Any]:
    return {"outputs": cloud.access.outputs, "endpoint_url": cloud.access.endpoint_url}


def operation(cloud: LocalCloud, **given: Any) -> dict[str, Any]:
    return run_operation(access_of(cloud), "merge-contacts", given)


def given_up(cloud: LocalCloud) -> dict[str, int]:
    """How many events and calls wait in the queues for what nobody could take."""
    count = "ApproximateNumberOfMessages"
    queues = {name: cloud.access.outputs[name] for name in ("EventsDeadLettersUrl", "UndeliveredUrl")}
    return {
        name: int(cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[count])["Attributes"][count])
        for name, url in queues.items()
    }


@pytest.fixture(scope="module")
def given_up_before(cloud: LocalCloud) -> dict[str, int]:
    return given_up(cloud)


@pytest.fixture(scope="module")
def merged(cloud: LocalCloud, given_up_before: dict[str, int]) -> DynamoContacts:
    """Three people, one of them in a journey, and a storm of events that link them."""
    by_day(cloud)
    happens(cloud, "registered", MAIL, profile={"first_name": "Mei", "consent": {"email": True}, "seat": "window"})
    happens(cloud, "page_viewed", USER, profile={"seat": "aisle"})
    happens(cloud, "page_viewed", PHONE, profile={"tags": []})
    cloud.time.settle()
    with ThreadPoolExecutor(SENDERS) as senders:
        links = [senders.submit(link, cloud, number) for number in range(LINKS)]
        points = [senders.submit(earn, cloud, number) for number in range(POINTS)]
        for sent in (*points, *links):
            sent.result()
    cloud.time.settle(within=240)
    return contacts(cloud)


def test_one_contact_is_left_and_nothing_is_lost(merged: DynamoContacts) -> None:
    one = merged.load(CUSTOMER)
    assert one is not None
    assert (one.contact_id, set(one.absorbed)) == (CUSTOMER, {READER, CALLER})
    assert one.points == POINTS
    assert {number for number in range(LINKS) if one.attributes.get(f"link_{number}") == number} == set(range(LINKS))
    assert set(one.identities["anonymous_id"]) == {f"device-{number}" for number in range(1, LINKS, 2)}
    for identity in (USER, MAIL, PHONE, {"anonymous_id": "device-7"}):
        (owner,) = merged.resolve(identity).values()
        assert merged.load(owner) == one


def test_both_merges_are_on_the_timeline(cloud: LocalCloud, merged: DynamoContacts) -> None:
    entries = timeline(READER, items(cloud), default_zone=cloud.default_zone)
    assert [entry.title for entry in entries].count("contacts_merged") == 2
    assert [entry.title for entry in entries].count("points_earned") == POINTS
    assert [entry.title for entry in entries].count("identified") == LINKS
    assert "registered" in [entry.title for entry in entries]


def test_the_records_of_the_merges_agree_with_the_events_about_them(cloud: LocalCloud, merged: DynamoContacts) -> None:
    one = merged.load(CUSTOMER)
    assert one is not None
    assert one.unannounced == ()
    known = [item for each in one.partitions for item in items(cloud).everything(each)]
    announced = [item["properties"] for item in known if item.get("type") == "contacts_merged"]
    records = [record for each in one.partitions for record in merged.merges(each)]

    assert sorted(record.absorbed.contact_id for record in records) == sorted(one.absorbed)
    assert Counter((each["merge_id"], each["from"], each["into"]) for each in announced) == Counter(
        (record.merge_id, record.absorbed.contact_id, record.survivor.contact_id) for record in records
    )
    for record in records:
        assert record.result.points == record.survivor.points + record.absorbed.points


def test_the_storm_leaves_nothing_in_the_dead_letters(
    cloud: LocalCloud, given_up_before: dict[str, int], merged: DynamoContacts
) -> None:
    assert given_up(cloud) == given_up_before


def test_the_journey_of_one_of_them_ends_when_another_of_them_orders(cloud: LocalCloud, merged: DynamoContacts) -> None:
    happens(cloud, "unsubscribed", USER, properties={})
    cloud.time.settle()
    store = DynamoEnrolments(cloud.client("dynamodb"), cloud.access.contacts_table)
    passage = store.load(READER, ids.enrolment_id("new-user-nurture", READER, "once"))
    assert passage is not None
    assert (passage.status, passage.outcome) == ("ended", "exited")
    assert ids.execution_name(passage.journey, passage.hop.id) not in executions(cloud), "nothing is left to do"
    one = merged.load(READER)
    assert one is not None
    assert one.consent("email", "*") == "withdrawn"


def test_a_merge_is_undone_by_the_operation_and_the_next_link_does_not_bring_it_back(
    cloud: LocalCloud, merged: DynamoContacts
) -> None:
    merge = next(each for each in merged.merges(CUSTOMER) if each.absorbed.contact_id == READER)
    done = operation(cloud, action="undo", contact=MAIL, merge_id=merge.merge_id, reason="two people")
    assert (done["survivor"], done["restored"]) == (CUSTOMER, READER)
    happens(cloud, "identified", {**USER, **MAIL})
    cloud.time.settle()
    reader, customer = merged.load(READER), merged.load(CUSTOMER)
    assert reader is not None
    assert customer is not None
    assert (reader.contact_id, customer.contact_id) == (READER, CUSTOMER)
    assert (reader.attributes["seat"], customer.attributes["seat"]) == ("window", "aisle")
    assert reader.consent("email", "*") == customer.consent("email", "*") == "withdrawn"
    assert "contacts_unmerged" in [
        each.title for each in timeline(READER, items(cloud), default_zone=cloud.default_zone)
    ]

    shown = operation(cloud, action="preview", contacts=[USER, MAIL])
    assert (shown["allowed"], shown["kept_apart"]) == (True, True)


def test_the_command_line_shows_merges_and_parts(
    cloud: LocalCloud, merged: DynamoContacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        background, "access", lambda: {**access_of(cloud), "contacts_table": cloud.access.contacts_table}
    )
    happens(cloud, "page_viewed", {"user_id": "u-typed"})
    happens(cloud, "page_viewed", {"email": "typed@example.com"})
    happens(cloud, "page_viewed", {"user_id": "u-other"})
    cloud.time.settle()

    def waypost(*words: str, exits: int = 0) -> Any:
        result = CliRunner().invoke(app, ["contacts", *words])
        assert result.exit_code == exits, result.output
        return json.loads(result.stdout) if "--json" in words else result.stdout

    assert waypost("merge", "u-typed", "u-other", "--preview", "--json", exits=1)["reason"] == "different_people"
    shown = waypost("merge", "u-typed", "typed@example.com", "--preview", "--json")
    assert waypost("show", "typed@example.com", "--json")["profile"]["contact_id"] == shown["from"]
    assert (
        waypost("merge", "u-typed", "typed@example.com", "--reason", "said so", "--json")["merge_id"]
        == shown["merge_id"]
    )
    known = waypost("show", "typed@example.com", "--json")
    assert (known["profile"]["contact_id"], known["merges"][0]["cause"]) == (shown["into"], "said so")
    assert "typed@example.com" in waypost("show", "u-typed")
    assert waypost("unmerge", "u-typed", "--json")["restored"] == shown["from"]
    assert "lives again" in waypost("unmerge", "typed@example.com", "--merge", shown["merge_id"])


def test_a_wrong_request_fails_the_operation_with_field_and_reason(cloud: LocalCloud, merged: DynamoContacts) -> None:
    with pytest.raises(LocalError, match=r"contacts\[1\]: should be an object"):
        operation(cloud, action="merge", contacts=[USER, "c-1"])
    with pytest.raises(LocalError, match="action: should be one of preview, merge, undo"):
        operation(cloud, action="join", contacts=[USER, MAIL])
    with pytest.raises(LocalError, match="no contact is known by this user_id"):
        operation(cloud, action="preview", contacts=[USER, {"user_id": "nobody"}])
