"""Stands in for the providers of every channel: an HTTP server, and a mail server, that mount each ``channels/*/fake.py``.

Started by the local cloud; the Lambda functions reach it with their real clients, by the environment variables in
``endpoints``. It keeps every call, can be made to fail in the ways providers fail, and can report what became of a message
as they do.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, Self, assert_never

import yaml

from local.loopback import Answer, call
from local.providers.called_systems import CalledSystems
from local.providers.mail_server import HUNG_UP, MailServer, Transaction, headers_of
from local.providers.record import Call, Fault, Record
from waypost import ids
from waypost.channels.fake_contract import (
    REFUSAL_KINDS,
    FakeBulk,
    FakeProvider,
    Fate,
    HttpAnswer,
    HttpRequest,
    Published,
    RefusedRequestError,
    SentMessage,
    aws_error,
)
from waypost.clock import Clock, real_now
from waypost.contacts.channels import CHANNELS, Channel, declared_channels

PublishEvents = Callable[[list[dict[str, Any]]], None]
PublishToTopic = Callable[[str, str], None]
PassOn = Callable[[HttpRequest], HttpAnswer]


@cache
def fakes() -> Mapping[Channel, tuple[FakeProvider, ...]]:
    """The fake providers of each channel."""
    return {channel: import_module(f"waypost.channels.{channel}.fake").FAKES for channel in CHANNELS}


def choices() -> Mapping[str, str]:
    """The choices of the CDK context with which every channel can be used with its fakes."""
    return {key: value for each in fakes().values() for fake in each for key, value in fake.choices.items()}


def credentials() -> Mapping[Channel, Mapping[str, str]]:
    """The content of the secret of each channel that has one: what its fakes want to be called with."""
    found = {
        channel: {k: v for fake in mounted for k, v in fake.credentials.items()} for channel, mounted in fakes().items()
    }
    return {channel: content for channel, content in found.items() if content}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    channel: Channel
    fake: FakeProvider
    request: HttpRequest
    message: SentMessage


class Exchange(Protocol):
    """The connection over which a message came."""

    def answer(self, answer: HttpAnswer) -> None:
        """Give the provider's answer."""
        ...

    def hang_up(self) -> None:
        """End it without an answer."""
        ...


CALLED: Final = "/called/"
"""Where the systems are that journeys call, each under its name."""
_ON_THE_WAY: Final[tuple[Fate, ...]] = ("accepted", "delivered")


