"""A batch of the events queue: order per contact, partial failures, and a dead-letter queue that says why."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.adapters.on_moto import ClientOnMoto
from tests.adapters.stores import REGION
from tests.fakes.world import START, World, event
from waypost.aws.routing_batch import MAX_RECEIVES, RoutingBatch, SqsDeadLetters
from waypost.clock import parse_instant
from waypost.errors import ContactNotFound, TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.routing.route_events import Acted, Routed, RouteEvents

NOW = parse_instant(START)


def record(number: int, group: str, body: str | Event, receives: int = 1) -> dict[str, Any]:
    """A message as Lambda gets it from a FIFO queue."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "handle",
        "body": body if isinstance(body, str) else json.dumps(body.to_dict()),
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": "1803866400000",
            "SequenceNumber": f"{number:020d}",
            "MessageGroupId": group,
            "SenderId": "AIDAEXAMPLE",
            "MessageDeduplicationId": f"e-{number}",
            "ApproximateFirstReceiveTimestamp": "1803866400000",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:waypost-dev-events.fifo",
        "awsRegion": REGION,
    }


class Routing:
    """The batch under test on a router whose events fail as asked: ``failing`` maps an event id to its error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, dead_letters: SqsDeadLetters) -> None:
        self.world = World()
        self.failing: dict[str, Exception] = {}
        self.tried: list[str] = []
        act = RouteEvents.act

        def acted_or_failing(router: RouteEvents, happened: Event) -> Acted:
            self.tried.append(happened.id)
            if happened.id in self.failing:
                raise self.failing[happened.id]
            return act(router, happened)

        monkeypatch.setattr(RouteEvents, "act", acted_or_failing)
        self.batch = RoutingBatch(router=self.world.route_events, dead_letters=dead_letters)

    def process(self, *records: dict[str, Any]) -> list[str]:
        """The ids of the messages that are to be delivered again."""
        answer = self.batch.process_batch({"Records": list(records)})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.fixture
def sqs(aws: None) -> Any:
    return ClientOnMoto("sqs", REGION)


@pytest.fixture
def dead_letters(sqs: Any, request: pytest.FixtureRequest) -> SqsDeadLetters:
    name = f"{abs(hash(request.node.name))}-dead-letters.fifo"
    return SqsDeadLetters(sqs, sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"])


@pytest.fixture
def routing(monkeypatch: pytest.MonkeyPatch, dead_letters: SqsDeadLetters) -> Routing:
    return Routing(monkeypatch, dead_letters)


def dead(dead_letters: SqsDeadLetters) -> list[dict[str, Any]]:
    """What lies in the dead-letter queue."""
    found: list[dict[str, Any]] = dead_letters.client.receive_message(
        QueueUrl=dead_letters.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    return found


def of(user: str, number: int) -> Event:
    return event("page_viewed", NOW, f"e-{number}", contact={"user_id": user})


def test_a_good_batch_is_done(routing: Routing, dead_letters: SqsDeadLetters) -> None:
    assert routing.process(record(1, "a", of("a", 1)), record(2, "b", of("b", 2))) == []
    assert [each.repeated for each in routing.batch.routed] == [False, False]
    assert routing.world.bus.published
    assert dead(dead_letters) == []


def test_what_may_pass_comes_back_with_everything_behind_it_in_its_group(routing: Routing) -> None:
    routing.failing["e-1"] = TemporarilyUnavailable("bus: throttled")
    again = routing.process(
        record(1, "a", of("a", 1)), record(2, "b", of("b", 2)), record(3, "a", of("a", 3)), record(4, "b", of("b", 4))
    )
    assert again == ["message-1", "message-3"]
    assert routing.tried == ["e-1", "e-2", "e-4"]


def test_what_cannot_pass_goes_to_the_dead_letters_with_its_reason_and_lets_the_next_through(
    routing: Routing, dead_letters: SqsDeadLetters
) -> None:
    routing.failing["e-1"] = ContactNotFound("event e-1 names contact c-9, which does not exist")
    assert routing.process(record(1, "a", of("a", 1)), record(2, "a", of("a", 2))) == []
    (letter,) = dead(dead_letters)
    assert json.loads(letter["Body"]) == of("a", 1).to_dict()
    assert letter["MessageAttributes"]["error"]["StringValue"] == "ContactNotFound"
    assert letter["MessageAttributes"]["reason"]["StringValue"] == (
        "ContactNotFound: event e-1 names contact c-9, which does not exist"
    )
    assert routing.tried == ["e-1", "e-2"]
    assert [message_id for message_id, _ in routing.batch.dead_lettered] == ["message-1"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"id": "e-1"}',
        json.dumps({**of("a", 1).to_dict(), "contact": {}}),
    ],
)
def test_what_is_no_event_goes_to_the_dead_letters(routing: Routing, dead_letters: SqsDeadLetters, body: str) -> None:
    assert routing.process(record(1, "a", body or " ")) == []
    (letter,) = dead(dead_letters)
    assert letter["MessageAttributes"]["error"]["StringValue"] == "InvalidInput"


def test_a_long_reason_is_cut(routing: Routing, dead_letters: SqsDeadLetters) -> None:
    routing.failing["e-1"] = ContactNotFound("x" * 5000)
    routing.process(record(1, "a", of("a", 1)))
    (letter,) = dead(dead_letters)
    assert len(letter["MessageAttributes"]["reason"]["StringValue"]) == 1000


def test_a_message_that_failed_too_often_goes_to_the_dead_letters(
    routing: Routing, dead_letters: SqsDeadLetters
) -> None:
    routing.failing["e-1"] = TemporarilyUnavailable("bus: throttled")
    assert routing.process(record(1, "a", of("a", 1), receives=MAX_RECEIVES - 1)) == ["message-1"]
    assert dead(dead_letters) == []
    assert routing.process(record(1, "a", of("a", 1), receives=MAX_RECEIVES)) == []
    (letter,) = dead(dead_letters)
    assert letter["MessageAttributes"]["error"]["StringValue"] == "TemporarilyUnavailable"


def test_an_unforeseen_error_is_tried_again_and_then_set_aside(routing: Routing, dead_letters: SqsDeadLetters) -> None:
    routing.failing["e-1"] = ZeroDivisionError("a mistake of ours")
    assert routing.process(record(1, "a", of("a", 1))) == ["message-1"]
    assert routing.process(record(1, "a", of("a", 1), receives=MAX_RECEIVES)) == []
    assert len(dead(dead_letters)) == 1


def test_a_message_that_only_stood_behind_a_failed_one_is_not_set_aside(
    routing: Routing, dead_letters: SqsDeadLetters
) -> None:
    routing.failing["e-1"] = TemporarilyUnavailable("bus: throttled")
    again = routing.process(record(1, "a", of("a", 1), receives=2), record(2, "a", of("a", 2), receives=MAX_RECEIVES))
    assert again == ["message-1", "message-2"]
    assert dead(dead_letters) == []


def test_a_processor_remembers_nothing_of_the_batch_before(routing: Routing) -> None:
    routing.failing["e-1"] = TemporarilyUnavailable("bus: throttled")
    assert routing.process(record(1, "a", of("a", 1)), record(2, "a", of("a", 2))) == ["message-1", "message-2"]
    routing.failing.clear()
    assert routing.process(record(1, "a", of("a", 1)), record(2, "a", of("a", 2))) == []
    assert len(routing.batch.routed) == 2
    assert routing.batch.exceptions == []


def test_without_a_dead_letter_queue_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, aws: None) -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    routing = Routing(monkeypatch, SqsDeadLetters(sqs, "https://sqs.ap-east-1.amazonaws.com/1/dead.fifo"))
    routing.failing["e-1"] = ContactNotFound("gone")
    with Stubber(sqs) as stub:
        stub.add_client_error("send_message", "ThrottlingException", http_status_code=400)
        with pytest.raises(TemporarilyUnavailable):
            routing.process(record(1, "a", of("a", 1)))


def test_groups_are_acted_on_side_by_side_and_each_in_its_order(
    monkeypatch: pytest.MonkeyPatch, dead_letters: SqsDeadLetters
) -> None:
    groups, tried, finished = "abc", list[str](), list[list[str]]()
    together = threading.Barrier(len(groups), timeout=30)

    def act(_: RouteEvents, happened: Event) -> Acted:
        if happened.id.endswith("-1"):
            together.wait()  # breaks unless a message of each group is at work
        tried.append(happened.id)
        if happened.id == "b-2":
            raise TemporarilyUnavailable("bus: throttled")
        return Acted(happened, Routed(happened.id, repeated=False, decisions=[]))

    monkeypatch.setattr(RouteEvents, "act", act)
    monkeypatch.setattr(RouteEvents, "finish", lambda _, acted: finished.append([each.event.id for each in acted]))
    events = [(group, event("page_viewed", NOW, f"{group}-{number}")) for number in range(1, 4) for group in groups]
    records = [record(place, group, happened) for place, (group, happened) in enumerate(events)]
    with ThreadPoolExecutor(len(groups)) as threads:
        batch = RoutingBatch(World().route_events, dead_letters, side_by_side=threads.map)
        answer = batch.process_batch({"Records": records})

    assert {failure["itemIdentifier"] for failure in answer["batchItemFailures"]} == {"message-4", "message-7"}
    for group in groups:
        done = [each for each in tried if each.startswith(group)]
        assert done == [f"{group}-{number}" for number in range(1, 3 if group == "b" else 4)]
    assert finished == [["a-1", "b-1", "c-1"], ["a-2", "c-2"], ["a-3", "c-3"]], "a round is finished before the next"


def test_every_event_is_either_routed_or_set_aside(routing: Routing, dead_letters: SqsDeadLetters) -> None:
    routing.failing["e-3"] = ContactNotFound("gone")
    routing.failing["e-5"] = TemporarilyUnavailable("bus: throttled")
    waiting = [record(number, f"g{number % 2}", of(f"u{number % 2}", number)) for number in range(8)]
    for receives in range(1, MAX_RECEIVES + 1):
        given = [
            each | {"attributes": each["attributes"] | {"ApproximateReceiveCount": str(receives)}} for each in waiting
        ]
        again = routing.process(*given)
        waiting = [each for each in waiting if each["messageId"] in again]
    assert waiting == []
    routed = {event_id for _, event_id in routing.world.history.routed}
    letters = {json.loads(letter["Body"])["id"] for letter in dead(dead_letters)}
    assert letters == {"e-3", "e-5"}
    assert routed | letters == {f"e-{number}" for number in range(8)}


def test_a_batch_of_different_contacts_is_published_in_one_call(routing: Routing) -> None:
    assert routing.process(*(record(number, f"g-{number}", of(f"u-{number}", number)) for number in range(10))) == []
    assert (routing.world.bus.calls, len(routing.world.bus.published)) == (1, 10)
    assert all(
        routing.world.history.is_routed([each.contact_id], f"e-{number}")
        for number, each in enumerate(routing.batch.routed)
    )


def test_an_event_is_finished_before_the_next_of_its_contact_is_acted_on(routing: Routing) -> None:
    assert routing.process(record(1, "a", of("a", 1)), record(2, "b", of("b", 2)), record(3, "a", of("a", 3))) == []
    log = routing.world.effects.log
    marked = [place for place, name in enumerate(log) if name == "history.mark_routed"]
    recorded = [place for place, name in enumerate(log) if name == "history.record"]
    assert routing.world.bus.calls == 2
    assert marked[1] < recorded[2], "the first two are marked before the third is applied"


def test_what_the_bus_did_not_take_comes_back_and_what_stood_behind_it_too(routing: Routing) -> None:
    routing.world.effects.crash_on, routing.world.effects.mode = "bus.publish", "refused"
    records = [record(1, "a", of("a", 1)), record(2, "b", of("b", 2)), record(3, "a", of("a", 3))]
    assert routing.process(*records) == ["message-1", "message-2", "message-3"]
    assert routing.batch.routed == []
    assert routing.process(*records) == []
    assert [each.repeated for each in routing.batch.routed] == [False, False, False]


def test_what_the_bus_never_takes_is_given_up_with_the_reason(routing: Routing, dead_letters: SqsDeadLetters) -> None:
    routing.world.effects.crash_on, routing.world.effects.mode = "bus.publish", "refused"
    assert routing.process(record(1, "a", of("a", 1), receives=5)) == []
    [letter] = dead(dead_letters)
    assert letter["MessageAttributes"]["error"]["StringValue"] == "TemporarilyUnavailable"
