"""Mail by SMTP: what is handed over, when a connection is used again, and what each reply of a server means."""

import smtplib
import ssl
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from local.providers.mail_server import HUNG_UP, MailServer, Transaction
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import FakeSecret
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing
from waypost.channels.email import submission as submissions
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.mime import mime_of, tags_of
from waypost.channels.email.provider_smtp import Smtp, answer_to
from waypost.channels.email.submission import Lost, NotTaken, Reply, Submission, trust
from waypost.channels.email.submission import MailServer as Address
from waypost.contacts.channels import Address as ContactAddress
from waypost.contacts.channels import Channel
from waypost.content.brands import Brand
from waypost.errors import TemporarilyUnavailable

NOW = datetime(2027, 3, 1, 2, 5, tzinfo=UTC)
GOOD = {"username": "shop", "password": "secret"}
OK = {"sender": "250 2.1.0 Ok", "recipient": "250 2.1.5 Ok", "content": "250 2.0.0 Ok: queued as 4F3A9C21"}


@dataclass
class Scripted:
    """A server that gives the replies it was given for a step, then takes everything."""

    password: str = GOOD["password"]
    replies: dict[str, deque[str]] = field(default_factory=dict)
    taken: list[Transaction] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    def plan(self, step: str, *replies: str) -> None:
        self.replies.setdefault(step, deque()).extend(replies)

    def _reply(self, step: str) -> str:
        planned = self.replies.get(step)
        return planned.popleft() if planned else OK[step]

    def logged_in(self, username: str, password: str) -> bool:
        self.logins.append(f"{username}:{password}")
        return (username, password) == (GOOD["username"], self.password)

    def sender(self, address: str) -> str:
        assert address in {"hello@shop.example", "hello@harbour.example"}
        return self._reply("sender")

    def recipient(self, address: str) -> str:
        assert address == "lin@example.com"
        return self._reply("recipient")

    def message(self, transaction: Transaction) -> str:
        reply = self._reply("content")
        if reply.startswith("2"):
            self.taken.append(transaction)
        return reply


@pytest.fixture
def script() -> Scripted:
    return Scripted()


@pytest.fixture(params=[False, True], ids=["implicit-tls", "starttls"])
def server(request: pytest.FixtureRequest, script: Scripted) -> Iterator[MailServer]:
    with MailServer(script, starttls=request.param, largest=100_000) as server:
        yield server


@pytest.fixture
def one_server(script: Scripted) -> Iterator[MailServer]:
    with MailServer(script) as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW.isoformat())


def provider(server: MailServer, clock: FakeClock, *, secret: FakeSecret | None = None, trusted: bool = True) -> Smtp:
    authority = str(server.authority) if trusted else ""
    return Smtp(
        Submission(
            server=Address.of(server.url),
            credentials=secret or FakeSecret(GOOD),
            name="shop.example",
            tls=lambda: trust.__wrapped__(authority),
            clock=clock,
        ),
        "Shop <hello@shop.example>",
        (),
        clock,
    )


def outgoing(
    content: RenderedEmail | None = None, *, key: str = "m-1", to: str = "lin@example.com"
) -> Outgoing[RenderedEmail]:
    return Outgoing(
        to=ContactAddress(Channel("email"), "email", to),
        content=content or RenderedEmail(subject="Hello", html="<p>Hello</p>", text="Hello"),
        message_key=key,
        transactional=False,
        unsubscribe_url="https://links.example.com/u/" + "x" * 300,
        tags={"message_key": key, "contact_id": "c-1", "journey": "nurture"},
    )


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=policy.SMTP)


# --- the message -------------------------------------------------------------------------------------------------------


def made(content: RenderedEmail | None = None, *, reply_to: tuple[str, ...] = ()) -> bytes:
    return mime_of(outgoing(content), sender="Shop <hello@shop.example>", reply_to=reply_to, at=NOW)


@pytest.mark.flow
def test_a_branded_mail_is_from_its_brand_to_the_server_too(
    one_server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    brand = Brand(
        id="harbour", name={"en": "Harbour"}, sender="Harbour <hello@harbour.example>", reply_to=("a@b.example",)
    )
    answer = provider(one_server, clock).send(replace(outgoing(), brand=brand))
    [taken] = script.taken
    message = read(taken.message)
    assert (taken.sender, message["From"], message["Reply-To"]) == (
        "hello@harbour.example",
        brand.sender,
        "a@b.example",
    )
    assert message["Feedback-ID"] == "nurture:marketing-harbour:harbour.example:waypost"
    assert message["Message-ID"] == "<m-1@harbour.example>"
    assert isinstance(answer, Accepted)


def test_a_message_has_the_fields_that_mailbox_providers_ask_for() -> None:
    message = read(made(reply_to=("help@shop.example", "sales@shop.example")))
    assert message["From"] == "Shop <hello@shop.example>"
    assert message["To"] == "lin@example.com"
    assert message["Reply-To"] == "help@shop.example, sales@shop.example"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == "<m-1@shop.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Feedback-ID"] == "nurture:marketing:shop.example:waypost"
    assert tags_of(message["X-Waypost-Tags"]) == {"message_key": "m-1", "contact_id": "c-1", "journey": "nurture"}
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_long_link_is_neither_folded_nor_encoded_in_its_field() -> None:
    line = f"List-Unsubscribe: <https://links.example.com/u/{'x' * 300}>".encode()
    assert line in made().split(b"\r\n")


