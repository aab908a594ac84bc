"""SMS in mainland China through Alibaba Cloud (dysmsapi 2017-05-25): approved templates alone.

Sources: https://help.aliyun.com/document_detail/419273.html (SendSms), https://help.aliyun.com/document_detail/101346.html (error codes)
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, assert_never
from urllib.parse import urlencode, urlsplit

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.sms.aliyun_signature import acs_date, signed_headers
from waypost.channels.sms.approved_template import ApprovedTemplate, mainland_number
from waypost.channels.sms.channel import RenderedSms
from waypost.clock import Clock, real_now
from waypost.errors import WaypostError
from waypost.events.ports import SecretStore
from waypost.http.ports import Answer as HttpAnswer
from waypost.http.ports import Forbidden, NoAnswer, NotSent, Poster

URL: Final = "https://dysmsapi.aliyuncs.com/"
_ACTION: Final = {"x-acs-action": "SendSms", "x-acs-version": "2017-05-25"}
_TIMEOUT: Final = timedelta(seconds=10)
_LONGEST_OUT_ID: Final = 255
_OVER_ITS_CAP: Final = timedelta(hours=1)
_OF_THE_NUMBER: Final = frozenset({"isv.BUSINESS_LIMIT_CONTROL"})
"""So many messages to one number: codes 1 a minute, 5 an hour, 10 a day; notices and promotion 50 a day; 40 of all senders."""
_GONE: Final = frozenset({"isv.MOBILE_NUMBER_ILLEGAL"})
_OF_THE_TEMPLATE: Final = frozenset({
    "isv.SIGN_NAME_ILLEGAL", "isv.SIGN_STATE_ILLEGAL", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
    "isv.SMS_TEMPLATE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL", "isv.TEMPLATE_STATE_ILLEGAL",
})  # fmt: skip
_OF_THE_ACCOUNT: Final = frozenset({
    "isp.RAM_PERMISSION_DENY", "isv.ACCOUNT_ABNORMAL", "isv.ACCOUNT_NOT_EXISTS", "isv.AMOUNT_NOT_ENOUGH", "isv.DAY_LIMIT_CONTROL",
    "isv.DENY_IP_RANGE", "isv.MONTH_LIMIT_CONTROL", "isv.OUT_OF_SERVICE", "isv.PRODUCT_UNSUBSCRIBE", "isv.PRODUCT_UN_SUBSCRIPT",
})  # fmt: skip
_CREDENTIALS: Final = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidSecurityToken")
_NO_RIGHT: Final = ("Forbidden", "NoPermission", "InvalidTimeStamp", "InvalidVersion", "InvalidAction")
_TRY_AGAIN: Final = "isp.SYSTEM_ERROR"
_REPEATED: Final = "SignatureNonceUsed"
"""The gateway has seen this very call before: something on the way repeated it, and it may have been carried out."""


def _nonce() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Aliyun(Provider[RenderedSms]):
    """SendSms. ``secret`` holds ``access_key_id`` and ``access_key_secret``; ``url`` is the interface's."""

    poster: Poster
    secret: SecretStore
    url: str
    clock: Clock = real_now
    nonce: Callable[[], str] = _nonce

    def send(self, outgoing: Outgoing[RenderedSms]) -> Answer:
        """See Provider. The message key travels as OutId, so that receipts carry it."""
        number, approved = mainland_number(outgoing.to.text), outgoing.content.approved
        if not number:
            return RefusedMessage("not_a_mainland_number")
        if approved is None:
            return RefusedMessage("no_approved_template")
        if approved.problem:
            return RefusedMessage(approved.problem)
        body = _request(number, approved, outgoing.tags)
        try:
            known = self.secret.read()
            answer = self._call(body, known)
            if isinstance(answer, RefusedUs) and answer.reason.startswith(_CREDENTIALS):
                newer = self.secret.read_again()  # they may just have been changed
                return self._call(body, newer) if newer != known else answer
        except WaypostError as error:
            return RefusedForNow(type(error).__name__)
        return answer

    def _call(self, body: bytes, credentials: Mapping[str, Any]) -> Answer:
        key_id, key_secret = (str(credentials.get(f"access_key_{name}", "")) for name in ("id", "secret"))
        if not key_id:
            return RefusedUs("no_credentials")
        headers = {
            "host": urlsplit(self.url).netloc,
            "content-type": "application/x-www-form-urlencoded",
            "x-acs-date": acs_date(self.clock()),
            "x-acs-signature-nonce": self.nonce(),
            **_ACTION,
        }
        signed = signed_headers(headers, body=body, key_id=key_id, key_secret=key_secret)
        outcome = self.poster.post(self.url, body, signed, timeout=_TIMEOUT)
        match outcome:
            case HttpAnswer(status=status, body=content):
                return answer_to(status, content or b"")
            case NotSent(reason=reason):
                return RefusedForNow(reason)
            case NoAnswer(reason=reason):
                return Unclear(reason)
            case Forbidden(reason=reason):
                return RefusedUs(reason)
            case _:
                assert_never(outcome)


def _request(number: str, approved: ApprovedTemplate, tags: Mapping[str, str]) -> bytes:
    values = dict(sorted(approved.values.items()))
    fields = {
        "PhoneNumbers": number,
        "SignName": approved.signature,
        "TemplateCode": approved.code,
        **({"TemplateParam": json.dumps(values, ensure_ascii=False)} if values else {}),
        "OutId": out_id(tags),
    }
    return urlencode(fields).encode()


def out_id(tags: Mapping[str, str]) -> str:
    """The tags that receipts need, in the one field that they bring back."""
    kept = {name: tags[name] for name in ("message_key", "contact_id", "journey") if tags.get(name)}
    whole = urlencode(kept)
    return whole if len(whole) <= _LONGEST_OUT_ID else urlencode({**kept, "journey": ""})


def answer_to(status: int, content: bytes) -> Answer:
    """What the answer says of the message, by its ``Code``; one that cannot be read is unclear."""
    try:
        answer = json.loads(content)
        code = str(answer["Code"])
    except (ValueError, KeyError, TypeError):
        return RefusedForNow("http_429") if status == 429 else Unclear(f"http_{status}")
    if code == "OK":
        return Accepted(str(answer.get("BizId", "")))
    return _refusal(status, code)


def _refusal(status: int, code: str) -> Answer:
    if code.startswith("Throttling") or code == _TRY_AGAIN or code in _OF_THE_NUMBER:
        return RefusedForNow(code, pause=_OVER_ITS_CAP if code in _OF_THE_NUMBER else None)
    if code in _GONE:
        return AddressGone(code, suppression="invalid_number")
    if code in _OF_THE_TEMPLATE:
        return RefusedUs(code, for_everyone=False)
    if code in _OF_THE_ACCOUNT or code.startswith((*_CREDENTIALS, *_NO_RIGHT)):
        return RefusedUs(code)
    if code == _REPEATED or code.startswith("isp.") or status >= 500:
        return Unclear(code)
    return RefusedMessage(code)


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Aliyun:
    """The provider, from the setting ``secret``; ``aliyun_endpoint`` is where it is called on a developer's machine."""
    endpoint = settings.get("aliyun_endpoint", "")
    return Aliyun(ports.poster(), ports.secret(settings["secret"]), f"{endpoint}/" if endpoint else URL)
