"""Answers as the text message service of Alibaba Cloud does (dysmsapi 2017-05-25).

Sources: https://help.aliyun.com/document_detail/419273.html, https://help.aliyun.com/document_detail/101346.html and
https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
"""

import hashlib
import json
import re
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, NoReturn, assert_never
from urllib.parse import parse_qs

from waypost.channels import fake_contract as contract
from waypost.channels.sms.aliyun_signature import ALGORITHM, signature_of
from waypost.channels.sms.approved_template import LONGEST_VALUE, filled, variables_of
from waypost.clock import Clock, real_now

_AUTHORIZATION: Final = re.compile(rf"{ALGORITHM} Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{{64}})")
_SIGNED: Final = frozenset({
    "host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
})  # fmt: skip
_SKEW: Final = timedelta(minutes=15)
_NONCE_KEPT: Final = timedelta(minutes=31)
_NUMBER: Final = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_CODE: Final = re.compile(r"SMS_[0-9]+")
_LINK: Final = re.compile(r"https?://|www\.", re.IGNORECASE)
_DAY: Final = timedelta(days=1)
_CAPS: Final[Mapping[str, tuple[tuple[int, timedelta], ...]]] = {
    "verification": ((1, timedelta(minutes=1)), (5, timedelta(hours=1)), (10, _DAY)),
    "notice": ((50, _DAY),),
    "promotional": ((50, _DAY),),
}
_OF_A_NUMBER: Final = (40, _DAY)


@dataclass(frozen=True, slots=True)
class Registered:
    """A template as it was approved."""

    text: str
    type: str = "notice"