def test_a_message_is_ascii_in_lines_that_every_server_takes() -> None:
    subject = "欢迎来到路标商店，" * 12 + "👩‍🚀"
    html = f"<p>{'价格' * 2000}</p>\r\n.\r\n<p>.</p>"
    raw = made(RenderedEmail(subject=subject, html=html, text=".\n..\n" + "长" * 3000))
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert max(len(line) for line in lines if not line.startswith(b"List-Unsubscribe")) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    message = read(raw)
    assert message["Subject"] == subject
    plain, rich = (part.get_content() for part in message.iter_parts())
    assert plain.replace("\r\n", "\n") == ".\n..\n" + "长" * 3000 + "\n"
    assert rich.replace("\r\n", "\n").strip() == html.replace("\r\n", "\n")


def test_no_field_can_be_smuggled_in() -> None:
    raw = made(RenderedEmail(subject="Hello\r\nBcc: all@example.com", html="<p>x</p>", text="x"))
    assert read(raw)["Bcc"] is None
    assert read(raw)["Subject"] == "Hello Bcc: all@example.com"


def test_a_subject_that_looks_encoded_is_shown_as_it_was_written() -> None:
    assert (
        read(made(RenderedEmail(subject="=?utf-8?b?eA==?=", html="<p>x</p>", text="x")))["Subject"]
        == "=?utf-8?b?eA==?="
    )


# --- what a reply means ------------------------------------------------------------------------------------------------

GONE = "hard_bounce"


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        # the session
        ("session", "421 4.3.2 Try later", RefusedForNow),
        ("session", "454 4.7.0 Temporary authentication failure", RefusedForNow),
        ("session", "432 4.7.12 A password transition is needed", RefusedUs),
        ("session", "535 5.7.8 Authentication credentials invalid", RefusedUs),
        ("session", "554 No SMTP service here", RefusedUs),
        ("session", "521 Host does not accept mail", RefusedUs),
        # MAIL
        ("sender", "451 4.3.0 Local error", RefusedForNow),
        ("sender", "452 4.3.1 Insufficient system storage", RefusedForNow),
        ("sender", "530 5.7.0 Must issue a STARTTLS command first", RefusedUs),
        ("sender", "550 5.7.1 Sender not allowed", RefusedUs),
        ("sender", "553 5.1.8 Bad sender's system address", RefusedUs),
        ("sender", "552 5.3.4 Message too big for system", RefusedMessage),
        # RCPT
        ("recipient", "450 4.2.1 Mailbox busy", RefusedForNow),
        ("recipient", "451 4.7.1 Greylisted", RefusedForNow),
        ("recipient", "452 4.2.2 Mailbox full", RefusedForNow),
        ("recipient", "550 5.1.1 No such user", AddressGone),
        ("recipient", "550 5.1.2 No such domain", AddressGone),
        ("recipient", "556 5.1.10 Recipient address has null MX", AddressGone),
        ("recipient", "556 Domain does not accept mail", AddressGone),
        ("recipient", "550 5.2.1 Mailbox disabled", AddressGone),
        ("recipient", "551 5.7.17 Mailbox owner has changed", AddressGone),
        ("recipient", "552 5.2.2 Mailbox full", RefusedMessage),
        ("recipient", "550 Requested action not taken", RefusedMessage),
        ("recipient", "553 5.1.4 Ambiguous address", RefusedMessage),
        ("recipient", "550 5.7.1 Relaying denied", RefusedUs),
        # the message
        ("content", "450 4.7.1 Slow down", RefusedForNow),
        ("content", "421 4.7.0 Too many messages", RefusedForNow),
        ("content", "550 5.1.1 No such user", AddressGone),
        ("content", "550 5.4.5 Daily sending quota exceeded", RefusedUs),
        ("content", "550 5.7.26 Unauthenticated email is not accepted", RefusedUs),
        ("content", "550 5.7.1 Blocked as spam", RefusedMessage),
        ("content", "552 5.2.3 Message length exceeds limit", RefusedMessage),
        ("content", "554 5.6.0 Invalid message", RefusedMessage),
        ("content", "354 Go on", Unclear),
        ("content", "-1 what", Unclear),
        ("sender", "-1 what", RefusedForNow),
    ],
)
def test_a_reply_is_what_its_codes_say_at_its_step(step: submissions.Step, reply: str, expected: type[Answer]) -> None:
    code, _, text = reply.partition(" ")
    answer = answer_to(Reply(step, int(code), text), message_id="<m-1@shop.example>")
    assert type(answer) is expected
    assert getattr(answer, "reason", "").startswith(f"smtp {step} {code}")
    if isinstance(answer, AddressGone):
        assert answer.suppression == GONE


