"""Several mails share a call of SES: each as it would go by itself, each with an answer of its own."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import Session

from local.providers.record import Fault, FaultKind
from local.providers.server import Providers
from tests.fakes.clock import FakeClock
from waypost.aws.clients import provider_client
from waypost.aws.provider_calls import SendingService
from waypost.channels.answers import Accepted, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.calls import AwsService, ErrorAnswer
from waypost.channels.contract import Outgoing
from waypost.channels.email import provider_ses
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.provider_ses import Ses
from waypost.contacts.channels import Address, Channel
from waypost.content.brands import Brand

pytestmark = pytest.mark.flow  # for its sockets

EMAIL = Channel("email")
NASTY = 'Lin & <Co> "quoted" {{subject}} {{#if x}} \\ 林美\u2028\n'


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    for name, value in {
        "AWS_DEFAULT_REGION": "ap-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    with Providers(clock=FakeClock("2027-03-01T02:05:00Z")) as providers:
        for name, url in providers.endpoints.items():
            monkeypatch.setenv(name, url)
        yield providers


@pytest.fixture
def ses(providers: Providers) -> Ses:
    del providers
    service = SendingService(provider_client.__wrapped__("sesv2"))
    return Ses(service, "Acme <hello@acme.example>", ("care@acme.example",), "waypost-local")


def mail(number: int, *, transactional: bool = False, html: str = "", to: str = "") -> Outgoing[RenderedEmail]:
    return Outgoing(
        to=Address(EMAIL, "email", to or f"reader-{number}@example.com"),
        content=RenderedEmail(
            f"Number {number} {NASTY.strip()}", html or f"<p>{number} {NASTY}</p>", f"{number} {NASTY}"
        ),
        message_key=f"m-{number}",
        transactional=transactional,
        unsubscribe_url=f"https://links.example.com/u/{number}",
        tags={"message_key": f"m-{number}", "contact_id": f"c-{number}", "journey": "nurture"},
    )


def test_each_mail_of_a_call_is_what_it_would_be_alone(ses: Ses, providers: Providers) -> None:
    mails = [mail(1), mail(2, transactional=True), mail(3)]
    for each in mails:
        ses.send(each)
    alone = providers.calls
    providers.forget()
    answers = ses.send_all(mails)
    together = providers.calls
    assert answers == [Accepted(call.message_id) for call in together]
    assert [(call.recipient, call.content, call.tags) for call in together] == [
        (call.recipient, call.content, call.tags) for call in alone
    ]
    assert together[0].content.headers["List-Unsubscribe"] == "<https://links.example.com/u/1>"
    assert {call.request["ReplyToAddresses"][0] for call in together} == {"care@acme.example"}
    assert "BulkEmailEntries" not in together[0].request


HARBOUR = Brand(id="harbour", name={"en": "Harbour"}, sender="Harbour <hello@harbour.example>", tenant=True)


def test_the_mails_of_a_brand_share_calls_among_themselves(ses: Ses, providers: Providers) -> None:
    mails = [replace(mail(number), brand=HARBOUR if number % 2 else None) for number in range(1, 5)]
    answers = ses.send_all(mails)
    sent = {call.recipient: call for call in providers.calls}
    assert [sent[each.to.text].message_id for each in mails] == [
        each.provider_message_id for each in answers if isinstance(each, Accepted)
    ]
    for each in mails:
        request = sent[each.to.text].request
        branded = each.brand is not None
        assert request["FromEmailAddress"] == (
            "Harbour <hello@harbour.example>" if branded else "Acme <hello@acme.example>"
        )
        assert request["ConfigurationSetName"] == ("waypost-local-harbour" if branded else "waypost-local")
        assert request.get("TenantName") == ("waypost-local-harbour" if branded else None)
        assert request.get("ReplyToAddresses") == (None if branded else ["care@acme.example"])
        assert sent[each.to.text].tags["ses:feedback-id-b"] == ("marketing-harbour" if branded else "marketing")


class Answered:
    """SES with one answer to every call."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def call(self, act: object) -> dict[str, Any]:
        del act
        return self.answer


