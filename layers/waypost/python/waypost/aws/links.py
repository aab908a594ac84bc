"""The links of outgoing messages, signed with the deployment's key. Used by send_message."""

from waypost.aws.clients import client
from waypost.aws.secrets import SecretsManagerSecret
from waypost.contacts.channels import Address
from waypost.sending.occasion import journey_of
from waypost.sending.request import SendRequest
from waypost.sending.send_message import UnsubscribeUrl
from waypost.settings import Settings
from waypost.tracking.links import unsubscribe_url
from waypost.tracking.tokens import link_keys


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
