"""What a reply asks for, by the words that carriers and providers know; and whether a text names such a word. Used by channels.

Sources: https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html (required keywords), CTIA Messaging Principles and
Best Practices, 5.1.3; in mainland China 拒收请回复R and the older 回T退订, 退回TD退订, 回N.
"""

import unicodedata
from typing import Final, Literal

Wish = Literal["opt_out", "opt_in", ""]

_OUT_ANYWHERE: Final = frozenset({
    "STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE", "REMOVE", "ARRET",
})  # fmt: skip
_OUT_IN_CHINA: Final = frozenset({
    "R", "T", "TD", "N", "QX", "0000", "退订", "退訂", "取消", "拒收", "TUIDING", "QUXIAO",
})  # fmt: skip
_IN_ANYWHERE: Final = frozenset({"START", "JOIN", "UNSTOP", "OPTIN"})
_OUT_BY_BUTTON: Final = frozenset({"STOPPROMOTIONS", "退订", "退訂", "取消订阅", "拒收"})
"""Of WhatsApp, whose buttons answer with their own words."""
_OPT_OUT: Final = {
    "aliyun": _OUT_ANYWHERE | _OUT_IN_CHINA,
    "end_user_messaging": _OUT_ANYWHERE | {"TD"},
    "social_messaging": _OUT_ANYWHERE | _OUT_BY_BUTTON,
}
"""A single letter is a wish only where carriers have people answer with one."""


def wish_in(text: str, *, provider: str) -> Wish:
    """What the whole reply says, whatever its width and case and whatever stands around it; "" for any other text.

    A word within a sentence is no wish: "don't stop" would be one.
    """
    word = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())
    if word in _OPT_OUT[provider]:
        return "opt_out"
    return "opt_in" if word in _IN_ANYWHERE else ""


def way_out_problem(language: str, shown: str, *, message: str) -> str:
    """Why a marketing text does not say how to unsubscribe; "" when it does, or in a language we have no words of.

    ``message`` is what it is, such as "a marketing SMS".
    """
    must = f"{message} must say how to unsubscribe, such as"
    if language == "zh" and not ("回" in shown and any(word in shown for word in ("退订", "退訂", "拒收"))):
        return f"{must} 拒收请回复R, 回T退订 or 回覆T退訂"
    if language == "en" and "STOP" not in shown:
        return f"{must} 'Reply STOP to opt out'"
    return ""