@pytest.mark.parametrize("several", [False, True])
def test_a_configuration_set_that_is_missing_holds_up_its_brand_alone(
    ses: Ses, providers: Providers, *, several: bool
) -> None:
    providers.deployed({"EmailConfigurationSet": "waypost-local", "EmailIdentity": "acme.example"})
    mails = [replace(mail(number), brand=HARBOUR) for number in range(1, 3 if several else 2)]
    refused = ses.send_all(mails)
    assert [isinstance(each, RefusedUs) and not each.for_everyone for each in refused] == [True] * len(mails)
    assert isinstance(ses.send(mail(9)), Accepted)
    providers.deployed(
        {"EmailConfigurationSetHarbour": "waypost-local-harbour", "EmailTenantHarbour": "waypost-local-harbour"}
    )
    assert all(isinstance(each, Accepted) for each in ses.send_all(mails))


def test_an_account_that_is_stopped_stops_every_brand(ses: Ses, providers: Providers) -> None:
    refused = [replace(mail(number), brand=HARBOUR) for number in (1, 2)]
    for status, for_everyone in (("ACCOUNT_SENDING_PAUSED", True), ("CONFIGURATION_SET_SENDING_PAUSED", False)):
        service = Answered({"BulkEmailEntryResults": [{"Status": status}] * 2})
        assert replace(ses, service=service).send_all(refused) == [RefusedUs(status, for_everyone=for_everyone)] * 2


def test_a_call_holds_no_more_recipients_and_bytes_than_ses_takes(ses: Ses, providers: Providers) -> None:
    sizes = [len(batch) for batch in provider_ses._batches([mail(number) for number in range(120)])]
    assert sizes == [50, 50, 20]
    long = [mail(number, html=f"<p>{'林' * 30_000}</p>") for number in range(12)]
    assert [len(batch) for batch in provider_ses._batches(long)] == [4, 4, 4]
    assert all(isinstance(answer, Accepted) for answer in ses.send_all(long))
    assert len(providers.calls) == 12


def test_a_mail_that_is_too_long_for_a_call_of_several_goes_by_itself(ses: Ses, providers: Providers) -> None:
    mails = [mail(1), mail(2, html="x" * 300_000), mail(3)]
    answers = ses.send_all(mails)
    assert [answer for answer in answers if isinstance(answer, Accepted)] == answers
    by_key = {call.message_key: call.message_id for call in providers.calls}
    assert answers == [Accepted(by_key[each.message_key]) for each in mails]
    assert ["Content" in call.request for call in providers.calls if call.message_key == "m-2"] == [True]


