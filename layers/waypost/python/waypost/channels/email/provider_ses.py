"""Mail through Amazon SES v2. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Accepted, Answer, RefusedUs
from waypost.channels.calls import NO_ACCESS, AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.email.channel import RenderedEmail

_REFUSES_US: Final = NO_ACCESS | {
    "AccountSuspendedException", "MailFromDomainNotVerifiedException", "NotFoundException", "SendingPausedException",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ses(Provider[RenderedEmail]):
    """SES. ``sender`` is the From address."""

    service: AwsService
    sender: str
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
        headers = {} if outgoing.transactional else unsubscribe_headers(outgoing.unsubscribe_url)
        simple = {
            "Subject": {"Data": content.subject, "Charset": "UTF-8"},
            "Body": {
                "Html": {"Data": content.html, "Charset": "UTF-8"},
                "Text": {"Data": content.text, "Charset": "UTF-8"},
            },
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
        }
        return {
            "FromEmailAddress": self.sender,
            "Destination": {"ToAddresses": [outgoing.to.text]},
            "Content": {"Simple": simple},
            "EmailTags": [{"Name": name, "Value": value} for name, value in outgoing.tags.items()],
            "ConfigurationSetName": self.configuration_set,
        }


def unsubscribe_headers(url: str) -> dict[str, str]:
    """The header fields of one-click unsubscription. Source: RFC 2369 and RFC 8058."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _known(error: ErrorAnswer) -> Answer | None:
    return RefusedUs(error.code) if error.code in _REFUSES_US else None


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Ses:
    """The provider, from the settings ``sender`` and ``configuration_set``."""
    return Ses(ports.aws("sesv2"), settings["sender"], settings["configuration_set"])