def test_relaying_denied_is_about_some_recipients_and_a_bad_password_about_all() -> None:
    def of(step: submissions.Step, code: int, text: str) -> Answer:
        return answer_to(Reply(step, code, text), message_id="<m-1@shop.example>")

    assert of("recipient", 550, "5.7.1 Relaying denied") == RefusedUs("smtp recipient 550 5.7.1", for_everyone=False)
    assert of("session", 535, "5.7.8 no") == RefusedUs("smtp session 535 5.7.8", for_everyone=True)


def test_no_reason_holds_what_the_server_wrote() -> None:
    answer = answer_to(Reply("recipient", 550, "5.1.1 <lin@example.com> unknown"), message_id="")
    assert "lin" not in repr(answer)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2.0.0 Ok: queued as 4F3A9C21", "4F3A9C21"),
        ("OK id=1rXyZ-0001-AB", "1rXyZ-0001-AB"),
        ("Ok 0102019a5c1d2a69-3c0f7d5c", "0102019a5c1d2a69-3c0f7d5c"),
        ("2.0.0 OK 1700000000 a1-b2.3 - gsmtp", "<m-1@shop.example>"),
        ("", "<m-1@shop.example>"),
    ],
)
def test_a_message_has_the_servers_id_or_its_own(text: str, found: str) -> None:
    assert answer_to(Reply("content", 250, text), message_id="<m-1@shop.example>") == Accepted(found)


def test_what_never_left_is_refused_and_what_may_have_is_unclear() -> None:
    assert answer_to(NotTaken("TimeoutError"), message_id="") == RefusedForNow("TimeoutError")
    assert answer_to(NotTaken("no_credentials", is_ours=True), message_id="") == RefusedUs("no_credentials")
    assert answer_to(Lost("TimeoutError"), message_id="") == Unclear("TimeoutError")


# --- over the wire -----------------------------------------------------------------------------------------------------


@pytest.mark.flow
def test_a_message_arrives_as_it_was_made(server: MailServer, script: Scripted, clock: FakeClock) -> None:
    content = RenderedEmail(subject="欢迎", html="<p>.\n.</p>", text=".\n..\n. end")
    assert provider(server, clock).send(outgoing(content)) == Accepted("4F3A9C21")
    [taken] = script.taken
    assert (taken.sender, taken.recipient) == ("hello@shop.example", "lin@example.com")
    plain, _ = (part.get_content() for part in read(taken.message).iter_parts())
    assert plain.replace("\r\n", "\n") == ".\n..\n. end\n"


