"""One contestant of ``call_time``: does what it is asked over its input, line by line, and answers with its processor time.

A process of its own: ``python -S -I -B call_contestant.py ours|stock <configuration as JSON>``. It sees what Lambda sees, or stock boto3.
"""

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    function_name="benchmark",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-west-1:000000000000:function:benchmark",
    aws_request_id="00000000-0000-0000-0000-000000000000",
    get_remaining_time_in_millis=lambda: 30_000,
)
ARN = "arn:aws:states:eu-west-1:000000000000"
MAILS = 50
"""Mails in a batch: what SES takes in one call."""
PEOPLE = 10
"""Contacts whose events are routed, one of each in a batch."""


class NoMachines:
    """Starts nothing, because the emulator would walk the journey beside the measurement; keeps what it would have started."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}

    def start(self, journey: str, name: str, execution_input: Any) -> None:  # noqa: ARG002 - as Machines has it
        """See Machines."""
        self.started = dict(execution_input)


class NoQueue:
    """Drops our own events, which the emulator's router would work on; those that are measured cause none."""

    def send(self, events: Any) -> None:
        """See EventQueue."""


class Samples:
    """A MessageCatalogue that has a message for each channel beside those of the journey."""

    def __init__(self, known: Any, samples: dict[str, Any]) -> None:
        from waypost.content.message import PublishedMessage

        self._known = known
        self._samples = {
            f"new-user-nurture/on-{channel}": PublishedMessage.from_dict(
                {
                    "name": f"on-{channel}",
                    "kind": "marketing",
                    "topic": "nurture",
                    "channels": [channel],
                    "variants": {channel: {"zh-CN": sample["templates"]}},
                }
            )
            for channel, sample in samples.items()
        }

    def message(self, message_id: str, began_at: Any = None) -> Any:
        """See MessageCatalogue."""
        return self._samples.get(message_id) or self._known.message(message_id, began_at)


