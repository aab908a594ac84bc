"""Many events at once, repeated, out of order and broken: everything that came in is accounted for, and nothing happens twice."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from tests.flows.steps import (
    NURTURE,
    accepted,
    by_day,
    contact_id,
    counted,
    decided,
    enrolment_of,
    executions,
    heard,
    introduce,
    message_key,
    only,
    rows,
    sign_up,
    traits,
    travel,
)
from waypost import ids
from waypost.clock import format_instant
from waypost.journeys.enrolment import START

pytestmark = pytest.mark.flow

CONTACTS = [f"storm-{number:02d}" for number in range(50)]
EACH = 32
BATCH = 40
SENDERS = 10
REPEATED_LATE = 20
COUNTERS = ("EventsRouted", "EventsRepeated", "EventsDeadLettered")

Call = dict[str, Any]


def story(cloud: LocalCloud, user_id: str) -> list[Call]:
    """What one contact does, in order: registers (three times over), looks around, buys, answers a survey."""
    begun = cloud.clock.now() - timedelta(hours=1)

    def call(number: int) -> Call:
        kinds: list[Call] = [
            {"type": "page", "name": "Home", "properties": {}},
            {"type": "track", "event": "Product Viewed", "properties": {"sku": f"S{number}"}},
            {"type": "identify", "traits": {"latest": number}},
            {"type": "screen", "name": "Basket", "properties": {}},
            {"type": "group", "groupId": f"club-{number % 3}"},
            {"type": "track", "event": "survey_answered", "properties": {"interest": "home"}},
            {"type": "alias", "previousId": f"before-{number}"},
            {"type": "track", "event": "orderPlaced", "properties": {"order_id": f"{user_id}-{number}", "total": 9.5}},
        ]
        if number == 0:
            kinds = [{"type": "identify", "traits": traits(user_id, latest=number)}]
        elif number in {1, 11, 21}:
            kinds = [{"type": "track", "event": "Registered", "properties": {"source": "web"}}]
        chosen = kinds[number % len(kinds)]
        stamp = {"timestamp": format_instant(begun + timedelta(seconds=number)), "messageId": f"{user_id}-{number}"}
        return {"userId": user_id, **stamp, **chosen}

    return [call(number) for number in range(EACH)]


def batches(stories: list[list[Call]]) -> Iterator[list[Call]]:
    """The stories of a sender's contacts, mixed, each in its own order; every fourth batch is sent once more."""
    mixed = [story[number] for number in range(EACH) for story in stories]
    for number, start in enumerate(range(0, len(mixed), BATCH)):
        yield mixed[start : start + BATCH]
        if number % 4 == 1:
            yield mixed[start : start + BATCH]


def post(cloud: LocalCloud, stories: list[list[Call]]) -> int:
    """One sender's posts, one after the other; how many events were accepted."""
    return sum(
        accepted(cloud.tracking.post("batch", {"batch": batch})).json()["accepted"] for batch in batches(stories)
    )


def enqueue(cloud: LocalCloud, body: str, *, group: str, deduplication_id: str) -> None:
    """Put a message into the events queue past the webhook."""
    cloud.client("sqs").send_message(
        QueueUrl=cloud.access.outputs["EventsQueueUrl"],
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=deduplication_id,
    )