class Providers(Record):
    """The server: a context manager; ``url`` is its address while it runs.

    ``pass_on`` hands a request to the embedded cloud's own service, which refuses an unverified sender; without it every
    sender counts as verified.
    ``publish_events(entries)`` puts events on the default bus; it is used when ``delivery_events`` is on, as is
    ``publish_to_topic(name, message)``, where the topic's name ends so.
    """

    def __init__(
        self,
        *,
        clock: Clock = real_now,
        pass_on: PassOn | None = None,
        publish_events: PublishEvents | None = None,
        publish_to_topic: PublishToTopic | None = None,
        delivery_events: bool = False,
        port: int = 0,
        kept_in: Path | None = None,
    ) -> None:
        super().__init__(clock, kept_in=kept_in)
        self.pass_on = pass_on
        self.publish_events = publish_events
        self.publish_to_topic = publish_to_topic
        self.delivery_events = delivery_events
        self.called = CalledSystems()
        self.api_url = ""
        """Where our API takes callbacks; "" while nothing is deployed."""
        self._reporting = 0
        self._all_reported = threading.Condition()
        self._closing = threading.Event()
        self.port = port
        self._server: _Server | None = None
        self._mail: MailServer | None = None

    def __enter__(self) -> Self:
        for fake in (fake for each in fakes().values() for fake in each):
            fake.clock = self.clock
            fake.forget()
        with ExitStack() as stack:
            if any(fake.transport == "smtp" for each in fakes().values() for fake in each):
                self._mail = stack.enter_context(MailServer(_MailHandler(self)))
            self._listen()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._stop_listening()
        self._stack.close()

    @property
    def url(self) -> str:
        """Where the functions reach the providers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def endpoints(self) -> dict[str, str]:
        """The environment variables by which the functions' clients find the providers."""
        found: dict[str, str] = {}
        for fake in (fake for each in fakes().values() for fake in each):
            match fake.transport:
                case "http":
                    found |= dict.fromkeys(fake.endpoints, self.url)
                case "smtp" if self._mail is not None:
                    found |= dict.fromkeys(fake.endpoints, self._mail.url)
                    found |= dict.fromkeys(fake.authorities, str(self._mail.authority))
                case "smtp":
                    raise RuntimeError("the providers do not run")
                case _:
                    assert_never(fake.transport)
        return found

    def forget(self) -> None:
        """Begin with an empty record and no faults, and providers that remember nobody."""
        super().forget()
        self.called.forget()
        for fake in (fake for each in fakes().values() for fake in each):
            fake.forget()

    def learn(self, statemachines: Path) -> None:
        """Tell the providers what is registered for the messages under this folder; what cannot be read is not."""
        for path in sorted(statemachines.glob("**/messages/*/message.yaml")):
            with suppress(OSError, yaml.YAMLError):
                message = yaml.safe_load(path.read_text(encoding="utf-8"))
                for fake in (fake for each in fakes().values() for fake in each if isinstance(message, dict)):
                    fake.learn(message)

    def act_out(self, event: str, traits: Mapping[str, Any], properties: Mapping[str, Any]) -> list[Answer] | None:
        """Let the person with these traits do at a provider what comes to be this event; None where no provider has such an act.

        Otherwise what we answered to the callback. Raises ValueError for values that do not fit.
        """
        for channel, mounted in fakes().items():
            source = declared_channels()[channel].address
            if not isinstance(traits.get(source.name), str):
                continue
            for fake in mounted:
                if (found := fake.action_for(event, traits[source.name], properties)) is not None:
                    return self.perform(channel, *found)
        return None

    def rest(self, within: float) -> bool:
        """Wait until it is reported what became of every accepted message; whether that was so in time."""
        with self._all_reported:
            return self._all_reported.wait_for(lambda: not self._reporting, timeout=within)

    @contextmanager
    def refusing_connections(self) -> Iterator[None]:
        """Inside the block no connection can be opened."""
        self._stop_listening()
        if self._mail is not None:
            self._mail.stop()
        try:
            yield
        finally:
            self._listen()
            if self._mail is not None:
                self._mail.start()

    def report(self, call: Call, fate: Fate) -> None:
        """Report what became of an accepted message. Raises ValueError for what its provider does not report."""
        self._publish(self.notice(call, fate, at=self.clock()))

    def say(self, call: Call, word: str) -> None:
        """Report a message by any word of its provider. Raises ValueError for a word that it does not have."""
        self._publish(self.notice_in_words(call, word, at=self.clock()))

    def notice(self, call: Call, fate: Fate, *, at: datetime) -> Any:
        """The entry for the event bus, or what is Published, by which the provider reports it. Raises ValueError, as ``report`` does."""
        fake = _fake_of(call)
        if fate not in fake.fates:
            raise ValueError(f"{fake.provider}, a provider of {call.channel}, does not report {fate!r}")
        return self.notice_in_words(call, fake.fates[fate], at=at)

    def notice_in_words(self, call: Call, word: str, *, at: datetime) -> Any:
        """The entry or publication that says it by any word of the provider. Raises ValueError for a word that it does not have."""
        fake = _fake_of(call)
        if word not in fake.words:
            raise ValueError(f"{fake.provider}, a provider of {call.channel}, does not say {word!r}")
        return fake.notice(word, call.message, message_id=call.message_id, sent_at=call.at, at=at)

    def perform(
        self, channel: Channel, action: str, values: Mapping[str, str] | None = None, *, times: int = 1
    ) -> list[Answer]:
        """Do what a person can do at a channel's provider, and post or publish what follows, ``times`` over.

        A provider repeats a callback that is not answered in time. Returns the answers; none where it posts nothing. Raises
        ValueError for an action or a value that the provider does not have.
        """
        found = [fake for fake in fakes().get(channel, ()) if action in fake.actions]
        if not found:
            raise ValueError(f"at {channel} nobody can do {action!r}")
        known = found[0].actions[action].values
        if unknown := sorted((values or {}).keys() - known.keys()):
            raise ValueError(f"{unknown[0]}: {action} takes {', '.join(known) or 'no value'}")
        found[0].clock = self.clock
        match found[0].perform(action, {**known, **(values or {})}):
            case None:
                return []
            case Published() as published:
                for _ in range(times):
                    self._publish(published)
                return []
            case HttpRequest() as posted:
                return self._post(channel, found[0], posted, times=times)
            case never:
                assert_never(never)

    def _post(self, channel: Channel, fake: FakeProvider, posted: HttpRequest, *, times: int) -> list[Answer]:
        if not self.api_url:
            raise RuntimeError("there is no API to post to")
        url, headers = f"{self.api_url}{posted.path}", dict(posted.headers)
        answers = [call(posted.method, url, body=posted.body, headers=headers) for _ in range(times)]
        self._show(channel, fake, posted, answers)
        return answers

    def _show(self, channel: Channel, fake: FakeProvider, posted: HttpRequest, answers: Sequence[Answer]) -> None:
        """Keep what the person sees of our answers to one callback among the messages: the first one that shows something."""
        for answer in answers:
            if answer.status != 200:
                continue
            if shown := fake.seen_in(posted, answer.body.decode(errors="replace")):
                self.record(
                    channel=channel,
                    provider=fake.provider,
                    message_key=f"answer-{ids.digest(posted.body.decode(errors='replace'))}",
                    recipient=shown.recipient,
                    content=shown.content,
                    tags=shown.tags,
                    request=shown.request,
                    outcome="accepted",
                )
                return

    def _publish(self, entry: dict[str, Any] | Published) -> None:
        if isinstance(entry, Published):
            if self.publish_to_topic is None:
                raise RuntimeError("there is no topic to publish to")
            self.publish_to_topic(entry.topic, json.dumps(entry.message))
            return
        if self.publish_events is None:
            raise RuntimeError("there is no event bus to report to")
        self.publish_events([entry])

    def _listen(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.providers = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Around an accepted call, until it is reported what became of the message."""
        with self._all_reported:
            self._reporting += 1
        try:
            yield
        finally:
            with self._all_reported:
                self._reporting -= 1
                self._all_reported.notify_all()

    def report_delivery(self, call: Call) -> None:
        """Report an accepted message as sent and delivered, as far as its provider does, a moment after its answer.

        A provider that says by itself that the message does not arrive says that instead.
        """
        if not self.delivery_events:
            return
        if word := _fake_of(call).outcome(call.message):
            self.say(call, word)
            return
        for fate in _ON_THE_WAY:
            if fate in _fake_of(call).fates:
                self.report(call, fate)

    def hold_back(self, seconds: float) -> None:
        """Wait before an answer, but not longer than the server lives."""
        self._closing.wait(seconds)

    def receive(self, request: HttpRequest, exchange: Exchange) -> bool:
        """Answer a request to any of the providers; False for one that none of them recognises."""
        if request.path.startswith(CALLED):
            exchange.answer(self.called.answer(request.path.removeprefix(CALLED), request))
            return True
        for channel, mounted in fakes().items():
            for fake in mounted:
                if fake.recognises(request):
                    fake.clock = self.clock  # a process may have several clouds, and its fakes are shared
                    if aside := fake.answer_aside(request):
                        exchange.answer(self._passed_on(fake, request) or aside)
                    elif fake.bulk is None or not self._take_all(channel, fake, fake.bulk, request, exchange):
                        message = fake.read(request)
                        self._take(_Received(channel=channel, fake=fake, request=request, message=message), exchange)
                    return True
        return False

    def _take_all(
        self, channel: Channel, fake: FakeProvider, bulk: FakeBulk, request: HttpRequest, exchange: Exchange
    ) -> bool:
        """Take the messages of a request that hands several over; False for a request that hands over one."""
        try:
            messages = bulk.read(request)
        except RefusedRequestError as refused:
            exchange.answer(refused.answer)
            return True
        if not messages:
            return False
        several = [_Received(channel=channel, fake=fake, request=request, message=each) for each in messages]
        faults = [self.take_fault(channel, each.tags.get("message_key", "")) for each in messages]
        if fatal := next((each for each in faults if each and each.kind in {"drop", "error"}), None):
            for received in several[1:]:
                self._keep(received, outcome=fatal.kind)
            self._failed(fatal, several[0], exchange)
            return True
        found = [self._refused(bulk, *each) for each in zip(several, faults, strict=True)]
        taken = [place for place, refused in enumerate(found) if refused is None]
        passed_on = self._passed_on(fake, bulk.only(request, taken)) if taken else None
        if passed_on and passed_on.status >= 300:
            for place in taken:
                self._keep(several[place], outcome="reject")
            exchange.answer(passed_on)
            return True
        results = bulk.results(passed_on) if passed_on else [bulk.accepted(fake.new_id()) for _ in taken]
        answers = {**dict(enumerate(found)), **dict(zip(taken, results, strict=True))}
        stall = max((each.seconds for each in faults if each and each.kind == "stall"), default=0.0)
        with self.reporting():
            calls = [self._keep_result(several[place], answers[place] or {}, stalled=bool(stall)) for place in taken]
            answer = bulk.answer([each or {} for each in answers.values()])
            try:
                if not stall:
                    exchange.answer(answer)
            finally:
                for accepted in (each for each in calls if each.outcome == "accepted"):
                    self.report_delivery(accepted)
        if stall:
            self.hold_back(stall)
            exchange.answer(answer)
        return True

    def _refused(self, bulk: FakeBulk, received: _Received, fault: Fault | None) -> Mapping[str, Any] | None:
        """What is answered for one message of several that is refused; None for one that is taken."""
        refusal = next((kind for kind in REFUSAL_KINDS if fault is not None and fault.kind == kind), None)
        try:
            if refusal is None:
                received.fake.check(received.message)
                return None
            answer = received.fake.refusal(refusal)
        except RefusedRequestError as refused:
            answer = refused.answer
        self._keep(received, outcome=refusal or "reject")
        return bulk.refused(answer)

    def _keep_result(self, received: _Received, result: Mapping[str, Any], *, stalled: bool) -> Call:
        """Keep one message of several by what is answered for it."""
        message_id = str(result.get("MessageId", ""))
        outcome = "accepted" if message_id else "reject"
        return self._keep(received, outcome=outcome, stalled=stalled, message_id=message_id)

    def _take(self, received: _Received, exchange: Exchange) -> None:
        fault = self.take_fault(received.channel, received.message.tags.get("message_key", ""))
        if fault is not None and self._failed(fault, received, exchange):
            return
        try:
            received.fake.check(received.message)
        except RefusedRequestError as refused:
            self._keep(received, outcome="reject")
            exchange.answer(refused.answer)
            return
        message_id = received.fake.new_id()
        if answer := self._passed_on(received.fake, received.request):
            if answer.status >= 300:
                self._keep(received, outcome="reject")
                exchange.answer(answer)
                return
            message_id = answer.content.get("MessageId", message_id)
        self._accept(fault, received, message_id, exchange)

    def _passed_on(self, fake: FakeProvider, request: HttpRequest) -> HttpAnswer | None:
        """What the embedded cloud's own service answers, where there is one behind the fake."""
        return self.pass_on(request) if fake.is_passed_on and self.pass_on is not None else None

    def _failed(self, fault: Fault, received: _Received, exchange: Exchange) -> bool:
        """Act a fault out; a stall is not one yet, its message is accepted first."""
        match fault.kind:
            case "stall":
                return False
            case "drop":
                self._keep(received, outcome="drop")
                exchange.hang_up()
            case "throttle" | "reject" | "refuse_us" | "address_gone" | "error" as kind:
                answer = received.fake.refusal(kind)
                self._keep(received, outcome=kind)
                exchange.answer(answer)
            case _:
                assert_never(fault.kind)
        return True

    def _keep(self, received: _Received, **values: Any) -> Call:
        message = received.message
        return self.record(
            channel=received.channel,
            provider=received.fake.provider,
            message_key=message.tags.get("message_key", ""),
            recipient=message.recipient,
            content=message.content,
            tags=message.tags,
            request=message.request,
            **values,
        )

    def _accept(self, fault: Fault | None, received: _Received, message_id: str, exchange: Exchange) -> None:
        received.fake.taken(received.message, message_id)
        with self.reporting():
            accepted = self._keep(received, outcome="accepted", stalled=fault is not None, message_id=message_id)
            try:
                if fault is None:
                    exchange.answer(received.fake.accepted(message_id))
            finally:
                self.report_delivery(accepted)
        if fault is not None:
            self.hold_back(fault.seconds)
            exchange.answer(received.fake.accepted(message_id))


def _fake_of(call: Call) -> FakeProvider:
    """The provider that took a call."""
    mounted = fakes()[call.channel]
    return next((fake for fake in mounted if fake.provider == call.provider), mounted[0])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    block_on_close = False
    providers: Providers

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away while its answer was held back is what a stall is for; nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """A question to a provider that is asked by GET, such as for an access token."""
        self.do_POST()

    def do_POST(self) -> None:
        """A request to any of the providers; what none of them recognises is not a provider's."""
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(method=self.command, path=self.path, headers=headers, body=self.rfile.read(length))
        if not self.server.providers.receive(request, self):
            self.answer(aws_error(404, "UnknownOperationException", f"no provider answers {self.path}"))

    def hang_up(self) -> None:
        """See Exchange."""
        self.close_connection = True
        self.connection.shutdown(2)

    def answer(self, answer: HttpAnswer) -> None:
        """See Exchange."""
        payload = (answer.text or json.dumps(dict(answer.content))).encode()
        self.send_response(answer.status)
        self.send_header("content-type", "text/xml" if answer.text else "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(payload)))
        self.send_header("connection", "close")  # so that refused connections are felt at once
        for name, value in {"x-amzn-requestid": str(uuid.uuid4()), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is http.server's
        """The calls are kept; a line each on standard error is not wanted."""


@dataclass(slots=True)
class _MailExchange:
    """The end of a message that came by SMTP; its reply may be given before what follows it is done."""

    replied: Future[str]

    def answer(self, answer: HttpAnswer) -> None:
        """See Exchange."""
        self.replied.set_result(f"{answer.status} {answer.text}" if answer.status else HUNG_UP)

    def hang_up(self) -> None:
        """See Exchange."""
        self.replied.set_result(HUNG_UP)


@dataclass(frozen=True, slots=True)
class _MailHandler:
    """A MailHandler that asks the fakes."""

    providers: Providers

    def logged_in(self, username: str, password: str) -> bool:
        """See MailHandler."""
        given = {"username": username, "password": password}
        return any(fake.credentials == given for each in fakes().values() for fake in each if fake.transport == "smtp")

    def sender(self, address: str) -> str:
        """See MailHandler."""
        del address
        return "250 2.1.0 Ok"

    def recipient(self, address: str) -> str:
        """See MailHandler."""
        del address
        return "250 2.1.5 Ok"

    def message(self, transaction: Transaction) -> str:
        """See MailHandler."""
        request = HttpRequest(method="SMTP", path="", headers=headers_of(transaction), body=transaction.message)
        exchange = _MailExchange(Future())
        threading.Thread(target=self.providers.receive, args=(request, exchange), daemon=True).start()
        return exchange.replied.result()


def pass_on_to(endpoint: str) -> PassOn:
    """A ``pass_on`` that lets the services of the embedded cloud at ``endpoint`` check and accept each request."""

    def send(request: HttpRequest) -> HttpAnswer:
        headers = {"authorization": request.headers.get("authorization", ""), "content-type": "application/json"}
        if target := request.headers.get("x-amz-target"):
            headers |= {"x-amz-target": target, "content-type": request.headers["content-type"]}
        answer = call(request.method, f"{endpoint}{request.path}", body=request.body, headers=headers, timeout=10)
        content = answer.json()
        if answer.status < 300:
            return HttpAnswer(status=answer.status, content=content)
        code = str(content.get("__type") or content.get("code") or "MessageRejected")
        return aws_error(answer.status, code, str(content.get("message", "")))

    return send
