"""Answers as AWS End User Messaging Social does, and says later what Meta has against a message.

It knows which templates are approved, whose conversation is open, who has no WhatsApp and who stopped marketing. Sources: those of
``provider_social_messaging`` and ``notices``.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import parse_qsl

from waypost import ids
from waypost.channels import fake_contract as contract
from waypost.channels.whatsapp.channel import MOST_TEXT, WINDOW
from waypost.channels.whatsapp.notices import ENTRY

NUMBER: Final = "phone-number-id-976c72a700aac43eaf573ae050local0"
TOPIC: Final = "whatsapp"
_PATH: Final = "/v1/whatsapp/send"
_ACCOUNT: Final = "1234567890123456"
_OURS: Final = {"display_phone_number": "16505550100", "phone_number_id": "106540352242922"}
_PHONE: Final = re.compile(r"\+?[1-9][0-9]{6,14}")
_VERSION: Final = re.compile(r"v[0-9]+\.[0-9]+")
_SOMEONE: Final = {"phone": "+16505550101"}
_CODES: Final = {
    "131026": "Message undeliverable",
    "131047": "Re-engagement message",
    "131049": "This message was not delivered to maintain healthy ecosystem engagement.",
    "131050": "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages",
    "132000": "Number of parameters does not match the expected number of params",
    "132001": "Template name does not exist in the translation",
}


@dataclass(frozen=True, slots=True)
class Approved:
    """A template that Meta approved: its category and the number of its variables."""

    category: str
    variables: int


@dataclass(slots=True)
class _State:
    conversations: dict[str, datetime] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)


class SocialMessaging(contract.FakeProvider):
    """SendWhatsAppMessage of one number, and the entries of Meta's webhook that AWS publishes."""

    provider = "social_messaging"
    endpoints = ("AWS_ENDPOINT_URL_SOCIALMESSAGING",)
    choices: ClassVar[Mapping[str, str]] = {"whatsapp_number": NUMBER}
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS) - {"address_gone"}
    words: ClassVar[frozenset[str]] = frozenset({"sent", "delivered", "read", *(f"failed {code}" for code in _CODES)})
    fates: ClassVar[Mapping[contract.Fate, str]] = {"delivered": "delivered", "failed": "failed 132001"}
    actions: ClassVar[Mapping[str, contract.Action]] = {
        "write": contract.Action(summary="a person writes to the number", values={**_SOMEONE, "text": "Hello"}),
        "stop": contract.Action(summary="a person stops marketing in WhatsApp", values=_SOMEONE),
        "resume": contract.Action(summary="a person takes marketing again", values=_SOMEONE),
        "leave": contract.Action(summary="a person has no WhatsApp any more", values=_SOMEONE),
    }

    def __init__(self) -> None:
        self.templates: dict[str, Approved] = {"welcome_offer": Approved("marketing", 1)}
        self._state = _State()

    def forget(self) -> None:
        """See FakeProvider: who wrote, stopped or left."""
        self._state = _State()

    def learn(self, message: Mapping[str, Any]) -> None:
        """See FakeProvider: the template of the message is approved."""
        match message.get("whatsapp"):
            case {"template": str(name), "category": str(category), "variables": Mapping() as variables}:
                self.templates[name] = Approved(category, len(variables))
            case {"template": str(name), "category": str(category)}:
                self.templates[name] = Approved(category, 0)

    # --- what people do ----------------------------------------------------------------------------------------------

    def perform(self, action: str, values: Mapping[str, str]) -> contract.Published | None:
        """See FakeProvider."""
        phone = values["phone"]
        if not _PHONE.fullmatch(phone):
            raise ValueError("phone: a number such as +16505550101")
        match action:
            case "write":
                return self._written(phone, values["text"])
            case "stop" | "resume":
                (self._state.stopped.add if action == "stop" else self._state.stopped.discard)(phone)
                preference = {
                    "wa_id": phone.removeprefix("+"),
                    "detail": f"User requested to {action} marketing messages",
                    "category": "marketing_messages",
                    "value": action,
                    "timestamp": _seconds(self.clock()),
                }
                return _published("user_preferences", {"user_preferences": [preference]})
            case "leave":
                self._state.without.add(phone)
                return None
            case _:
                raise ValueError(f"at {self.provider} nobody can do {action!r}")

    def _written(self, phone: str, text: str) -> contract.Published:
        self._state.without.discard(phone)
        self._state.conversations[phone] = self.clock() + WINDOW
        wa_id = phone.removeprefix("+")
        message = {
            "from": wa_id,
            "id": f"wamid.{uuid.uuid4().hex}",
            "timestamp": _seconds(self.clock()),
            "type": "text",
            "text": {"body": text},
        }
        contact = {"profile": {"name": "Lin"}, "wa_id": wa_id}
        return _published("messages", {"contacts": [contact], "messages": [message]})

    def action_for(
        self, event: str, address: str, properties: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, str]] | None:
        """See FakeProvider."""
        if event != "whatsapp_reply":
            return None
        return "write", {"phone": address, "text": str(properties.get("text", ""))}

    # --- what functions call -----------------------------------------------------------------------------------------

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.path == _PATH

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider. A message that is no JSON is refused later, by what it lacks."""
        content = request.json()
        try:
            message = json.loads(base64.b64decode(content.get("message", ""), validate=True))
        except (ValueError, binascii.Error):
            message = {}
        tags = dict(parse_qsl(str(message.get("biz_opaque_callback_data", ""))))
        return contract.SentMessage(
            recipient=str(message.get("to", "")),
            tags=tags,
            content=contract.SentContent(text=_shown(message)),
            request={**content, "message": message},
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: what AWS says at once. The rest Meta says later."""
        given, sent = message.request, message.request["message"]
        kind = sent.get("type")
        if given.get("originationPhoneNumberId") != NUMBER:
            raise _refused(404, "ResourceNotFoundException", "The phone number does not exist.")
        problems = {
            "metaApiVersion": not _VERSION.fullmatch(str(given.get("metaApiVersion", ""))),
            "messaging_product": sent.get("messaging_product") != "whatsapp",
            "recipient_type": sent.get("recipient_type") != "individual",
            "to": not _PHONE.fullmatch(message.recipient),
            "type": kind not in {"template", "text"},
            "biz_opaque_callback_data": len(str(sent.get("biz_opaque_callback_data", ""))) > 512,
            "text.body": kind == "text" and not 1 <= len(sent["text"]["body"]) <= MOST_TEXT,
            "template": kind == "template" and not _is_template(sent.get("template")),
        }
        for name, is_wrong in problems.items():
            if is_wrong:
                raise _refused(400, "InvalidParametersException", f"(#100) Invalid parameter: {name}")

    def outcome(self, message: contract.SentMessage) -> str:
        """See FakeProvider: what Meta says of a message that it does not deliver."""
        sent, phone = message.request["message"], message.recipient
        if phone in self._state.without:
            return "failed 131026"
        if sent["type"] == "text":
            return "" if self._state.conversations.get(phone, self.clock()) > self.clock() else "failed 131047"
        template = sent["template"]
        if (approved := self.templates.get(template["name"])) is None:
            return "failed 132001"
        if len([each for part in template["components"] for each in part["parameters"]]) != approved.variables:
            return "failed 132000"
        if approved.category == "marketing" and phone in self._state.stopped:
            return "failed 131050"
        return ""

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return contract.HttpAnswer(status=200, content={"messageId": message_id})

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return contract.aws_error(429, "ThrottledRequestException", "Rate exceeded")
            case "reject":
                return contract.aws_error(400, "InvalidParametersException", "(#100) Invalid parameter")
            case "refuse_us":
                return contract.aws_error(403, "AccessDeniedException", "The account is restricted.")
            case "address_gone":
                raise ValueError("SOCIAL messaging says later, by an event, that an address takes nothing")
            case "error":
                return contract.aws_error(502, "DependencyException", "WhatsApp does not answer.")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return str(uuid.uuid4())

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider."""
        del sent_at
        status, _, code = word.partition(" ")
        sent = message.request["message"]
        reported = {
            "id": f"wamid.{ids.digest(message_id)}",
            "status": status,
            "timestamp": _seconds(at),
            "recipient_id": message.recipient.removeprefix("+"),
            "biz_opaque_callback_data": sent.get("biz_opaque_callback_data", ""),
            **({"errors": [{"code": int(code), "title": _CODES[code]}]} if code else {}),
        }
        return _published("messages", {"statuses": [reported]}, message_id=message_id)


def _published(field_name: str, value: Mapping[str, Any], *, message_id: str = "") -> contract.Published:
    """An entry of Meta's webhook as AWS publishes it."""
    value = {"messaging_product": "whatsapp", "metadata": _OURS, **value}
    entry = {"id": _ACCOUNT, "changes": [{"value": value, "field": field_name}]}
    message = {
        "context": {
            "MetaWabaIds": [{"wabaId": _ACCOUNT, "arn": "arn:aws:social-messaging:us-east-1:000000000000:waba/local"}],
            "MetaPhoneNumberIds": [],
        },
        ENTRY: json.dumps(entry),
        "aws_account_id": "000000000000",
        **({"messageId": message_id} if message_id else {}),
    }
    return contract.Published(topic=TOPIC, message=message)


def _is_template(template: Any) -> bool:
    match template:
        case {"name": str(name), "language": {"code": str(code)}, "components": list(components)}:
            values = [each for part in components for each in part.get("parameters", ())]
            one_line = all(not re.search(r"[\n\t]| {5}", each["text"]) and each["text"] for each in values)
            return bool(name) and len(code) <= 6 and one_line
        case _:
            return False


def _shown(message: Mapping[str, Any]) -> str:
    """The text, or the name of the template and its values: the provider is not sent what the template says."""
    match message:
        case {"type": "text", "text": {"body": str(body)}}:
            return body
        case {"type": "template", "template": {"name": str(name), "components": list(components)}}:
            values = (str(each["text"]) for part in components for each in part["parameters"])
            return "\n".join([name, *values])
        case _:
            return ""


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _refused(status: int, code: str, message: str) -> contract.RefusedRequestError:
    return contract.RefusedRequestError(contract.aws_error(status, code, message))


FAKES: Final = (SocialMessaging(),)
