"""Stands in for the mail and SMS providers: an HTTP server that answers as Amazon SES v2 and AWS End User Messaging do.

Started by ``local.cloud``; the Lambda functions reach it through ``AWS_ENDPOINT_URL_SESV2`` and
``AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2`` with their real boto3 clients. It keeps every call, can be told to fail in the
ways providers fail, and can report what became of a message as they do. Mail is passed on to the embedded cloud's own
SES, so an unverified sender is refused.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, assert_never

from local.loopback import call
from local.mail import read_mail
from local.provider_events import email_event, sms_event
from local.provider_record import Call, Fault, Record
from waypost.clock import Clock, real_now

PublishEvents = Callable[[list[dict[str, Any]]], None]
SendMail = Callable[[str, bytes, dict[str, str]], tuple[int, bytes]]

_SEND_EMAIL = "/v2/email/outbound-emails"
_SEND_SMS = "PinpointSMSVoiceV2.SendTextMessage"


class Providers(Record):
    """The server: a context manager; ``url`` is its address while it runs.

    ``send_mail(path, body, headers) -> (status, body)`` passes mail on; without it every sender counts as verified.
    ``publish_events(entries)`` puts events on the default bus; it is used when ``delivery_events`` is on.
    """

    def __init__(
        self,
        *,
        clock: Clock = real_now,
        send_mail: SendMail | None = None,
        publish_events: PublishEvents | None = None,
        delivery_events: bool = False,
        port: int = 0,
        kept_in: Path | None = None,
    ) -> None:
        super().__init__(clock, kept_in=kept_in)
        self.send_mail = send_mail
        self.publish_events = publish_events
        self.delivery_events = delivery_events
        self._reporting = 0
        self._all_reported = threading.Condition()
        self._closing = threading.Event()
        self.port = port
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._stop_listening()

    @property
    def url(self) -> str:
        """Where the functions reach the providers."""
        return f"http://127.0.0.1:{self.port}"

    def rest(self, within: float) -> bool:
        """Wait until it is reported what became of every accepted message; whether that was so in time."""
        with self._all_reported:
            return self._all_reported.wait_for(lambda: not self._reporting, timeout=within)

    @contextmanager
    def refusing_connections(self) -> Iterator[None]:
        """Inside the block no connection can be opened."""
        self._stop_listening()
        try:
            yield
        finally:
            self._listen()

    def report_bounce(self, call: Call, *, permanent: bool = True) -> None:
        """Report that an accepted mail came back."""
        self._publish(email_event("Bounce", call, at=self.clock(), permanent=permanent))

    def report_complaint(self, call: Call) -> None:
        """Report that the reader called an accepted mail spam."""
        self._publish(email_event("Complaint", call, at=self.clock()))

    def _publish(self, entry: dict[str, Any]) -> None:
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
        """Report an accepted message as sent and delivered, as the provider does a moment after its answer."""
        if not self.delivery_events:
            return
        if call.provider == "email":
            self._publish(email_event("Send", call, at=self.clock()))
            self._publish(email_event("Delivery", call, at=self.clock()))
        else:
            self._publish(sms_event("TEXT_DELIVERED", call, at=self.clock()))

    def hold_back(self, seconds: float) -> None:
        """Wait before an answer, but not longer than the server lives."""
        self._closing.wait(seconds)


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

    def do_POST(self) -> None:
        """SendEmail and SendTextMessage; anything else is not a provider's."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request: dict[str, Any] = json.loads(body) if body else {}
        if self.path == _SEND_EMAIL:
            self._email(request, body)
        elif self.headers.get("x-amz-target") == _SEND_SMS:
            self._sms(request)
        else:
            self._answer(404, {"message": f"no provider answers {self.path}"}, error="UnknownOperationException")

    def _email(self, request: dict[str, Any], body: bytes) -> None:
        providers = self.server.providers
        tags = {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])}
        destination = request.get("Destination", {})
        known: dict[str, Any] = {
            "provider": "email",
            "message_key": tags.get("message_key", ""),
            "recipient": next(iter(destination.get("ToAddresses", [])), ""),
            "mail": read_mail(request),
            "tags": tags,
            "request": request,
        }
        fault = providers.take_fault("email", known["message_key"])
        if self._failed(fault, known, throttled=(429, "TooManyRequestsException"), rejected=(400, "MessageRejected")):
            return
        message_id = f"{uuid.uuid4().hex[:16]}-{uuid.uuid4()}-000000"
        if providers.send_mail is not None:
            status, answer = providers.send_mail(
                self.path, body, {"authorization": self.headers.get("authorization", "")}
            )
            if status >= 300:
                providers.record(outcome="reject", **known)
                content = json.loads(answer)
                self._answer(
                    status, content, error=str(content.get("__type") or content.get("code") or "MessageRejected")
                )
                return
            message_id = json.loads(answer)["MessageId"]
        self._accept(fault, {**known, "message_id": message_id})

    def _sms(self, request: dict[str, Any]) -> None:
        providers = self.server.providers
        context = request.get("Context", {})
        known: dict[str, Any] = {
            "provider": "sms",
            "message_key": context.get("message_key", ""),
            "recipient": request.get("DestinationPhoneNumber", ""),
            "text": request.get("MessageBody", ""),
            "tags": context,
            "request": request,
        }
        fault = providers.take_fault("sms", known["message_key"])
        if self._failed(fault, known, throttled=(400, "ThrottlingException"), rejected=(400, "ValidationException")):
            return
        if not known["text"].strip() or not known["recipient"]:
            providers.record(outcome="reject", **known)
            self._answer(
                400, {"Message": "DestinationPhoneNumber and MessageBody are needed"}, error="ValidationException"
            )
            return
        self._accept(fault, {**known, "message_id": str(uuid.uuid4())})

    def _failed(
        self, fault: Fault | None, known: dict[str, Any], *, throttled: tuple[int, str], rejected: tuple[int, str]
    ) -> bool:
        """Act a fault out; a stall is not one yet, its message is accepted first."""
        if fault is None or fault.kind == "stall":
            return False
        self.server.providers.record(outcome=fault.kind, **known)
        match fault.kind:
            case "throttle":
                self._answer(throttled[0], {"message": "Maximum sending rate exceeded."}, error=throttled[1])
            case "reject":
                self._answer(rejected[0], {"message": "The message was rejected."}, error=rejected[1])
            case "error":
                self._answer(500, {"message": "An internal error occurred."}, error="InternalServerException")
            case "drop":
                self.close_connection = True
                self.connection.shutdown(2)
            case never:
                assert_never(never)
        return True

    def _accept(self, fault: Fault | None, known: dict[str, Any]) -> None:
        providers = self.server.providers
        with providers.reporting():
            accepted = providers.record(outcome="accepted", stalled=fault is not None, **known)
            try:
                if fault is None:
                    self._answer(200, {"MessageId": accepted.message_id})
            finally:
                providers.report_delivery(accepted)
        if fault is not None:
            providers.hold_back(fault.seconds)
            self._answer(200, {"MessageId": accepted.message_id})

    def _answer(self, status: int, content: dict[str, Any], *, error: str = "") -> None:
        payload = json.dumps({"__type": error, **content} if error else content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(payload)))
        self.send_header("x-amzn-requestid", str(uuid.uuid4()))
        self.send_header("connection", "close")  # so that refused connections are felt at once
        if error:
            self.send_header("x-amzn-errortype", error)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is http.server's
        """The calls are kept; a line each on standard error is not wanted."""


def pass_mail_on(endpoint: str) -> SendMail:
    """A ``send_mail`` that lets the SES of the embedded cloud at ``endpoint`` check and accept each mail."""

    def send(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        given = {**headers, "content-type": "application/json"}
        answer = call("POST", f"{endpoint}{path}", body=body, headers=given, timeout=10)
        return answer.status, answer.body

    return send