def dead_letters(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Take everything out of the dead-letter queue."""
    sqs, url = cloud.client("sqs"), cloud.access.outputs["EventsDeadLettersUrl"]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    ).get("Messages", []):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += messages
    return found


BROKEN = {
    "no JSON": "{",
    "a list": "[]",
    "no envelope": '{"type": "registered"}',
    "no time": json.dumps(
        {"id": "x", "type": "t", "contact": {}, "occurred_at": "now", "received_at": "now", "source": "s"}
    ),
}
NOBODY = [f"c-{number:024x}" for number in range(6)]


@dataclass(frozen=True)
class Aftermath:
    """The dead letters a storm left, and what route_events counted meanwhile."""

    dead_letters: list[dict[str, Any]]
    counted: Counter[str]


@pytest.fixture(scope="module")
def storm(cloud: LocalCloud) -> Aftermath:
    """Two thousand events, a fifth of them repetitions, and broken ones among them."""
    by_day(cloud)
    dead_letters(cloud)
    before = counted(cloud, "route_events", *COUNTERS)
    stories = [story(cloud, user_id) for user_id in CONTACTS]
    each = len(CONTACTS) // SENDERS
    cloud.clock.run_from(cloud.clock.now())  # so that the order of routing can be read from its times
    with ThreadPoolExecutor(SENDERS) as senders:
        posted = [senders.submit(post, cloud, stories[start : start + each]) for start in range(0, len(CONTACTS), each)]
        for contact in NOBODY:
            event = {"type": "order_placed", "contact": {"contact_id": contact}}
            accepted(cloud.tracking.webhook("shop", event))
        for number, body in enumerate(BROKEN.values()):
            enqueue(cloud, body, group=contact_id(CONTACTS[number]), deduplication_id=f"broken-{number}")
        assert sum(sender.result() for sender in posted) == len(CONTACTS) * EACH + 400 == 2000
    cloud.time.settle(within=240)
    for user_id in CONTACTS[:REPEATED_LATE]:  # the queue has forgotten the first one by then
        [event] = [row for sk, row in heard(cloud, user_id).items() if sk.endswith(f"{user_id}-1")]
        envelope = {name: value for name, value in event.items() if name not in {"pk", "sk", "routed_at", "expires_at"}}
        enqueue(cloud, json.dumps(envelope), group=contact_id(user_id), deduplication_id=f"late-{user_id}")
    cloud.time.settle()
    cloud.clock.stop_at(cloud.clock.now())
    return Aftermath(dead_letters(cloud), counted(cloud, "route_events", *COUNTERS) - before)


def test_what_came_in_was_routed_once_or_is_a_dead_letter(cloud: LocalCloud, storm: Aftermath) -> None:
    for user_id in CONTACTS:
        wanted = sorted(f"segment:{user_id}-{number}" for number in range(EACH))
        assert sorted(row["id"] for row in heard(cloud, user_id).values()) == wanted
        assert sorted(row["event_id"] for row in heard(cloud, user_id, "routed").values()) == wanted
    assert len(storm.dead_letters) == len(NOBODY) + len(BROKEN)


def test_what_came_in_is_counted_as_routed_repeated_or_dead_lettered(cloud: LocalCloud, storm: Aftermath) -> None:
    concluded = sum(len(rows(cloud, each, "routed")) - len(heard(cloud, each, "routed")) for each in CONTACTS)
    assert storm.counted["EventsRouted"] == len(CONTACTS) * EACH + concluded
    assert storm.counted["EventsRepeated"] >= REPEATED_LATE  # a batch that was delivered again counts too
    assert storm.counted["EventsDeadLettered"] == len(NOBODY) + len(BROKEN)


def test_every_dead_letter_says_why(storm: Aftermath) -> None:
    reasons = sorted(letter["MessageAttributes"]["reason"]["StringValue"] for letter in storm.dead_letters)
    assert [reason.partition(":")[0] for reason in reasons] == ["ContactNotFound"] * 6 + ["InvalidInput"] * 4
    assert all(any(contact in reason for reason in reasons) for contact in NOBODY)
    assert {letter["Body"] for letter in storm.dead_letters} >= set(BROKEN.values())


def test_no_journey_was_started_twice(cloud: LocalCloud, storm: Aftermath) -> None:
    enrolments = [only(rows(cloud, user_id, "enrolment"))["enrolment_id"] for user_id in CONTACTS]
    started = executions(cloud)
    hops = [ids.execution_name(NURTURE, ids.hop_id(enrolment, START, 1)) for enrolment in enrolments]
    assert set(hops) <= started.keys()
    assert {enrolment_of(cloud, user_id).hop.attempt for user_id in CONTACTS} == {1}


def test_no_message_was_sent_twice(cloud: LocalCloud, storm: Aftermath) -> None:
    calls = cloud.providers.calls_per_key()
    assert [calls[message_key(user_id)] for user_id in CONTACTS] == [1] * len(CONTACTS)
    assert [outcome for user_id in CONTACTS for outcome in _outcomes(cloud, user_id)] == ["sent"] * len(CONTACTS)


def test_what_one_contact_did_was_routed_in_its_order(cloud: LocalCloud, storm: Aftermath) -> None:
    for user_id in CONTACTS:
        done = [str(row["routed_at"]) for row in heard(cloud, user_id).values()]  # by the time it happened
        assert done == sorted(done)
        assert only(rows(cloud, user_id, "profile"))["attributes"]["latest"] == max(
            number for number, call in enumerate(story(cloud, user_id)) if "latest" in call.get("traits", {})
        )


def test_everybody_can_leave_at_once(cloud: LocalCloud, storm: Aftermath) -> None:
    now = cloud.clock.now()
    leaving = [{"type": "track", "userId": user_id, "event": "unsubscribed"} for user_id in CONTACTS]
    batch = [{**call, "timestamp": format_instant(now), "messageId": f"{call['userId']}-out"} for call in leaving]
    accepted(cloud.tracking.post("batch", {"batch": batch}))
    cloud.time.settle()

    enrolments = [enrolment_of(cloud, user_id) for user_id in CONTACTS]
    assert {(each.status, each.outcome) for each in enrolments} == {("ended", "exited")}
    last_hops = {ids.execution_name(NURTURE, each.hop.id) for each in enrolments}
    assert not last_hops & executions(cloud).keys(), "nothing is left to do for those who have left"


def test_twenty_sign_ups_at_once_are_one_journey_and_one_welcome(cloud: LocalCloud) -> None:
    by_day(cloud)
    introduce(cloud, "twenty")
    cloud.time.settle()
    now = cloud.clock.now()
    with ThreadPoolExecutor(20) as senders:
        list(senders.map(lambda _: accepted(cloud.tracking.track("twenty", "registered", at=now)), range(20)))
    cloud.time.settle()

    reasons = sorted(_reasons(cloud, "twenty"))
    assert reasons == ["enrolled", *["enrolled_before"] * 19]
    assert len(rows(cloud, "twenty", "enrolment")) == 1
    assert cloud.providers.calls_per_key()[message_key("twenty")] == 1


def test_one_webhook_delivered_ten_times_at_once_is_one_event(cloud: LocalCloud) -> None:
    event = {"type": "parcel_delivered", "contact": {"user_id": "ten-times"}}

    def deliver(_: int) -> int:
        return cloud.tracking.webhook("shop", event, webhook_id="msg_ten_times").status

    with ThreadPoolExecutor(10) as senders:
        statuses = set(senders.map(deliver, range(10)))
    cloud.time.settle()

    assert {202} <= statuses <= {202, 200}
    assert only(heard(cloud, "ten-times"))["type"] == "parcel_delivered"
    assert deliver(0) == 200


def test_a_person_who_signs_up_everywhere_at_once_is_one_contact_in_one_journey(cloud: LocalCloud) -> None:
    by_day(cloud)
    known = traits("everywhere")
    accepted(cloud.tracking.identify("everywhere", known, at=cloud.clock.now()))
    cloud.time.settle()
    people = [{"user_id": "everywhere"}, {"email": known["email"]}, {"phone": known["phone"]}]
    with ThreadPoolExecutor(12) as senders:
        events = [{"type": "registered", "contact": people[number % 3]} for number in range(24)]
        list(senders.map(lambda event: accepted(cloud.tracking.webhook("shop", event)), events))
    cloud.time.settle()

    assert len(heard(cloud, "everywhere", "routed")) == 1 + 24
    assert _reasons(cloud, "everywhere").count("enrolled") == 1
    assert len(rows(cloud, "everywhere", "enrolment")) == 1
    assert cloud.providers.calls_per_key()[message_key("everywhere")] == 1


def test_strangers_who_turn_out_to_be_one_person_at_once_are_never_half_a_contact(cloud: LocalCloud) -> None:
    """First events of one person under several identities race for the links between them."""
    by_day(cloud)
    address, phone = "races@example.com", "+8613777770001"
    people = [{"user_id": "races", "email": address}, {"user_id": "races", "phone": phone}, {"user_id": "races"}]
    people += [{"email": address, "phone": phone, "user_id": "races"}]
    with ThreadPoolExecutor(12) as senders:
        events = [{"type": "shelf_viewed", "contact": people[number % 4]} for number in range(24)]
        list(senders.map(lambda event: accepted(cloud.tracking.webhook("shop", event)), events))
    cloud.time.settle()

    profile = only(rows(cloud, "races", "profile"))
    assert profile["identities"] == {"user_id": ["races"], "email": [address], "phone": [phone]}
    assert len(heard(cloud, "races")) == len(heard(cloud, "races", "routed")) == 24


def test_the_same_events_in_any_order_make_the_same_contact(cloud: LocalCloud) -> None:
    by_day(cloud)
    begun = cloud.clock.now() - timedelta(days=2)
    calls: list[Call] = [
        {"type": "identify", "traits": {"city": "Lyon", "tier": "silver", "consent": {"email": True}, "tags": ["new"]}},
        {"type": "identify", "traits": {"city": "Paris", "consent": {"email": False}}},
        {"type": "track", "event": "consent_granted", "properties": {"channel": "email"}},
        {"type": "identify", "traits": {"tier": None, "locale": "fr-FR"}},
        {"type": "track", "event": "unsubscribed", "properties": {"channel": "sms"}},
        {"type": "identify", "traits": {"city": "Nice", "consent": {"sms": True}, "timezone": "Europe/Paris"}},
    ]
    orders = [list(range(len(calls))), list(reversed(range(len(calls)))), [3, 0, 5, 1, 4, 2]]
    for number, order in enumerate(orders):
        for position in order:
            stamp = {
                "userId": f"order-{number}",
                "messageId": f"order-{number}-{position}",
                "timestamp": format_instant(begun + timedelta(minutes=position)),
            }
            accepted(cloud.tracking.post("batch", {"batch": [{**stamp, **calls[position]}]}))
    cloud.time.settle()

    first, *others = [only(rows(cloud, f"order-{number}", "profile")) for number in range(len(orders))]
    assert first["attributes"] == {"city": "Nice", "locale": "fr-FR", "timezone": "Europe/Paris"}
    # the page's own words lift its withdrawal; a trait lifts none
    granted = {"email/*": True, "sms/*": False}
    assert {key: consent["granted"] for key, consent in first["consents"].items()} == granted
    for other in others:
        assert [other[name] for name in ("attributes", "tags")] == [first[name] for name in ("attributes", "tags")]
        assert other["attributes_at"] == first["attributes_at"]
        assert {key: value["granted"] for key, value in other["consents"].items()} == granted


def test_what_happened_before_the_sign_up_does_not_end_the_journey_when_it_arrives_late(cloud: LocalCloud) -> None:
    by_day(cloud)
    sign_up(cloud, "bought-before")
    cloud.time.settle()
    earlier = cloud.clock.now() - timedelta(hours=3)
    for event, properties in (("order_placed", {"coupon": "HOME15"}), ("unsubscribed", {"channel": "sms"})):
        accepted(cloud.tracking.track("bought-before", event, properties, at=earlier))
    cloud.time.settle()

    assert only(rows(cloud, "bought-before", "enrolment"))["status"] == "active"
    assert len(heard(cloud, "bought-before")) == 4


def test_a_sign_up_that_arrives_before_the_contact_is_known_starts_the_journey_once(cloud: LocalCloud) -> None:
    by_day(cloud)
    now = cloud.clock.now()
    accepted(cloud.tracking.track("unknown-yet", "registered", at=now, message_id="unknown-yet-in"))
    cloud.time.settle()
    accepted(cloud.tracking.identify("unknown-yet", traits("unknown-yet"), at=now - timedelta(minutes=1)))
    accepted(cloud.tracking.track("unknown-yet", "registered", at=now, message_id="unknown-yet-in"))
    cloud.time.settle()

    assert len(rows(cloud, "unknown-yet", "enrolment")) == 1
    travel(cloud, now + timedelta(minutes=2))
    assert _outcomes(cloud, "unknown-yet") == ["deferred", "sent"]
    assert only(rows(cloud, "unknown-yet", "profile"))["attributes"]["email"] == "unknown-yet@example.com"


def _outcomes(cloud: LocalCloud, user_id: str) -> list[str]:
    return [decision.outcome for decision in decided(cloud, user_id)]


def _reasons(cloud: LocalCloud, user_id: str) -> list[str]:
    """What was decided on entering the nurture journey, for each event that asked."""
    return [
        decision["reason"]
        for row in heard(cloud, user_id, "routed").values()
        for decision in row["decisions"]
        if decision["journey"] == NURTURE and "reason" in decision
    ]
