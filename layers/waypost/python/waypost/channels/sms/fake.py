"""Answers and reports as AWS End User Messaging does.

Sources: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html and
https://docs.aws.amazon.com/sms-voice/latest/userguide/monitor-event-bridge.html
"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, assert_never

from waypost.channels import fake_contract as contract
from waypost.channels.sms.fake_aliyun import Aliyun

_TARGETS: Final = frozenset({"PinpointSMSVoiceV2.SendTextMessage", "PinpointSMSVoiceV2.SendRcsMessage"})
_RCS: Final = frozenset({
    "RCS_DELIVERED", "RCS_FAILED", "RCS_FALLEN_BACK_TO_SMS", "RCS_PROTECT_BLOCKED", "RCS_QUEUED", "RCS_READ", "RCS_SENT",
    "RCS_TTL_EXPIRED",
})  # fmt: skip
_EVENTS_TOPIC: Final = "sms-events"
_E164: Final = re.compile(r"\+?[1-9][0-9]{1,18}")
_IN_FLIGHT: Final = frozenset({"TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT"})
_FINAL: Final = frozenset({
    "TEXT_BLOCKED", "TEXT_CARRIER_BLOCKED", "TEXT_CARRIER_UNREACHABLE", "TEXT_DELIVERED", "TEXT_INVALID",
    "TEXT_INVALID_MESSAGE", "TEXT_PROTECT_BLOCKED", "TEXT_SPAM", "TEXT_SUCCESSFUL", "TEXT_TTL_EXPIRED", "TEXT_UNKNOWN",
    "TEXT_UNREACHABLE",
})  # fmt: skip


class EndUserMessaging(contract.AwsFakeProvider):
    """SendTextMessage and SendRcsMessage, and the events about them. ``without_rcs`` are numbers that take no cards."""

    provider = "end_user_messaging"
    choices: ClassVar[Mapping[str, str]] = {
        "sms_rcs_agent": "pool-0123456789abcdef0123456789abcdef",
        "sms_configuration_set": "local",
    }
    endpoints = ("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2",)
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = _IN_FLIGHT | _FINAL | _RCS
    fates: ClassVar[Mapping[contract.Fate, str]] = {
        "delivered": "TEXT_DELIVERED",
        "bounced": "TEXT_INVALID",
        "bounced_for_now": "TEXT_UNREACHABLE",
        "failed": "TEXT_BLOCKED",
    }

    def __init__(self) -> None:
        self.without_rcs: set[str] = set()

    def forget(self) -> None:
        """See FakeProvider."""
        self.without_rcs.clear()

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.headers.get("x-amz-target") in _TARGETS

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        content = request.json()
        return contract.SentMessage(
            recipient=content.get("DestinationPhoneNumber", ""),
            tags=content.get("Context", {}),
            content=_shown(content),
            request=content,
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: the limits of the API reference."""
        if "RcsMessageContent" in message.request:
            self.refuse_first(_problems_of_a_card(message.request), "ValidationException", Reason="OTHER")
        text, tags = message.request.get("MessageBody", "of a card"), message.tags
        problems = {
            "MessageBody": not text.strip() or len(text) > 1600,
            "DestinationPhoneNumber": not _E164.fullmatch(message.recipient),
            "Context": len(tags) > 5 or any(len(name) > 100 or len(value) > 800 for name, value in tags.items()),
            "MessageType": message.request.get("MessageType", "PROMOTIONAL") not in {"PROMOTIONAL", "TRANSACTIONAL"},
        }
        named = {f"{name}: invalid": is_wrong for name, is_wrong in problems.items()}
        self.refuse_first(named, "ValidationException", Reason="OTHER")

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return contract.aws_error(400, "ThrottlingException", "Maximum sending rate exceeded.")
            case "reject":
                return contract.aws_error(
                    400, "ValidationException", "The message was rejected.", Reason="DESTINATION_COUNTRY_BLOCKED"
                )
            case "refuse_us":
                reason = "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"
                return contract.aws_error(
                    400, "ServiceQuotaExceededException", "The spend limit is reached.", Reason=reason
                )
            case "address_gone":
                reason = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
                return contract.aws_error(400, "ConflictException", "The destination has opted out.", Reason=reason)
            case "error":
                return contract.aws_error(500, "InternalServerException", "An internal error occurred.")
            case _:
                assert_never(kind)

    def outcome(self, message: contract.SentMessage) -> str:
        """See FakeProvider: a card arrives, or the text message takes its place."""
        if "RcsMessageContent" not in message.request:
            return ""
        return "RCS_FALLEN_BACK_TO_SMS" if message.recipient in self.without_rcs else "RCS_DELIVERED"

    def new_id(self) -> str:
        """See FakeProvider."""
        return str(uuid.uuid4())

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider."""
        detail = {
            "eventType": word,
            "eventVersion": "1.0",
            "eventTimestamp": round(at.timestamp() * 1000),
            "isFinal": word in _FINAL or word in {"RCS_DELIVERED", "RCS_READ"},
            "originationPhoneNumber": message.request.get("OriginationIdentity", ""),
            "destinationPhoneNumber": message.recipient,
            "messageId": message_id,
            "messageRequestTimestamp": round(sent_at.timestamp() * 1000),
            "messageType": message.request.get("MessageType", "PROMOTIONAL"),
            "messageStatus": word.partition("_")[2],
            "context": message.tags,
            "totalMessageParts": 1,
        }
        if word in _RCS:
            return contract.Published(topic=_EVENTS_TOPIC, message=detail)
        return {
            "Source": "aws.sms-voice",
            "DetailType": "Text Message Delivery Status Updated",
            "Detail": json.dumps(detail),
            "Resources": [],
        }


def _shown(content: Mapping[str, Any]) -> contract.SentContent:
    """The text, or the card as it is read."""
    given = content.get("RcsMessageContent", {}).get("Content", {})
    if not given:
        return contract.SentContent(text=content.get("MessageBody", ""))
    card = given.get("RichCard", {}).get("CardContent", {})
    text = given.get("TextMessage", {}).get("Body", "") or card.get("Description", "")
    return contract.SentContent(text=text, subject=card.get("Title", ""))


def _problems_of_a_card(content: Mapping[str, Any]) -> Mapping[str, bool]:
    given = content["RcsMessageContent"]["Content"]
    card = given.get("RichCard", {}).get("CardContent", {})
    suggestions = [*content["RcsMessageContent"].get("Suggestions", ()), *card.get("Suggestions", ())]
    inner = [next(iter(each.values())) for each in suggestions]
    fallback = content.get("FallbackConfiguration", {})
    return {
        "OriginationIdentity: required": not content.get("OriginationIdentity"),
        "RcsMessageContent: exactly one content type": len(given) != 1,
        "Body: invalid": not 1 <= len(given.get("TextMessage", {}).get("Body", "x")) <= 3072,
        "Title: invalid": len(card.get("Title", "")) > 200,
        "Description: invalid": len(card.get("Description", "")) > 2000,
        "Suggestions: too many": len(card.get("Suggestions", ())) > 4 or len(suggestions) > 11,
        "Text: invalid": any(not 1 <= len(each["Text"]) <= 25 for each in inner),
        "Url: invalid": any(not re.fullmatch(r"https://\S{1,2040}", each.get("Url", "https://x")) for each in inner),
        "TimeToLive: invalid": not 1 <= content.get("TimeToLive", 1) <= 172_800,
        "FallbackConfiguration: invalid": fallback.get("Channel") != "SMS"
        or not 1 <= len(fallback.get("MessageBody", "")) <= 1600,
    }


FAKES: Final = (EndUserMessaging(), Aliyun())