@pytest.mark.flow
def test_messages_share_a_connection_also_after_one_was_refused(
    server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    smtp = provider(server, clock)
    script.plan("recipient", OK["recipient"], "550 5.1.1 No such user")
    answers = [smtp.send(outgoing(key=f"m-{number}")) for number in range(3)]
    assert [type(answer) for answer in answers] == [Accepted, AddressGone, Accepted]
    assert (server.connections, len(script.taken), len(script.logins)) == (1, 2, 1)


@pytest.mark.flow
@pytest.mark.parametrize("farewell", ["", "421 4.4.2 Idle too long"])
def test_a_kept_connection_that_the_server_ended_is_replaced(
    server: MailServer, script: Scripted, clock: FakeClock, farewell: str
) -> None:
    smtp = provider(server, clock)
    smtp.send(outgoing(key="m-1"))
    server.drop_idle(farewell)
    assert isinstance(smtp.send(outgoing(key="m-2")), Accepted)
    assert (server.connections, len(script.taken)) == (2, 2)


@pytest.mark.flow
@pytest.mark.parametrize("reply", [HUNG_UP, "421 4.3.2 Shutting down"])
def test_a_kept_connection_that_ends_before_the_message_is_replaced_and_a_new_one_is_not(
    one_server: MailServer, script: Scripted, clock: FakeClock, reply: str
) -> None:
    smtp = provider(one_server, clock)
    smtp.send(outgoing(key="m-1"))
    script.plan("sender", reply)
    assert isinstance(smtp.send(outgoing(key="m-2")), Accepted)
    assert one_server.connections == 2
    script.plan("sender", reply, reply)
    assert isinstance(smtp.send(outgoing(key="m-3")), RefusedForNow)
    assert (one_server.connections, len(script.taken)) == (3, 2)


@pytest.mark.flow
def test_an_idle_connection_is_not_trusted_after_a_minute(
    one_server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    smtp = provider(one_server, clock)
    smtp.send(outgoing(key="m-1"))
    clock.advance(minutes=2)
    smtp.send(outgoing(key="m-2"))
    assert (one_server.connections, len(script.taken)) == (2, 2)


@pytest.mark.flow
def test_a_connection_that_ends_after_the_message_is_unclear_and_the_message_is_not_handed_over_again(
    server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    smtp = provider(server, clock)
    smtp.send(outgoing(key="m-1"))
    script.plan("content", HUNG_UP)
    assert isinstance(smtp.send(outgoing(key="m-2")), Unclear)
    assert (server.connections, len(script.taken)) == (1, 1)


@pytest.mark.flow
def test_a_shutdown_at_the_end_of_the_message_has_not_taken_it(
    one_server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    smtp = provider(one_server, clock)
    script.plan("content", "421 4.3.2 Shutting down")
    assert smtp.send(outgoing()) == RefusedForNow("smtp content 421 4.3.2")
    assert isinstance(smtp.send(outgoing()), Accepted)


@pytest.mark.flow
def test_a_message_above_the_servers_size_is_refused_before_it_leaves(
    server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    huge = RenderedEmail(subject="Hello", html="<p>x</p>" * 20_000, text="x")
    assert isinstance(provider(server, clock).send(outgoing(huge)), RefusedMessage)
    assert script.taken == []


@pytest.mark.flow
def test_a_password_that_was_just_changed_is_read_again(
    one_server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    secret = FakeSecret({**GOOD, "password": "old"}, newer=GOOD)
    assert isinstance(provider(one_server, clock, secret=secret).send(outgoing()), Accepted)
    assert {*script.logins} == {"shop:old", "shop:secret"}


@pytest.mark.flow
@pytest.mark.parametrize(
    "given", [{**GOOD, "password": "wrong"}, {}, {"username": "", "password": ""}, {**GOOD, "password": "口令"}]
)
def test_wrong_or_missing_credentials_refuse_us(
    one_server: MailServer, script: Scripted, clock: FakeClock, given: dict[str, str]
) -> None:
    assert isinstance(provider(one_server, clock, secret=FakeSecret(given)).send(outgoing()), RefusedUs)
    assert script.taken == []


@pytest.mark.flow
def test_a_server_that_is_not_the_one_of_its_certificate_gets_no_password(
    server: MailServer, script: Scripted, clock: FakeClock
) -> None:
    assert provider(server, clock, trusted=False).send(outgoing()) == RefusedUs(ssl.SSLCertVerificationError.__name__)
    assert script.logins == []


@pytest.mark.flow
def test_a_server_without_starttls_gets_neither_password_nor_message(
    script: Scripted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda *_: False)
    with MailServer(script, starttls=True) as server:
        assert provider(server, clock).send(outgoing()) == RefusedUs("SMTPNotSupportedError")
    assert (script.logins, script.taken) == ([], [])


def test_a_secret_that_cannot_be_read_is_refused_for_now(clock: FakeClock) -> None:
    class Unreadable(FakeSecret):
        def read(self) -> dict[str, str]:
            raise TemporarilyUnavailable("throttled")

    submission = Submission(
        server=Address.of("smtps://mail.example.com"), credentials=Unreadable({}), name="shop.example"
    )
    answer = Smtp(submission, "hello@shop.example", (), clock).send(outgoing())
    assert answer == RefusedForNow("TemporarilyUnavailable")


def test_an_address_beyond_ascii_is_refused_without_a_call(clock: FakeClock) -> None:
    submission = Submission(server=Address.of("mail.example.com"), credentials=FakeSecret(GOOD), name="shop.example")
    answer = Smtp(submission, "hello@shop.example", (), clock).send(outgoing(to="林@example.com"))
    assert answer == RefusedMessage("address_not_ascii")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtpdm.aliyun.com", Address("smtpdm.aliyun.com", 465, True)),
        ("smtps://smtp.example.com:994", Address("smtp.example.com", 994, True)),
        ("smtp://smtp.example.com", Address("smtp.example.com", 587, False)),
    ],
)
def test_a_mail_server_is_named_by_its_url(url: str, expected: Address) -> None:
    assert Address.of(url) == expected


@pytest.mark.parametrize(
    "url", ["", "https://smtp.example.com", "smtps://", "smtps://a:b@smtp.example.com", "smtp://h/x"]
)
def test_what_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtps://"):
        Address.of(url)
