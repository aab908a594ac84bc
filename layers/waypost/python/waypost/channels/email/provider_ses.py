"""Mail through Amazon SES v2. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Accepted, Answer, RefusedUs
from waypost.channels.calls import AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.headers import feedback, own_headers, reply_addresses

_REFUSES_US: Final = frozenset({
    "AccountSuspendedException", "MailFromDomainNotVerifiedException", "NotFoundException", "SendingPausedException",
})  # fmt: skip
_NOT_VERIFIED: Final = re.compile(r"not verified", re.IGNORECASE)
_DAILY_QUOTA: Final = re.compile(r"daily (message|sending) quota", re.IGNORECASE)
"""What a throttle says when it lasts for hours: what the account may send in 24 hours is used up."""
_SUSPENDED: Final = re.compile(r"suspended|paused|shut ?down|disabled", re.IGNORECASE)
"""What ``MessageRejected`` says when it means the account: an identity to be verified (in the sandbox the recipient's), or a stop.

Source: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
"""


@dataclass(frozen=True, slots=True)
class Ses(Provider[RenderedEmail]):
    """SES. ``sender`` is the From field as RFC 5322 writes it, ``reply_to`` the addresses that answers go to."""

    service: AwsService
    sender: str
    reply_to: tuple[str, ...]
    configuration_set: str

    def send(self, outgoing: Outgoing[RenderedEmail]) -> Answer:
        """See Provider. The message key travels as a tag, so that SES's own events carry it."""
        request = self._request(outgoing)
        answer = self.service.call(lambda client: client.send_email(**request))
        if isinstance(answer, Mapping):
            return Accepted(answer["MessageId"])
        return answer_to(answer, known=_known)

    def _request(self, outgoing: Outgoing[RenderedEmail]) -> dict[str, Any]:
        content = outgoing.content
        simple = {
            "Subject": {"Data": content.subject, "Charset": "UTF-8"},
            "Body": {
                "Html": {"Data": content.html, "Charset": "UTF-8"},
                "Text": {"Data": content.text, "Charset": "UTF-8"},
            },
            "Headers": [{"Name": name, "Value": value} for name, value in own_headers(outgoing).items()],
        }
        return {
            "FromEmailAddress": self.sender,
            "Destination": {"ToAddresses": [outgoing.to.text]},
            "Content": {"Simple": simple},
            "EmailTags": [
                {"Name": name, "Value": value} for name, value in {**outgoing.tags, **_feedback_id(outgoing)}.items()
            ],
            "ConfigurationSetName": self.configuration_set,
            **({"ReplyToAddresses": list(self.reply_to)} if self.reply_to else {}),
        }


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
    """The provider, from the settings ``sender``, ``reply_to`` (separated by commas) and ``configuration_set``."""
    return Ses(ports.aws("sesv2"), settings["sender"], reply_addresses(settings), settings["configuration_set"])
