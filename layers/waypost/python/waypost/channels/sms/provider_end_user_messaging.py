"""SMS through AWS End User Messaging.

Source: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedMessage, RefusedUs
from waypost.channels.calls import AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.sms.channel import RenderedSms

_REFUSES_US: Final = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ServiceQuotaExceededException"})
_REASONS_OF_THE_ACCOUNT: Final = frozenset({
    "CHANNEL_NOT_ENABLED", "INVALID_ARN", "MESSAGE_TYPE_MISMATCH", "NUMBER_CAPABILITIES_MISMATCH", "RESOURCE_NOT_ACCESSIBLE",
    "RESOURCE_NOT_ACTIVE",
})  # fmt: skip
_REASONS_BY_DESTINATION: Final = frozenset({
    "COUNTRY_NOT_ENABLED", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", "INTERNATIONAL_SENDING_NOT_SUPPORTED",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", "NO_ORIGINATION_IDENTITIES_FOUND", "REGISTRATION_NOT_COMPLETE",
    "SENDER_ID_NOT_REGISTERED", "SENDER_ID_NOT_SUPPORTED", "SENDER_ID_REQUIRES_REGISTRATION",
})  # fmt: skip
"""Reasons of a ConflictException or ValidationException that an operator has to cure. The second ones do not meet every number:
the sandbox sends to verified ones, and countries have origination identities and registrations of their own.
"""


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
        case (("ConflictException" | "ValidationException"), detail) if detail in _REASONS_OF_THE_ACCOUNT:
            return RefusedUs(reason)
        case (("ConflictException" | "ValidationException"), detail) if detail in _REASONS_BY_DESTINATION:
            return RefusedUs(reason, for_everyone=False)
        case (("ConflictException" | "ValidationException"), _):
            return RefusedMessage(reason)
        case code, _ if code in _REFUSES_US:
            return RefusedUs(reason)
        case _:
            return None


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> EndUserMessaging:
    """The provider, from the setting ``origination``, which may be empty."""
    return EndUserMessaging(ports.aws("pinpoint-sms-voice-v2"), settings.get("origination", ""))