class Aliyun(contract.FakeProvider):
    """SendSms. A template or a signature that nobody has registered is approved when it is first used, unless ``is_strict``.

    ``from_mainland``: whether the caller's address is in mainland China. ``now`` is the
    clock of the gateway, which is never virtual.
    """

    provider = "aliyun"
    endpoints = ("WAYPOST_SMS_ALIYUN_ENDPOINT",)
    credentials: ClassVar[Mapping[str, str]] = {
        "access_key_id": "LTAI-local",
        "access_key_secret": "local-secret",
        "callback_key": "local-callback-key-of-aliyun",
    }
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}

    def __init__(self, now: Clock = real_now) -> None:
        self.now = now
        self.from_mainland = True
        self.is_strict = False
        self.templates: dict[str, Registered] = {
            "SMS_154950909": Registered("欢迎${name}，会员日全场八折 拒收请回复R", "promotional")
        }
        self.signatures: set[str] = {"路标商店"}
        self._nonces: dict[str, datetime] = {}
        self._sent: deque[tuple[str, str, str, datetime]] = deque(maxlen=10_000)

    def forget(self) -> None:
        """See FakeProvider: what was sent to each number."""
        self._nonces.clear()
        self._sent.clear()

    def learn(self, message: Mapping[str, Any]) -> None:
        """See FakeProvider: the template of the message is approved."""
        if isinstance(registered := message.get("mainland_sms"), Mapping):
            self.templates[str(registered["template"])] = Registered(str(registered["text"]), str(registered["type"]))
            self.signatures.add(str(registered["signature"]))

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return request.headers.get("x-acs-action") == "SendSms"

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider. The text is what the template makes of the values."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        number, code = _NUMBER.fullmatch(form.get("PhoneNumbers", "")), form.get("TemplateCode", "")
        values = _values(form)
        template = self.templates.get(code) or Registered(" ".join([code, *(f"{k}={v}" for k, v in values.items())]))
        return contract.SentMessage(
            recipient=f"+86{number[1]}" if number else form.get("PhoneNumbers", ""),
            tags={name: each[0] for name, each in parse_qs(form.get("OutId", "")).items()},
            content=contract.SentContent(text=f"【{form.get('SignName', '')}】{filled(template.text, values)}"),
            request={**form, "headers": dict(request.headers), "body": request.body.decode()},
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: first what the gateway checks, then what the service does."""
        form = message.request
        self._check_call(form["headers"], str(form["body"]).encode())
        if not self.from_mainland:
            _refuse("isv.DENY_IP_RANGE")
        if form.get("SignName") not in self.signatures and self.is_strict:
            _refuse("isv.SMS_SIGNATURE_ILLEGAL")
        template = self.templates.get(form.get("TemplateCode", ""))
        if not _CODE.fullmatch(form.get("TemplateCode", "")) or (template is None and self.is_strict):
            _refuse("isv.SMS_TEMPLATE_ILLEGAL")
        if not _NUMBER.fullmatch(form.get("PhoneNumbers", "")):
            _refuse("isv.MOBILE_NUMBER_ILLEGAL")
        if len(form.get("OutId", "")) > 255:
            _refuse("isv.INVALID_PARAMETERS")
        self._check_values(form, template)
        self._check_caps(form, message.recipient, template.type if template else "notice")

    def _check_call(self, headers: Mapping[str, str], body: bytes) -> None:
        given = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        names = given[2].split(";") if given else []
        if given is None or not {*names} >= _SIGNED or names != sorted(names):
            _refuse("IncompleteSignature", status=400)
        if given[1] != self.credentials["access_key_id"]:
            _refuse("InvalidAccessKeyId.NotFound", status=404)
        signed = {name: headers.get(name, "") for name in names}
        digest = hashlib.sha256(body).hexdigest()
        expected = signature_of(
            {**signed, "x-acs-content-sha256": digest}, key_secret=self.credentials["access_key_secret"]
        )
        if given[3] != expected or headers["x-acs-content-sha256"] != digest:
            _refuse("SignatureDoesNotMatch", status=400)
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(self.now() - at) > _SKEW:
            _refuse("InvalidTimeStamp.Expired", status=400)
        nonce = headers["x-acs-signature-nonce"]
        if self.now() - self._nonces.get(nonce, at - _NONCE_KEPT) < _NONCE_KEPT:
            _refuse("SignatureNonceUsed", status=400)
        self._nonces[nonce] = self.now()

    def _check_values(self, form: Mapping[str, Any], template: Registered | None) -> None:
        values = _values(form)
        if template and not {*variables_of(template.text)} <= values.keys():
            _refuse("isv.TEMPLATE_MISSING_PARAMETERS")
        for value in values.values():
            if not isinstance(value, str):
                _refuse("isv.INVALID_JSON_PARAM")
            if _LINK.search(value):
                _refuse("isv.PARAM_NOT_SUPPORT_URL")
            if not 1 <= len(value) <= LONGEST_VALUE:
                _refuse("isv.PARAM_LENGTH_LIMIT")

    def _check_caps(self, form: Mapping[str, Any], number: str, kind: str) -> None:
        now, signature = self.clock(), str(form.get("SignName"))
        same = signature if kind == "verification" else f"{signature} {form.get('TemplateCode')}"
        to_number = [(each, at) for sent_to, _, each, at in self._sent if sent_to == number]
        alike = [at for each, at in to_number if each == same]
        over = any(sum(now - at < span for at in alike) >= most for most, span in _CAPS[kind])
        most, span = _OF_A_NUMBER
        if over or sum(now - at < span for _, at in to_number) >= most:
            _refuse("isv.BUSINESS_LIMIT_CONTROL")
        self._sent.append((number, signature, same, now))

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return _answer("OK", Message="OK", BizId=message_id)

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider. What is wrong with a message comes with the status 200."""
        match kind:
            case "throttle":
                return _answer("Throttling.User", status=400)
            case "reject":
                return _answer("isv.BLACK_KEY_CONTROL_LIMIT")
            case "refuse_us":
                return _answer("isv.OUT_OF_SERVICE")
            case "address_gone":
                return _answer("isv.MOBILE_NUMBER_ILLEGAL")
            case "error":
                return _answer("InternalError", status=500)
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return f"{uuid.uuid4().int % 10**18:018d}^0"

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: receipts come to an address of ours, which is not there yet."""
        del message, message_id, sent_at, at
        raise ValueError(f"ALIYUN does not say {word!r}")


def _values(form: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values = json.loads(form.get("TemplateParam") or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _answer(code: str, *, status: int = 200, **fields: str) -> contract.HttpAnswer:
    content = {"Code": code, "Message": code, "RequestId": str(uuid.uuid4()).upper(), **fields}
    return contract.HttpAnswer(status=status, content=content)


def _refuse(code: str, *, status: int = 200) -> NoReturn:
    """Raises RefusedRequestError."""
    raise contract.RefusedRequestError(_answer(code, status=status))
