"""The links we put into messages. Called by the sender for every message."""

from waypost.contacts.channels import Address
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
