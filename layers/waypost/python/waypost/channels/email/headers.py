"""The header fields that a mail has whichever provider takes it. Used by the providers and by ``mime``."""

import re
from collections.abc import Mapping
from typing import Final

from waypost.channels.contract import Outgoing
from waypost.channels.email.channel import RenderedEmail
from waypost.content.brands import Brand

_ADDRESS: Final = re.compile(r"[^@\s<>,]+@[^@\s<>,]+\.[^@\s<>,]+")
_SENDER: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def is_address(text: str) -> bool:
    """Whether the text can be the address of a mailbox."""
    return _ADDRESS.fullmatch(text) is not None


def from_field(text: str) -> tuple[str, str]:
    """The name and the address of a sender that a person wrote, ``Acme <hello@acme.example>``; the name may be missing.

    Raises ValueError for what is none.
    """
    found = _SENDER.fullmatch(text.strip())
    name, address = (found["name"] or "", found["address"]) if found else ("", text.strip())
    if not is_address(address) or _CONTROL.search(name):
        raise ValueError(f"must be an e-mail address, with or without a name before it in <>, not {text!r}")
    return name.strip().strip('"').strip(), address


def own_headers(outgoing: Outgoing[RenderedEmail]) -> dict[str, str]:
    """The fields that marketing has and other mail has not."""
    return {} if outgoing.transactional else unsubscribe_headers(outgoing.unsubscribe_url)


def unsubscribe_headers(url: str) -> dict[str, str]:
    """The header fields of one-click unsubscription. Source: RFC 2369 and RFC 8058."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def feedback(outgoing: Outgoing[RenderedEmail]) -> tuple[str, str]:
    """The journey and the kind of a mail, with its brand, by which Gmail groups complaints in Postmaster Tools (``Feedback-ID``).

    Aggregate on purpose: it never says whom a mail went to.
    """
    kind = "transactional" if outgoing.transactional else "marketing"
    return outgoing.tags.get("journey", "none"), kind if outgoing.brand is None else f"{kind}-{outgoing.brand.id}"


def origin_of(brand: Brand | None, sender: str, reply_to: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The From field of a mail and where answers to it go: the brand's, or the deployment's own."""
    return (sender, reply_to) if brand is None else (brand.sender, brand.reply_to)


def reply_addresses(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that answers go to: the setting ``reply_to``, separated by commas."""
    return tuple(each for each in settings.get("reply_to", "").split(",") if each)
