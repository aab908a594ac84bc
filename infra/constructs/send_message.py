"""Hop 6: sends one message to one contact. Called by journey machines and by the schedules of deferred messages."""

from constructs import Construct

from infra.constructs.channels import Channels
from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform
from infra.constructs.schedules import Schedules
from infra.constructs.secrets import Secrets
from infra.constructs.undelivered import Undelivered
from infra.constructs.webhook_api import WebhookApi


class SendMessage(Hop):
    """Asks the guards, claims the message key, renders, and calls the provider once; or books a later attempt."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        contacts: ContactsTable,
        schedules: Schedules,
        channels: Channels,
        secrets: Secrets,
        api: WebhookApi,
        undelivered: Undelivered,
    ) -> None:
        super().__init__(
            scope,
            "send_message",
            platform=platform,
            purpose="Sends one message to one contact, at most once",
            settings={
                "contacts_table": contacts.name,
                "schedule_group": schedules.group,
                "scheduler_role_arn": schedules.role_arn,
                "schedule_dead_letters_arn": schedules.dead_letters_arn,
                "send_message_arn": schedules.send_message_arn,
                "link_secret": secrets.links,
                "api_url": api.url,
                "email_sender": platform.deployment.email_sender,
                "email_configuration_set": channels.email_configuration_set,
                "sms_origination": platform.deployment.sms_origination,
            },
        )
        contacts.writable_by(self)
        schedules.bookable_by(self)
        secrets.links_readable_by(self)
        channels.usable_by(self)
        undelivered.keep_failures_of(self)
