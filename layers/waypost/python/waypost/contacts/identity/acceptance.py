"""The one check of an identity at every door: its spelling, and whether it identifies anybody. Called by intake and imports."""

from collections.abc import Callable, Mapping
from typing import Final

from waypost.contacts import cleaning, wechat_ids
from waypost.contacts.cleaning import Cleaned, Unusable
from waypost.contacts.identity.rules import load_identity_rules

PLACEHOLDER: Final = Unusable("is a placeholder that many people share, so it identifies nobody")
UNREADABLE: Final = Unusable("has characters that were lost on the way (U+FFFD); send it in UTF-8")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def clean_identity(kind: str, text: str, *, region: str = cleaning.HOME_REGION) -> Cleaned:
    """An identity of this kind in its one spelling, or why it is none.

    Ids that senders choose themselves keep their spelling, but for a user id that is an e-mail address. ``region`` helps
    to read a phone number.
    """
    objection = identity_objection(kind, text)
    if objection is not None:
        return objection
    cleaned = _spelled(kind, text, region)
    return cleaned if isinstance(cleaned, Unusable) else identity_objection(kind, cleaned) or cleaned


def identity_objection(kind: str, text: str) -> Unusable | None:
    """Why a text, however it is spelled, identifies nobody; None when it may. Of an openid the account does not count."""
    if _REPLACEMENT in text:
        return UNREADABLE
    placeholders = load_identity_rules().placeholders
    in_account = text.partition(":")[2]
    is_placeholder = (
        text in placeholders
        or (kind == "email" and placeholders.has_address(text))
        or (kind == "phone" and placeholders.has_number(text))
        or (kind == "openid" and bool(in_account) and in_account in placeholders)
    )
    return PLACEHOLDER if is_placeholder else None


def group_objection(name: str) -> str:
    """Why this cannot be the name of a group that contacts join, "" if it can."""
    if _REPLACEMENT in name:
        return UNREADABLE.reason
    return "is a placeholder, so it names no group" if name in load_identity_rules().placeholders else ""


def token_objection(token: str) -> str:
    """Why this cannot be the push token of a device, "" if it can."""
    if _REPLACEMENT in token:
        return UNREADABLE.reason
    return "is a placeholder, so it is no device's" if token in load_identity_rules().placeholders else ""


def _spelled(kind: str, text: str, region: str) -> Cleaned:
    return cleaning.phone(text, region=region) if kind == "phone" else _SPELLINGS.get(kind, str)(text)


_SPELLINGS: Final[Mapping[str, Callable[[str], Cleaned]]] = {
    "email": cleaning.email,
    "user_id": cleaning.user_id,
    "openid": wechat_ids.openid,
    "unionid": wechat_ids.unionid,
    "external_userid": wechat_ids.external_userid,
}
