"""What the fields of WeChat's templates may hold: their type is the first part of their name (``thing1``, ``amount3``).

A field that breaks its rule is refused with 47003. Sources:
https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/subscribe-message.html (parameter limits) and
https://developers.weixin.qq.com/doc/service/guide/product/template_message/Template_Message_Operation_Specifications.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NAME: Final = re.compile(r"([a-z]+(?:_[a-z]+)*)([0-9]{1,3})")
"""The name of a field: its type and a number."""
_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_DAY: Final = r"(?:\d{4}年\d{1,2}月\d{1,2}日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}月\d{1,2}日)"
_CLOCK: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_INSTANT: Final = rf"(?:{_DAY}(?:\s*{_CLOCK})?|{_CLOCK})"


@dataclass(frozen=True, slots=True)
class FieldType:
    """At most ``most`` characters in the form of ``form``; ``expected`` says it to people."""

    most: int
    form: re.Pattern[str]
    expected: str

    def problem(self, value: str) -> str:
        """Why the value is refused; "" when it is not."""
        if len(value) > self.most:
            return f"has {len(value):,} characters; at most {self.most} are taken"
        return "" if self.form.fullmatch(value) else f"should be {self.expected}"


_ANY: Final = re.compile(r"[^\r\n\t]*")
TYPES: Final[Mapping[str, FieldType]] = {
    "thing": FieldType(20, _ANY, "one line"),
    "const": FieldType(20, _ANY, "a value that was approved with the template"),
    "character_string": FieldType(32, re.compile(r"[\x20-\x7e]*"), "digits, Latin letters and signs, without Chinese"),
    "number": FieldType(32, re.compile(r"[+-]?\d+(\.\d+)?"), "a number"),
    "letter": FieldType(32, re.compile(r"[A-Za-z]*"), "Latin letters"),
    "symbol": FieldType(5, re.compile(r"[^\w\s]*"), "signs"),
    "phrase": FieldType(5, re.compile(rf"[{_HAN}]*"), "Chinese characters alone, such as 配送中"),
    "time": FieldType(
        64, re.compile(rf"{_INSTANT}(?:\s*~\s*{_INSTANT})?"), "a time such as 15:01 or 2019年10月1日 15:01"
    ),
    "date": FieldType(64, re.compile(rf"{_INSTANT}(?:\s*~\s*{_INSTANT})?"), "a date such as 2019年10月1日"),
    "amount": FieldType(
        24, re.compile(r"[^\w\s]?\s*\d{1,3}(?:,?\d{1,3}){0,3}(?:\.\d+)?\s*元?"), "an amount such as ¥12.50 or 12.50元"
    ),
    "phone_number": FieldType(17, re.compile(r"[\d+() -]*"), "a phone number"),
    "car_number": FieldType(8, re.compile(rf"[{_HAN}]?[A-Za-z0-9]+[{_HAN}]?"), "a number plate such as 粤A8Z888"),
    "name": FieldType(
        20,
        re.compile(rf"[A-Za-z .·'-]{{1,20}}|[{_HAN}A-Za-z .·'-]{{1,10}}"),
        "a name of at most 10 Chinese or 20 Latin letters",
    ),
}


def name_problem(name: str) -> str:
    """Why this is no name of a field; "" when it is one."""
    found = NAME.fullmatch(name)
    if found is None or found[1] not in TYPES:
        return f"should be a type with a number, such as thing1; there are {', '.join(TYPES)}"
    return ""


def value_problem(name: str, value: str) -> str:
    """Why WeChat would refuse this value of this field; "" when it would not."""
    found = NAME.fullmatch(name)
    kind = TYPES.get(found[1]) if found else None
    if kind is None:
        return name_problem(name)
    return kind.problem(value)
