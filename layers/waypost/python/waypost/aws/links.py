"""The links of outgoing messages, signed with the deployment's key. Used by send_message."""

from collections.abc import Callable

from waypost.approvals.approval_links import approval_url
from waypost.aws.clients import client
from waypost.aws.secrets import SecretsManagerSecret
from waypost.contacts.channels import Address
from waypost.sending.occasion import StaffNotice, journey_of
from waypost.sending.request import SendRequest
from waypost.sending.send_message import UnsubscribeUrl
from waypost.settings import Settings
from waypost.tracking.links import unsubscribe_url
from waypost.tracking.tokens import link_keys


def approval_urls(settings: Settings) -> Callable[[StaffNotice], str]:
    """A function that gives the link on which a member decides about what a notice is about."""
    secret = SecretsManagerSecret(client("secretsmanager"), settings.link_secret)

    def url(notice: StaffNotice) -> str:
        return approval_url(
            settings.api_url, link_keys(secret.read())[0], approval_id=notice.about, member=notice.contact_id
        )

    return url


def unsubscribe_urls(settings: Settings) -> UnsubscribeUrl:
    """A function that gives the unsubscribe link of a message; the key is read when the first link is made."""
    secret = SecretsManagerSecret(client("secretsmanager"), settings.link_secret)

    def url(request: SendRequest, address: Address) -> str:
        return unsubscribe_url(
            settings.api_url,
            link_keys(secret.read())[0],
            contact_id=request.contact_id,
            journey=journey_of(request.occasion),
            message_key=request.message_key,
            address=address,
        )

    return url
