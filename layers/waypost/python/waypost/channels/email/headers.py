"""The header fields that a mail has whichever provider takes it. Used by the providers and by ``mime``."""

from collections.abc import Mapping

from waypost.channels.contract import Outgoing
from waypost.channels.email.channel import RenderedEmail


def own_headers(outgoing: Outgoing[RenderedEmail]) -> dict[str, str]:
    """The fields that marketing has and other mail has not."""
    return {} if outgoing.transactional else unsubscribe_headers(outgoing.unsubscribe_url)


def unsubscribe_headers(url: str) -> dict[str, str]:
    """The header fields of one-click unsubscription. Source: RFC 2369 and RFC 8058."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def feedback(outgoing: Outgoing[RenderedEmail]) -> tuple[str, str]:
    """The journey and the kind of a mail, by which Gmail groups complaints in Postmaster Tools (``Feedback-ID``).

    Aggregate on purpose: it never says whom a mail went to.
    """
    return outgoing.tags.get("journey", "none"), "transactional" if outgoing.transactional else "marketing"


def reply_addresses(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that answers go to: the setting ``reply_to``, separated by commas."""
    return tuple(each for each in settings.get("reply_to", "").split(",") if each)