ANSWERS: dict[FaultKind, type[Answer]] = {
    "throttle": RefusedForNow,
    "reject": RefusedMessage,
    "refuse_us": RefusedUs,
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_is_refused_of_one_mail_is_said_of_no_other(ses: Ses, providers: Providers, kind: FaultKind) -> None:
    providers.fail(Fault(kind=kind, message_key="m-2"))
    first, second, third = ses.send_all([mail(1), mail(2), mail(3)])
    assert isinstance(second, ANSWERS[kind])
    assert isinstance(first, Accepted)
    assert isinstance(third, Accepted)


def test_an_address_that_ses_cannot_read_is_refused_alone(ses: Ses) -> None:
    answers = ses.send_all([mail(1), mail(2, to="no address"), mail(3)])
    assert [type(answer) for answer in answers] == [Accepted, RefusedMessage, Accepted]


@pytest.mark.parametrize("kind", ["drop", "error"])
def test_a_call_without_an_answer_is_unclear_for_every_mail(ses: Ses, providers: Providers, kind: FaultKind) -> None:
    providers.fail(Fault(kind=kind, message_key="m-3"))
    answers = ses.send_all([mail(1), mail(2), mail(3)])
    assert [type(answer) for answer in answers] == [Unclear, Unclear, Unclear]


def test_no_connection_is_a_refusal_for_now_of_every_mail(ses: Ses, providers: Providers) -> None:
    with providers.refusing_connections():
        answers = ses.send_all([mail(1), mail(2)])
    assert [type(answer) for answer in answers] == [RefusedForNow, RefusedForNow]


def test_one_mail_and_a_stage_without_bulk_use_calls_of_their_own(ses: Ses, providers: Providers) -> None:
    ses.send_all([mail(1)])
    replace(ses, in_bulk=False).send_all([mail(2), mail(3)])
    assert ["Content" in call.request for call in providers.calls] == [True, True, True]


class Answering(AwsService):
    """SES with a fixed answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def call(self, operation: Any) -> Any:
        """See AwsService."""
        del operation
        return self.answer


STATUSES: dict[str, type[Answer]] = {
    "MESSAGE_REJECTED": RefusedMessage,
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": RefusedUs,
    "CONFIGURATION_SET_NOT_FOUND": RefusedUs,
    "CONFIGURATION_SET_DOES_NOT_EXIST": RefusedUs,
    "TEMPLATE_NOT_FOUND": RefusedUs,
    "TEMPLATE_DOES_NOT_EXIST": RefusedUs,
    "ACCOUNT_SUSPENDED": RefusedUs,
    "ACCOUNT_THROTTLED": RefusedForNow,
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": RefusedUs,
    "INVALID_SENDING_POOL_NAME": RefusedUs,
    "ACCOUNT_SENDING_PAUSED": RefusedUs,
    "CONFIGURATION_SET_SENDING_PAUSED": RefusedUs,
    "INVALID_PARAMETER": RefusedMessage,
    "TRANSIENT_FAILURE": RefusedForNow,
    "FAILED": RefusedMessage,
    "SOMETHING_NEW": Unclear,
    "": Unclear,
}


def test_every_status_of_the_model_is_understood(ses: Ses) -> None:
    model = Session().get_service_model("sesv2")
    assert {"SUCCESS", *STATUSES} >= {*model.shape_for("BulkEmailStatus").enum}
    results = [{"Status": status} for status in STATUSES]
    mails = [mail(number) for number in range(len(STATUSES))]
    answers = replace(ses, service=Answering({"BulkEmailEntryResults": results})).send_all(mails)
    assert dict(zip(STATUSES, map(type, answers), strict=True)) == STATUSES


def test_an_unverified_recipient_of_the_sandbox_holds_up_no_other() -> None:
    error = "Email address is not verified. The following identities failed the check: reader@example.com"
    results = [{"Status": "MESSAGE_REJECTED", "Error": error}, {"Status": "SUCCESS", "MessageId": "2"}]
    bulk = Ses(Answering({"BulkEmailEntryResults": results}), "a@acme.example", (), "set")
    assert bulk.send_all([mail(1), mail(2)]) == [
        RefusedUs("MessageRejected NOT_VERIFIED", for_everyone=False),
        Accepted("2"),
    ]


def test_results_that_do_not_match_the_mails_are_unclear() -> None:
    bulk = Ses(
        Answering({"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": "1"}]}), "a@acme.example", (), "s"
    )
    assert [type(answer) for answer in bulk.send_all([mail(1), mail(2)])] == [Unclear, Unclear]


@pytest.mark.parametrize("code", ["AccessDeniedException", "BadRequestException"])
def test_where_ses_takes_no_call_of_several_each_goes_by_itself(ses: Ses, providers: Providers, code: str) -> None:
    class WithoutBulk(AwsService):
        def call(self, operation: Any) -> Any:
            answer = ses.service.call(operation)
            return ErrorAnswer(400, code) if "BulkEmailEntryResults" in answer else answer  # type: ignore[operator]

    answers = replace(ses, service=WithoutBulk()).send_all([mail(1), mail(2)])
    alone = [call for call in providers.calls if "Content" in call.request]
    assert answers == [Accepted(call.message_id) for call in alone]


def test_a_call_that_is_refused_is_refused_for_every_mail() -> None:
    bulk = Ses(Answering(ErrorAnswer(400, "SendingPausedException")), "a@acme.example", (), "s")
    assert bulk.send_all([mail(1), mail(2)]) == [RefusedUs("SendingPausedException")] * 2
