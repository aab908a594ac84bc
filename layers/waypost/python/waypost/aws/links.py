"""The links of outgoing messages, signed with the deployment's key. Used by send_message."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from waypost.approvals.approval_links import approval_url
from waypost.aws.clients import client
from waypost.aws.secrets import SecretsManagerSecret
from waypost.contacts.channels import Address
from waypost.content.link_rewriting import LinkMaker, TrackedMessage
from waypost.content.message import PublishedMessage
from waypost.human_tasks.task_links import TaskLink, task_url
from waypost.sending.occasion import StaffNotice, journey_of
from waypost.sending.request import SendRequest
from waypost.sending.send_message import PageUrls, Tracking, UnsubscribeUrl
from waypost.settings import Settings
from waypost.tracking.links import message_page_urls, unsubscribe_url
from waypost.tracking.page_links import PageLink
from waypost.tracking.tokens import link_keys
from waypost.tracking.tracked_links import SignedLinks


def staff_links(settings: Settings) -> Callable[[StaffNotice], Mapping[str, str]]:
    """A function that gives the link on which a member decides, or answers, about what a notice is about."""
    secret = _secret(settings.link_secret)

    def links(notice: StaffNotice) -> Mapping[str, str]:
        key = link_keys(secret.read())[0]
        if notice.is_about_task:
            link = TaskLink(notice.shown_for, notice.about, notice.contact_id)
            in_group = replace(link, in_group=True)
            return {
                "task": task_url(settings.api_url, key, link),
                "task_in_group": task_url(settings.api_url, key, in_group),
            }
        return {"approval": approval_url(settings.api_url, key, approval_id=notice.about, member=notice.contact_id)}

    return links


def unsubscribe_urls(settings: Settings) -> UnsubscribeUrl:
    """A function that gives the unsubscribe link of a message; the key is read when the first link is made."""
    secret = _secret(settings.link_secret)

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


def tracked_links(settings: Settings) -> Tracking:
    """A function that gives the links of a message that record who follows them."""
    secret = _secret(settings.link_secret)

    def links(message: TrackedMessage) -> LinkMaker:
        return SignedLinks(settings.api_url, link_keys(secret.read())[0], message)

    return links


def page_urls(settings: Settings) -> PageUrls:
    """A function that gives the links of a message to the pages on which its reader says what he wants."""
    secret = _secret(settings.link_secret)

    def urls(
        request: SendRequest, address: Address, message: PublishedMessage, event: Mapping[str, Any], at: datetime
    ) -> Mapping[str, str]:
        return message_page_urls(
            settings.api_url,
            link_keys(secret.read())[0],
            PageLink(request.contact_id, request.message_key, at),
            address=address,
            topic=message.topic,
            event=event,
        )

    return urls


@cache
def _secret(name: str) -> SecretsManagerSecret:
    """The secret with the keys of links; read once for all that is made with it."""
    return SecretsManagerSecret(client("secretsmanager"), name)
