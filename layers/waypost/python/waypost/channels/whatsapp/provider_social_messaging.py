"""WhatsApp through AWS End User Messaging Social, which passes Meta's own message on.

It takes a message and says later, by an event, what Meta has against it. Sources:
https://docs.aws.amazon.com/social-messaging/latest/APIReference/API_SendWhatsAppMessage.html and
https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never
from urllib.parse import urlencode

from waypost.channels.answers import Accepted, Answer, RefusedUs
from waypost.channels.calls import AwsService, ErrorAnswer, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.whatsapp.channel import RenderedWhatsApp, variables_of

API_VERSION: Final = "v20.0"
"""Of Meta's messages, where a deployment says nothing else."""
MOST_CALLBACK_DATA: Final = 512
_CAN_BE_LEFT_OUT: Final = ("journey", "address")


@dataclass(frozen=True, slots=True)
class SocialMessaging(Provider[RenderedWhatsApp]):
    """End User Messaging Social. ``number`` is the id or ARN of the phone number that sends; empty: there is none yet."""

    service: AwsService
    number: str
    api_version: str

    def send(self, outgoing: Outgoing[RenderedWhatsApp]) -> Answer:
        """See Provider. The message key travels in Meta's own field for it, which its reports bring back."""
        if not self.number:
            return RefusedUs("no_number")
        message = json.dumps(meta_message(outgoing), ensure_ascii=False).encode()
        answer = self.service.call(
            lambda client: client.send_whatsapp_message(
                originationPhoneNumberId=self.number, metaApiVersion=self.api_version, message=message
            )
        )
        if isinstance(answer, Mapping):
            return Accepted(str(answer["messageId"]))
        return answer_to(answer, known=_known)


def _known(error: ErrorAnswer) -> Answer | None:
    match error.code:
        case "ResourceNotFoundException" | "AccessDeniedByMetaException":
            return RefusedUs(error.code)
        case _:
            return None


def meta_message(outgoing: Outgoing[RenderedWhatsApp]) -> dict[str, Any]:
    """The message as Meta takes it."""
    content = outgoing.content
    head = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": outgoing.to.text,
        "type": content.kind,
        "biz_opaque_callback_data": callback_data(outgoing.tags),
    }
    match content.kind:
        case "text":
            return {**head, "text": {"body": content.body, "preview_url": "://" in content.body}}
        case "template":
            template = {
                "name": content.name,
                "language": {"code": content.language},
                "components": list(_components(content)),
            }
            return {**head, "template": template}
        case _:
            assert_never(content.kind)


def _components(content: RenderedWhatsApp) -> list[dict[str, Any]]:
    """The parts that have variables, with their values; those of a button have no names."""
    parts = {"header": content.header, "body": content.body}
    found: list[dict[str, Any]] = [
        {"type": part, "parameters": _parameters(content, text)} for part, text in parts.items() if variables_of(text)
    ]
    if of_url := variables_of(content.url):
        parameters = [{"type": "text", "text": content.values[name]} for name in of_url]
        found.append({"type": "button", "sub_type": "url", "index": "0", "parameters": parameters})
    return found


def _parameters(content: RenderedWhatsApp, text: str) -> list[dict[str, str]]:
    """The values of a part. Where Meta counts the variables, they come in the order in which the message declares them."""
    used = set(variables_of(text))
    return [
        {"type": "text", **({"parameter_name": name} if content.named else {}), "text": value}
        for name, value in content.values.items()
        if name in used
    ]


def callback_data(tags: Mapping[str, str]) -> str:
    """The tags that reports need, in the one field that they bring back."""
    kept = dict(tags)
    for name in _CAN_BE_LEFT_OUT:
        if len(urlencode(kept)) > MOST_CALLBACK_DATA:
            kept.pop(name, None)
    return urlencode(kept)


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> SocialMessaging:
    """The provider, from the settings ``number`` and ``api_version``, which may be empty."""
    number, version = settings.get("number", ""), settings.get("api_version", "")
    return SocialMessaging(ports.aws("socialmessaging"), number, version or API_VERSION)
