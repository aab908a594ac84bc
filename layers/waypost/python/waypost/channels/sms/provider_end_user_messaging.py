"""SMS through AWS End User Messaging.

Source: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedMessage, RefusedUs
from waypost.channels.calls import NO_ACCESS, AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.sms.channel import RenderedSms

_REFUSES_US: Final = NO_ACCESS | {"ResourceNotFoundException", "ServiceQuotaExceededException"}
_CONFLICTS_OF_THE_ACCOUNT: Final = frozenset({
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "MESSAGE_TYPE_MISMATCH", "NO_ORIGINATION_IDENTITIES_FOUND",
    "NUMBER_CAPABILITIES_MISMATCH",
})  # fmt: skip
"""Reasons of a ConflictException that an operator has to cure; the first is the sandbox's."""


@dataclass(frozen=True, slots=True)
class EndUserMessaging(Provider[RenderedSms]):
    """End User Messaging. ``origination`` is a phone number, sender id or pool; empty: the account's."""

    service: AwsService
    origination: str

    def send(self, outgoing: Outgoing[RenderedSms]) -> Answer:
        """See Provider. The message key travels as context, so that the provider's own events carry it."""
        request: dict[str, Any] = {
            "DestinationPhoneNumber": outgoing.to.text,
            "MessageBody": outgoing.content.text,
            "MessageType": "TRANSACTIONAL" if outgoing.transactional else "PROMOTIONAL",
            "Context": dict(outgoing.tags),
        }
        if self.origination:
            request["OriginationIdentity"] = self.origination
        answer = self.service.call(lambda client: client.send_text_message(**request))
        if isinstance(answer, Mapping):
            return Accepted(answer["MessageId"])
        return answer_to(answer, known=_known)


def _known(error: ErrorAnswer) -> Answer | None:
    reason = f"{error.code} {error.detail}".strip()
    match error.code, error.detail:
        case "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT":
            return AddressGone(reason, suppression="opted_out")
        case "ConflictException", detail if detail in _CONFLICTS_OF_THE_ACCOUNT:
            return RefusedUs(reason)
        case (("ConflictException" | "ValidationException"), _):
            return RefusedMessage(reason)
        case code, _ if code in _REFUSES_US:
            return RefusedUs(reason)
        case _:
            return None


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> EndUserMessaging:
    """The provider, from the setting ``origination``, which may be empty."""
    return EndUserMessaging(ports.aws("pinpoint-sms-voice-v2"), settings.get("origination", ""))
