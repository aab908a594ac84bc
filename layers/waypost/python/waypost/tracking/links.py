"""The links we put into messages. Called by the sender for every message."""

from collections.abc import Mapping
from typing import Any, Final

from waypost.contacts.channels import Address
from waypost.tracking.page_links import ConsentRequest, PageLink, confirm_token, short_token
from waypost.tracking.tokens import Unsubscription, sign


def unsubscribe_url(
    api_url: str,
    key: str,
    *,
    contact_id: str,
    journey: str,
    message_key: str,
    address: Address,
    topic: str | None = None,
) -> str:
    """The address behind "unsubscribe", good for the page and for RFC 8058 one-click posts.

    ``key`` is the first of ``tokens.link_keys``. Without ``topic`` the link ends the whole channel.
    """
    token = sign(Unsubscription(contact_id, journey, message_key, address.channel, topic, address.digest), key)
    return f"{api_url.rstrip('/')}/u/{token}"


def message_page_urls(
    api_url: str, key: str, link: PageLink, *, address: Address, topic: str, event: Mapping[str, Any]
) -> dict[str, str]:
    """The addresses of the pages of preferences, of surveys (the name of one is added to it) and of confirming consent.

    A message that a ``consent_requested`` event brought about confirms that event's topic, any other its own. What goes to a colleague leads
    to the page that says so: there is no contact to change.
    """
    base = api_url.rstrip("/")
    if not link.contact_id.startswith("c-"):
        return {name: f"{base}/{path}/test" for name, path in _PATHS.items()}
    asked = event.get("properties") or {}
    request = ConsentRequest(
        link=link,
        channel=address.channel,
        address=address.digest,
        topic=str(asked.get("topic") or topic) if event.get("type") == "consent_requested" else topic,
        requested_by=str(event.get("id", "")),
        text_version=str(asked.get("text_version") or "")[:100],
    )
    return {
        "preferences": f"{base}/p/{short_token('preferences', link, key)}",
        "survey": f"{base}/s/{short_token('survey', link, key)}",
        "confirm_consent": f"{base}/c/{confirm_token(request, key)}",
    }


_PATHS: Final = {"preferences": "p", "survey": "s", "confirm_consent": "c"}
