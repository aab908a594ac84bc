"""Takes secrets out of texts. WeChat and WeCom put secrets and tokens into URLs, so whatever repeats a URL may hold one."""

import re
from typing import Final

_NAMES: Final = (
    "access_token|secret|corpsecret|appsecret|suite_access_token|component_access_token|refresh_token|key|ticket|token"
)
_IN_A_URL: Final = re.compile(rf"\b({_NAMES})=[^&\s\"'<>]+", re.IGNORECASE)
_IN_JSON: Final = re.compile(rf"([\"'])({_NAMES})\1\s*:\s*([\"'])(?:(?!\3).)*\3", re.IGNORECASE)
HIDDEN: Final = "***"


def scrubbed(text: str) -> str:
    """The text with the values of what may be secret replaced, in URLs and in JSON."""
    return _IN_JSON.sub(rf"\1\2\1: \3{HIDDEN}\3", _IN_A_URL.sub(rf"\1={HIDDEN}", text))
