"""The ids that WeChat and WeCom give to people, in one spelling, or the reason why not. Called by receivers and imports.

WeChat gives a person another openid in each official account and each mini program, and one unionid in all that are
bound to the same open-platform account. WeCom gives a customer one external_userid in each company.
Sources: https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html and
https://developer.work.weixin.qq.com/document/path/92114
"""

import re
from typing import Final

from waypost.contacts.cleaning import Cleaned, Unusable

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_OPENID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}:[A-Za-z0-9_-]{1,128}")


def openid(text: str) -> Cleaned:
    """An openid with the account it is valid in: ``<account>:<openid>``, the account by its app id."""
    name = text.strip()
    return (
        name if _OPENID.fullmatch(name) else Unusable("should be <account>:<openid>, for example wx8f0a:oLVPpjqs9Bhv")
    )


def unionid(text: str) -> Cleaned:
    """A unionid; letters, digits, ``-`` and ``_``."""
    name = text.strip()
    return name if _ID.fullmatch(name) else Unusable("should be a unionid of WeChat: letters, digits, - and _")


def external_userid(text: str) -> Cleaned:
    """An external_userid of WeCom; letters, digits, ``-`` and ``_``."""
    name = text.strip()
    return name if _ID.fullmatch(name) else Unusable("should be an external_userid of WeCom: letters, digits, - and _")
