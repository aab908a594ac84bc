"""A text message of mainland China: a template that the carriers have approved, with values for its variables.

Nothing else can be sent there. Source: https://help.aliyun.com/zh/sms/user-guide/sms-template-specifications
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST_VALUE: Final = 35
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_MOBILE: Final = re.compile(r"\+86(1[3-9][0-9]{9})")


@dataclass(frozen=True, slots=True)
class ApprovedTemplate:
    """``signature`` and ``code`` as they are registered, ``text`` as it was approved, ``values`` by variable."""

    signature: str
    code: str
    text: str
    values: Mapping[str, str]

    @property
    def problem(self) -> str:
        """Why the provider would refuse the values; "" when it would not. Names the variable, never its value."""
        for name, value in self.values.items():
            if not 1 <= len(value) <= LONGEST_VALUE:
                return f"variable {name} has {len(value)} characters, and 1 to {LONGEST_VALUE} are taken"
        return ""

    @property
    def shown(self) -> str:
        """What is read on the phone."""
        return f"【{self.signature}】{filled(self.text, self.values)}"


def variables_of(text: str) -> list[str]:
    """The names of ``${name}`` in a template's text, in their order."""
    return _VARIABLE.findall(text)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in; one without a value stays as it is."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def mainland_number(phone: str) -> str:
    """The eleven digits of a mobile number of mainland China; "" for any other number."""
    found = _MOBILE.fullmatch(phone)
    return found[1] if found else ""
