"""SMS through AWS End User Messaging.

Source: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waypost.aws.provider_errors import answer_to
from waypost.sending.channels import Accepted, Answer, OutgoingSms


@dataclass(frozen=True, slots=True)
class EndUserMessagingSms:
    """An SmsChannel on End User Messaging. ``origination`` is a phone number, sender id or pool; empty: the account's."""

    client: Any
    origination: str

    def send(self, sms: OutgoingSms) -> Answer:
        """See SmsChannel. The message key travels as context, so that the provider's own events carry it."""
        request = {
            "DestinationPhoneNumber": sms.to,
            "MessageBody": sms.content.text,
            "MessageType": "TRANSACTIONAL" if sms.transactional else "PROMOTIONAL",
            "Context": dict(sms.tags),
        }
        if self.origination:
            request["OriginationIdentity"] = self.origination
        try:
            answer = self.client.send_text_message(**request)
        except (ClientError, BotoCoreError) as error:
            return answer_to(error)
        return Accepted(answer["MessageId"])
