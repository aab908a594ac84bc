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

_TARGET: Final = "PinpointSMSVoiceV2.SendTextMessage"
_E164: Final = re.compile(r"\+?[1-9][0-9]{1,18}")
_IN_FLIGHT: Final = frozenset({"TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT"})
_FINAL: Final = frozenset({
    "TEXT_BLOCKED", "TEXT_CARRIER_BLOCKED", "TEXT_CARRIER_UNREACHABLE", "TEXT_DELIVERED", "TEXT_INVALID",
    "TEXT_INVALID_MESSAGE", "TEXT_PROTECT_BLOCKED", "TEXT_SPAM", "TEXT_SUCCESSFUL", "TEXT_TTL_EXPIRED", "TEXT_UNKNOWN",
    "TEXT_UNREACHABLE",
})  # fmt: skip


class EndUserMessaging(contract.AwsFakeProvider):
    """SendTextMessage, and the events about it."""

    provider = "end_user_messaging"
    endpoints = ("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2",)
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = _IN_FLIGHT | _FINAL
    fates: ClassVar[Mapping[contract.Fate, str]] = {
        "delivered": "TEXT_DELIVERED",
        "bounced": "TEXT_INVALID",
        "bounced_for_now": "TEXT_UNREACHABLE",
        "failed": "TEXT_BLOCKED",
    }

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.headers.get("x-amz-target") == _TARGET

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        content = request.json()
        return contract.SentMessage(
            recipient=content.get("DestinationPhoneNumber", ""),
            tags=content.get("Context", {}),
            content=contract.SentContent(text=content.get("MessageBody", "")),
            request=content,
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: the limits of the API reference."""
        text, tags = message.content.text, message.tags
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
            "isFinal": word in _FINAL,
            "originationPhoneNumber": message.request.get("OriginationIdentity", ""),
            "destinationPhoneNumber": message.recipient,
            "messageId": message_id,
            "messageRequestTimestamp": round(sent_at.timestamp() * 1000),
            "messageType": message.request.get("MessageType", "PROMOTIONAL"),
            "messageStatus": word.removeprefix("TEXT_"),
            "context": message.tags,
            "totalMessageParts": 1,
        }
        return {
            "Source": "aws.sms-voice",
            "DetailType": "Text Message Delivery Status Updated",
            "Detail": json.dumps(detail),
            "Resources": [],
        }


FAKES: Final = (EndUserMessaging(), Aliyun())
