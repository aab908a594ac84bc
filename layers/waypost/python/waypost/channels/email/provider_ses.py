"""Mail through Amazon SES v2: SendEmail for one message, SendBulkEmail for several.

Sources: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html,
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from waypost.channels.answers import Accepted, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.calls import AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.headers import feedback, origin_of, own_headers, reply_addresses
from waypost.content.brands import Brand

_REFUSES_US: Final = frozenset({
    "AccountSuspendedException", "MailFromDomainNotVerifiedException", "NotFoundException", "SendingPausedException",
})  # fmt: skip
_NOT_VERIFIED: Final = re.compile(r"not verified", re.IGNORECASE)
_DAILY_QUOTA: Final = re.compile(r"daily (message|sending) quota", re.IGNORECASE)
"""What a throttle says when it lasts for hours: what the account may send in 24 hours is used up."""
_OF_THE_ACCOUNT: Final = re.compile(r"account|daily_quota|suspended", re.IGNORECASE)
"""In the reason of a refusal: SES takes no mail of any sender."""
_SUSPENDED: Final = re.compile(r"suspended|paused|shut ?down|disabled", re.IGNORECASE)
"""What ``MessageRejected`` says when it means the account: an identity to be verified (in the sandbox the recipient's), or a stop.

Source: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
"""

MOST_ENTRIES: Final = 50
"""Recipients of one SendBulkEmail call."""
MOST_VALUES: Final = 262_144
"""Characters of the JSON with one recipient's values. Source: API_ReplacementTemplate, ``ReplacementTemplateData``."""
MOST_IN_A_CALL: Final = 900_000
"""Characters of the messages of one call, which leaves room for its addresses, tags and headers.

Source: "Using templates to send personalized email", limits of inline templates: 1 MB of input.
"""

TEMPLATE: Final[Mapping[str, str]] = {"Subject": "{{subject}}", "Html": "{{html}}", "Text": "{{text}}"}
"""The message that our own renderer made travels as the values of this template, in which SES has nothing to decide.

SES fills plain names in as they are. Source: "Advanced email personalization" of its guide: it does not escape HTML; a template in
the request may have simple substitutions alone (API_Template).
"""

_LATER: Final = frozenset({"ACCOUNT_THROTTLED", "TRANSIENT_FAILURE"})
_FINAL: Final = frozenset({"FAILED", "INVALID_PARAMETER", "MESSAGE_REJECTED"})
_OURS: Final = frozenset({
    "ACCOUNT_DAILY_QUOTA_EXCEEDED", "ACCOUNT_SENDING_PAUSED", "ACCOUNT_SUSPENDED", "CONFIGURATION_SET_DOES_NOT_EXIST",
    "CONFIGURATION_SET_NOT_FOUND", "CONFIGURATION_SET_SENDING_PAUSED", "INVALID_SENDING_POOL", "INVALID_SENDING_POOL_NAME",
    "MAIL_FROM_DOMAIN_NOT_VERIFIED", "TEMPLATE_DOES_NOT_EXIST", "TEMPLATE_NOT_FOUND",
})  # fmt: skip
"""What SES may say of one recipient of a call. The model and the prose of API_BulkEmailEntryResult name some differently."""


@dataclass(frozen=True, slots=True)
class Ses(Provider[RenderedEmail]):
    """SES. ``sender`` is the From field as RFC 5322 writes it, ``reply_to`` the addresses that answers go to.

    ``in_bulk``: several messages share a call. A brand has a configuration set of its own, ``<configuration_set>-<brand>``, and with
    ``tenant`` a tenant of the same name.
    """

    service: AwsService
    sender: str
    reply_to: tuple[str, ...]
    configuration_set: str
    in_bulk: bool = True

    def send(self, outgoing: Outgoing[RenderedEmail]) -> Answer:
        """See Provider. The message key travels as a tag, so that SES's own events carry it."""
        request = self._request(outgoing)
        answer = self.service.call(lambda client: client.send_email(**request))
        if isinstance(answer, Mapping):
            return Accepted(answer["MessageId"])
        return _reaching(answer_to(answer, known=_known), outgoing.brand)

    def send_all(self, outgoing: Sequence[Outgoing[RenderedEmail]]) -> Sequence[Answer]:
        """See Provider. What has no room in a bulk call, and what would be alone in one, goes by itself."""
        if not self.in_bulk:
            return [self.send(each) for each in outgoing]
        of_brand: dict[str, list[int]] = {}
        for place, each in enumerate(outgoing):
            of_brand.setdefault(each.brand.id if each.brand else "", []).append(place)
        answers: dict[int, Answer] = {}
        for places in of_brand.values():
            answers |= zip(places, self._send_together([outgoing[place] for place in places]), strict=True)
        return [answers[place] for place in range(len(outgoing))]

    def _send_together(self, outgoing: Sequence[Outgoing[RenderedEmail]]) -> Sequence[Answer]:
        """Those of one brand, or of none: the sender is the call's, not the recipient's."""
        brand, answers = outgoing[0].brand, dict[int, Answer]()
        for batch in _batches(outgoing):
            if len(batch) == 1:
                answers |= {place: self.send(outgoing[place]) for place in batch}
            else:
                found = self._send_bulk(brand, list(batch.values())) or [self.send(outgoing[place]) for place in batch]
                answers |= zip(batch, found, strict=True)
        return [answers[place] for place in range(len(outgoing))]

    def _send_bulk(self, brand: Brand | None, entries: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """One call. An answer that tells of no recipient, or of another number of them, holds for all.

        Empty when SES takes no such call, so that nothing was sent: it may be the right that is missing, or one message of
        all that it cannot read, which only calls of their own tell.
        """
        request = {
            **self._common(brand),
            "DefaultContent": {"Template": {"TemplateContent": dict(TEMPLATE), "TemplateData": "{}"}},
            "BulkEmailEntries": entries,
        }
        answer = self.service.call(lambda client: client.send_bulk_email(**request))
        if not isinstance(answer, Mapping):
            meant = answer_to(answer, known=_known)
            may_not = isinstance(answer, ErrorAnswer) and answer.code == "AccessDeniedException"
            return [] if may_not or isinstance(meant, RefusedMessage) else [_reaching(meant, brand)] * len(entries)
        results = answer["BulkEmailEntryResults"]
        if len(results) != len(entries):
            return [Unclear("another number of results")] * len(entries)
        return [_reaching(_answer_in(result), brand) for result in results]

    def _common(self, brand: Brand | None) -> dict[str, Any]:
        """What every mail of a brand has, or of none."""
        sender, reply_to = origin_of(brand, self.sender, self.reply_to)
        name = self.configuration_set if brand is None else f"{self.configuration_set}-{brand.id}"
        return {
            "FromEmailAddress": sender,
            "ConfigurationSetName": name,
            **({"TenantName": name} if brand is not None and brand.tenant else {}),
            **({"ReplyToAddresses": list(reply_to)} if reply_to else {}),
        }

    def _request(self, outgoing: Outgoing[RenderedEmail]) -> dict[str, Any]:
        content = outgoing.content
        simple = {
            "Subject": {"Data": content.subject, "Charset": "UTF-8"},
            "Body": {
                "Html": {"Data": content.html, "Charset": "UTF-8"},
                "Text": {"Data": content.text, "Charset": "UTF-8"},
            },
            "Headers": _named(own_headers(outgoing)),
        }
        return {
            **self._common(outgoing.brand),
            "Destination": {"ToAddresses": [outgoing.to.text]},
            "Content": {"Simple": simple},
            "EmailTags": _named(_tags(outgoing)),
        }


def _batches(outgoing: Sequence[Outgoing[RenderedEmail]]) -> Iterator[dict[int, dict[str, Any]]]:
    """The entries of each bulk call, by the message's place; one that is too long for any is alone in its batch."""
    batch: dict[int, dict[str, Any]] = {}
    size = 0
    for place, each in enumerate(outgoing):
        content = each.content
        filled_in = {"subject": content.subject, "html": content.html, "text": content.text}
        values = json.dumps(filled_in, ensure_ascii=False)
        length = len(json.dumps(values))  # as a text within the request
        if len(values) > MOST_VALUES or length > MOST_IN_A_CALL:
            yield {place: {}}
            continue
        if batch and (len(batch) == MOST_ENTRIES or size + length > MOST_IN_A_CALL):
            yield batch
            batch, size = {}, 0
        batch[place] = _entry(each, values)
        size += length
    if batch:
        yield batch


def _entry(outgoing: Outgoing[RenderedEmail], values: str) -> dict[str, Any]:
    """One recipient of a bulk call: the same headers and tags as in a call of its own."""
    headers = own_headers(outgoing)
    return {
        "Destination": {"ToAddresses": [outgoing.to.text]},
        "ReplacementTags": _named(_tags(outgoing)),
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": values}},
        **({"ReplacementHeaders": _named(headers)} if headers else {}),
    }


def _answer_in(result: Mapping[str, Any]) -> Answer:
    """What the entry of a bulk call says of its message. A word that is not known, or none, leaves it open."""
    status, message_id = str(result.get("Status", "")), str(result.get("MessageId", ""))
    if status == "SUCCESS" and message_id:
        return Accepted(message_id)
    if status in _LATER:
        return RefusedForNow(status)
    if status in _OURS:
        return RefusedUs(status)
    if status in _FINAL:
        message = str(result.get("Error", ""))
        return _known(ErrorAnswer(400, "MessageRejected", message=message)) or RefusedMessage(status)
    return Unclear(status or "no status")


def _reaching(answer: Answer, brand: Brand | None) -> Answer:
    """The answer, which holds back a brand's mails alone where it is about the brand's domain, configuration set or tenant."""
    if brand is None or not isinstance(answer, RefusedUs) or _OF_THE_ACCOUNT.search(answer.reason):
        return answer
    return replace(answer, for_everyone=False)


def _named(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _tags(outgoing: Outgoing[RenderedEmail]) -> dict[str, str]:
    return {**outgoing.tags, **_feedback_id(outgoing)}


def _feedback_id(outgoing: Outgoing[RenderedEmail]) -> dict[str, str]:
    """What SES puts first into its own header ``Feedback-ID``; one of ours beside it would be a second one.

    Source: https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity.html, custom feedback values.
    """
    journey, kind = feedback(outgoing)
    return {"ses:feedback-id-a": journey, "ses:feedback-id-b": kind}


def _known(error: ErrorAnswer) -> Answer | None:
    if error.code in _REFUSES_US:
        return RefusedUs(error.code)
    if _DAILY_QUOTA.search(error.message):
        return RefusedUs(f"{error.code} DAILY_QUOTA")
    if error.code == "MessageRejected" and _NOT_VERIFIED.search(error.message):
        return RefusedUs(f"{error.code} NOT_VERIFIED", for_everyone=False)
    if error.code == "MessageRejected" and _SUSPENDED.search(error.message):
        return RefusedUs(f"{error.code} SUSPENDED")
    return None


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Ses:
    """The provider, from the settings ``sender``, ``reply_to`` (separated by commas), ``configuration_set`` and ``bulk``."""
    return Ses(
        ports.aws("sesv2"),
        settings["sender"],
        reply_addresses(settings),
        settings["configuration_set"],
        in_bulk=settings.get("bulk") != "off",
    )