class Ours:
    """The handlers that a journey calls most, wired to the emulator."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        from waypost.aws import wiring
        from waypost.clock import clock

        self._machines = NoMachines()
        wiring.machines = lambda: self._machines  # type: ignore[assignment]
        wiring.queue = NoQueue  # type: ignore[assignment]
        self._route = _handler(configuration["functions"], "route_events")
        self._send = _handler(configuration["functions"], "send_message")
        self._send_deferred = _handler(configuration["functions"], "send_deferred")
        self._pause = _handler(configuration["functions"], "pause_journey")
        self._close = _handler(configuration["functions"], "close_enrolment")
        self._samples = configuration["samples"]
        sender = self._send.send_message()
        sender = replace(sender, messages=Samples(sender.messages, self._samples))
        self._send.send_message = lambda: sender
        self._now = clock()().isoformat()
        self._numbers = count()
        for person in range(PEOPLE):
            self._register(f"viewer-{person}", enters=False)

    def steps(self) -> dict[str, Callable[[], Callable[[], Any]]]:
        """What can be asked for: each prepares a call, and gives what is measured."""
        return {
            "send": self.send,
            "bulk": self.bulk,
            "event": lambda: self.route(1, PEOPLE),
            "batch": lambda: self.route(10, PEOPLE),
            "batch of one contact": lambda: self.route(10, 1),
            "take": self.take,
            "park": self.park,
            "close": self.close,
            **{channel: partial(self.send_on, channel) for channel in self._samples},
        }

    def send_on(self, channel: str) -> Callable[[], Any]:
        """A marketing message on a channel, to a contact that has just entered the journey."""
        request = {"message": f"on-{channel}", "context": self._taken("Welcome")}
        return lambda: _expect(self._send.handle(request, CONTEXT), outcome="sent", channel=channel)

    def send(self) -> Callable[[], Any]:
        """A marketing mail to a contact that has just entered the journey, from the hop that holds it."""
        request = {"message": "welcome", "context": self._taken("Welcome")}
        return lambda: _expect(self._send.handle(request, CONTEXT), outcome="sent")

    def bulk(self) -> Callable[[], Any]:
        """The same mail to fifty such contacts, for whom it was deferred, in one batch of the queue."""
        from waypost.sending.request import SendRequest

        requests = [{"message": "welcome", "context": self._taken("Welcome")} for _ in range(MAILS)]
        bodies = [SendRequest.from_payload(each).to_dict() | {"attempt": 1} for each in requests]
        batch = {"Records": [_record({**each, "id": str(number)}) for number, each in enumerate(bodies)]}

        def call() -> None:
            answer = self._send_deferred.handle(batch, CONTEXT)
            if answer["batchItemFailures"]:
                raise RuntimeError(f"not sent: {answer}")

        return call

    def take(self) -> Callable[[], Any]:
        """The hop of a contact that has just entered the journey begins."""
        request = {"begin": True, "context": self._entered("Begin")}
        return lambda: _expect(self._pause.handle(request, CONTEXT), status="over")

    def park(self) -> Callable[[], Any]:
        """The hop comes to a Pause that waits for an event as well."""
        state = "Until day 7 at ten, or an answer"
        row = {"at": state, "input": {}, "variables": {}}
        pause = {"until": {"day": 7, "at": "10:00"}, "or": {"event": "survey_answered"}, "row": row}
        request = {**pause, "context": self._taken(state)}
        return lambda: _expect(self._pause.handle(request, CONTEXT), status="parked")

    def close(self) -> Callable[[], Any]:
        """The hop comes to the end of the journey."""
        request = {"outcome": "completed", "context": self._taken("Close")}
        return lambda: _expect(self._close.handle(request, CONTEXT), closed=True)

    def _taken(self, state: str) -> dict[str, Any]:
        """The context of a state in the first hop of a contact that has just entered the journey, the hop taken."""
        from waypost.aws import wiring
        from waypost.clock import clock
        from waypost.sending.occasion import HopVisit

        context = self._entered(state)
        entered, enrolments = context["Execution"]["Input"], wiring.enrolments()
        row = enrolments.load(entered["contact_id"], entered["enrolment_id"])
        if row is None or not enrolments.save(row.taken(HopVisit.from_payload({"context": context}), clock()())):
            raise RuntimeError(f"the first hop could not be taken: {row}")
        return context

    def _entered(self, state: str) -> dict[str, Any]:
        """The same, not taken yet."""
        self._register(f"reader-{next(self._numbers)}", enters=True)
        return {
            "Execution": {
                "Id": f"{ARN}:express:benchmark:1:1",
                "Input": self._machines.started,
                "StartTime": self._now,
            },
            "State": {"Name": state, "EnteredTime": self._now, "RetryCount": 0},
            "StateMachine": {"Id": f"{ARN}:stateMachine:benchmark"},
        }

    def route(self, events: int, people: int) -> Callable[[], Any]:
        """Page views that nothing waits for, in one batch of the queue."""
        views = [self._event(f"viewer-{number % people}", "page_viewed", path="/guides") for number in range(events)]
        batch = {"Records": [_record(view) for view in views]}

        def call() -> None:
            answer = self._route.handle(batch, CONTEXT)
            if answer["batchItemFailures"]:
                raise RuntimeError(f"not routed: {answer}")

        return call

    def _register(self, user: str, *, enters: bool) -> None:
        from waypost.events.envelope import Event

        route = self._route.route_events().route
        route(Event.from_dict(self._event(user, "identified")))
        if enters:
            route(Event.from_dict(self._event(user, "registered", plan="free")))

    def _event(self, user: str, kind: str, **properties: str) -> dict[str, Any]:
        own = hashlib.sha256(user.encode()).hexdigest()
        profile = {
            "email": f"{user}@example.com",
            "name": "林美",
            "locale": "zh-CN",
            "timezone": "Asia/Shanghai",
            "consent": {"email": True, **dict.fromkeys(self._samples, True)},
            "phone": f"+86138{int(own[:10], 16) % 10**8:08}",
            "push_tokens": [{"token": own, "platform": "ios"}],
        }
        account = self._samples["wechat"]["address"].partition(":")[0]
        known = (
            {"external_userid": f"wo{own[:20]}AAAA", "openid": f"{account}:o{own[:27]}"} if kind == "identified" else {}
        )
        return {
            "id": f"{kind}-{user}-{next(self._numbers)}",
            "type": kind,
            "contact": {"user_id": user, **known},
            "occurred_at": self._now,
            "received_at": self._now,
            "source": "shop",
            "properties": properties,
            "profile": profile if kind == "identified" else {},
            "correlation_id": "benchmark",
        }


class Stock:
    """The least that the same work would take: the provider's call and one write, or one read and two writes, by boto3.

    Of a channel it is a POST of JSON that is signed as webhooks are, over a connection that is kept, and two writes.
    """

    def __init__(self, configuration: dict[str, Any]) -> None:
        import boto3
        import urllib3

        self._table = configuration["table"]
        self._sender = configuration["sender"]
        self._database = boto3.client("dynamodb")
        self._mail = boto3.client("sesv2")
        self._connections, self._providers = urllib3.PoolManager(), configuration["providers"]
        self._numbers = count()

    def steps(self) -> dict[str, Callable[[], Callable[[], Any]]]:
        """See Ours."""
        return {"send": lambda: self.send, "event": lambda: self.event, "post": lambda: self.post}

    def post(self) -> None:
        """A signed POST, and PutItem twice."""
        number, sent_at = next(self._numbers), str(int(time.time()))
        body = json.dumps({"to": f"reader-{number}", "text": "Welcome to the shop. " * 10}).encode()
        signature = hmac.new(b"key" * 11, f"{number}.{sent_at}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "content-type": "application/json",
            "webhook-id": str(number),
            "webhook-timestamp": sent_at,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
        answer = self._connections.request(
            "POST", f"{self._providers}/cgi-bin/message/send", body=body, headers=headers
        )
        json.loads(answer.data)
        self._put("touches")
        self._put("message")

    def send(self) -> None:
        """SendEmail and PutItem."""
        content = {"Data": "<p>Welcome to the shop.</p>" * 300, "Charset": "UTF-8"}
        self._mail.send_email(
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": ["reader@example.com"]},
            Content={"Simple": {"Subject": {"Data": "Welcome"}, "Body": {"Html": content, "Text": content}}},
        )
        self._put("message")

    def event(self) -> None:
        """GetItem and PutItem twice."""
        self._database.get_item(TableName=self._table, Key=self._key("profile"), ConsistentRead=True)
        self._put("event")
        self._put("profile")

    def _key(self, sort: str) -> dict[str, Any]:
        return {"pk": {"S": "contact#stock"}, "sk": {"S": f"{sort}#{next(self._numbers)}"}}

    def _put(self, sort: str) -> None:
        values = {f"attribute_{number}": {"S": "value" * 8} for number in range(12)}
        self._database.put_item(
            TableName=self._table, Item=self._key(sort) | values, ConditionExpression="attribute_not_exists(pk)"
        )


def main(which: str, configuration: dict[str, Any]) -> None:
    """Answer each line of the input, the name of a step, with the seconds that it took of the processor; "memory" with MB."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a handler logs costs as ever and goes nowhere
    steps = (Ours if which == "ours" else Stock)(configuration).steps()
    answers.write("ready\n")
    for line in sys.stdin:
        if line.strip() == "memory":
            answers.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}\n")
            continue
        call = steps[line.strip()]()
        started = time.process_time()
        call()
        answers.write(f"{time.process_time() - started}\n")


def _expect(answer: dict[str, Any], **wanted: Any) -> None:
    if any(answer.get(name) != value for name, value in wanted.items()):
        raise RuntimeError(f"not {wanted}: {answer}")


def _handler(functions: str, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"handler_of_{name}", Path(functions) / name / "handler.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"no handler of {name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _record(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": event["id"],
        "receiptHandle": "handle",
        "body": json.dumps(event, separators=(",", ":")),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1803866400000",
            "SequenceNumber": "18849496460467000001",
            "MessageGroupId": event.get("contact", {}).get("user_id", ""),
            "SenderId": "AROAEXAMPLEID",
            "MessageDeduplicationId": event["id"],
            "ApproximateFirstReceiveTimestamp": "1803866400000",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:benchmark.fifo",
        "awsRegion": "eu-west-1",
    }


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    sys.path[:0] = given["path"]
    main(sys.argv[1], given)
