"""SMS through AWS End User Messaging.

Sources: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html and
https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendRcsMessage.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedMessage, RefusedUs
from waypost.channels.calls import AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.sms.channel import RenderedSms
from waypost.channels.sms.rich_card import RichCard

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
    """End User Messaging. ``origination`` is a phone number, sender id or pool; empty: the account's.

    ``rcs_agent`` is the agent or pool that sends cards, reported by way of ``configuration_set``; empty: nothing is sent by RCS.
    """

    service: AwsService
    origination: str
    rcs_agent: str = ""
    configuration_set: str = ""

    def send(self, outgoing: Outgoing[RenderedSms]) -> Answer:
        """See Provider. The message key travels as context, so that the provider's own events carry it."""
        card = outgoing.content.card
        if card is None or not self.rcs_agent:
            request = self._text(outgoing)
            answer = self.service.call(lambda client: client.send_text_message(**request))
        else:
            rich = self._rich(outgoing, card)
            answer = self.service.call(lambda client: client.send_rcs_message(**rich))
        if isinstance(answer, Mapping):
            return Accepted(answer["MessageId"])
        return answer_to(answer, known=_known)

    def _text(self, outgoing: Outgoing[RenderedSms]) -> dict[str, Any]:
        request: dict[str, Any] = {
            "DestinationPhoneNumber": outgoing.to.text,
            "MessageBody": outgoing.content.text,
            "MessageType": "TRANSACTIONAL" if outgoing.transactional else "PROMOTIONAL",
            "Context": dict(outgoing.tags),
        }
        if self.origination:
            request["OriginationIdentity"] = self.origination
        return request

    def _rich(self, outgoing: Outgoing[RenderedSms], card: RichCard) -> dict[str, Any]:
        """AWS itself sends the text message where the card does not arrive in time, so one call and one key cover both."""
        fallback = {"Channel": "SMS", "MessageBody": outgoing.content.text}
        if self.origination and not is_pool(self.origination):
            fallback["OriginationIdentity"] = self.origination
        return {
            "DestinationPhoneNumber": outgoing.to.text,
            "OriginationIdentity": self.rcs_agent,
            "RcsMessageContent": card.content,
            "TimeToLive": card.seconds,
            "FallbackConfiguration": fallback,
            "ConfigurationSetName": self.configuration_set,
            "Context": dict(outgoing.tags),
        }


def is_pool(identity: str) -> bool:
    """Whether an origination identity, an id or an ARN, is a pool."""
    return identity.rpartition(":")[2].startswith(("pool-", "pool/"))


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
    """The provider, from the settings ``origination``, ``rcs_agent`` and ``configuration_set``, which may be empty."""
    chosen = [settings.get(name, "") for name in ("origination", "rcs_agent", "configuration_set")]
    return EndUserMessaging(ports.aws("pinpoint-sms-voice-v2"), *chosen)
