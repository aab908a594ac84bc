"""What carriers and Alibaba Cloud refuse of a template, reported before it is handed in or sent. Used by ``authored``.

Sources: https://help.aliyun.com/document_detail/44357.html (variables), https://help.aliyun.com/document_detail/463270.html (promotion),
https://help.aliyun.com/document_detail/108253.html (rules of content).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from waypost.channels.sms.approved_template import LONGEST_VALUE, variables_of

WAY_OUT: Final = "拒收请回复R"
LONGEST_TEXT: Final = 500
_LINK: Final = re.compile(r"https?:|www\.|://|\blinks\.|\.(?:com|cn|net|top|shop)\b", re.IGNORECASE)
_ADJACENT: Final = re.compile(r"\}\s*\$\{")
_REFUSED_SUBJECTS: Final = {
    "surveys (问卷调查)": re.compile(r"问卷|调查|调研|有奖问答"),
    "win-back (用户召回)": re.compile(r"召回|好久不见|想念您|想你了|久未"),
    "new users (用户拉新, 邀请注册)": re.compile(r"拉新|邀请.{0,6}注册|注册.{0,4}(?:送|领|有礼)"),
    "points for goods (积分兑换)": re.compile(r"积分.{0,6}兑换|兑换.{0,6}积分"),
    "app downloads (APP下载)": re.compile(r"下载.{0,6}app|app.{0,6}下载", re.IGNORECASE),
    "loans (贷款)": re.compile(r"贷款|借款|额度提升"),
    "property (房产)": re.compile(r"楼盘|购房|房产"),
    "recruiting (招聘)": re.compile(r"招聘|诚聘"),
}
_COUPONS: Final = re.compile(r"优惠券|代金券|红包")
"""Huawei Cloud refuses them in promotion; Alibaba Cloud does not."""


class MainlandSms(BaseModel):
    """``mainland_sms`` of a message: the template as it was approved, and what fills its variables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signature: Annotated[str, Field(min_length=2, max_length=12, pattern=r"^[^【】\s]+$")]
    template: Annotated[str, Field(pattern=r"^SMS_[0-9]+$")]
    type: Literal["notice", "promotional", "verification"]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    variables: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")], Annotated[str, Field(min_length=1)]] = (
        Field(default_factory=dict)
    )


def problems(sms: MainlandSms, *, is_marketing: bool) -> Iterator[tuple[str, str]]:
    """What is refused at once, as the field within ``mainland_sms`` and the reason."""
    yield from _of_the_type(sms, is_marketing=is_marketing)
    yield from _of_the_text(sms.text)
    used = variables_of(sms.text)
    for name in dict.fromkeys(used):
        if used.count(name) > 1:
            yield "text", f"${{{name}}} stands in it {used.count(name)} times: a variable may stand in it once"
        if name not in sms.variables:
            yield f"variables.{name}", "is missing: the text has it, and a message without it is refused"
    for name in sms.variables:
        if name not in used:
            yield f"variables.{name}", f"the text has no ${{{name}}}"


def _of_the_type(sms: MainlandSms, *, is_marketing: bool) -> Iterator[tuple[str, str]]:
    if is_marketing != (sms.type == "promotional"):
        needed = "promotional" if is_marketing else "notice or verification"
        yield (
            "type",
            f"a {'marketing' if is_marketing else 'transactional'} message needs a template of the type {needed}",
        )
    if sms.type == "promotional" and not sms.text.endswith(WAY_OUT):
        yield "text", f"a promotional text must end with exactly {WAY_OUT}"
    if sms.type != "promotional" and WAY_OUT in sms.text:
        yield "text", f"only a promotional text has {WAY_OUT}; in a {sms.type} it is refused"


def _of_the_text(text: str) -> Iterator[tuple[str, str]]:
    if "【" in text or "】" in text:
        yield "text", "has 【 or 】: the provider puts the signature before it by itself"
    if symbols := [sign for sign in text if sign > "\uffff" or unicodedata.category(sign) == "So"]:
        yield "text", f"has the symbol {symbols[0]}, which carriers refuse"
    if _ADJACENT.search(text):
        yield "text", "has two variables side by side: put words between them"
    if re.fullmatch(r"\s*\$\{[^{}]*\}\s*", text.removesuffix(WAY_OUT)):
        yield "text", "is one variable: a template has to say what it is about"


def problem_of_value(name: str, template: str, shown: str) -> str:
    """Why what fills a variable is refused; ``shown`` is the value for a contact of whom nothing is known."""
    if _LINK.search(template) or _LINK.search(shown):
        return "is a link, which cannot be a variable (isv.PARAM_NOT_SUPPORT_URL): write a fixed one into the text"
    if not shown.strip():
        return f"is empty for a contact of whom nothing is known: give {name} a default, | default('…')"
    if len(shown) > LONGEST_VALUE:
        return f"has {len(shown)} characters; at most {LONGEST_VALUE} are taken"
    return ""


def warnings(text: str, *, is_promotional: bool) -> Iterator[str]:
    """What a reviewer will probably refuse."""
    for subject, words in _REFUSED_SUBJECTS.items():
        if found := words.search(text):
            yield f"{found[0]!r} reads as {subject}, which carriers refuse; plan e-mail, WeChat or push for it"
    if is_promotional and (found := _COUPONS.search(text)):
        yield f"{found[0]!r} reads as a coupon, which some mainland providers refuse in promotion"
