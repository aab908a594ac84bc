"""Hop 1: takes webhooks from external systems and answers once their events are in the queue."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform
from infra.constructs.secrets import Secrets
from infra.constructs.webhook_api import JUST_BELOW_THE_API_LIMIT, WebhookApi


class ReceiveWebhook(Hop):
    """Answers the tracking API (identify, track …), the signed webhooks and the API's own description."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        api: WebhookApi,
        contacts: ContactsTable,
        events: EventsQueue,
        secrets: Secrets,
    ) -> None:
        super().__init__(
            scope,
            "receive_webhook",
            platform=platform,
            purpose="Takes webhooks and puts their events into the queue",
            timeout=JUST_BELOW_THE_API_LIMIT,
            settings={
                "contacts_table": contacts.name,
                "events_queue_url": events.queue.queue_url,
                "webhook_secrets": secrets.webhooks,
                "api_url": api.url,
            },
        )
        events.writable_by(self)
        secrets.webhooks_readable_by(self)
        contacts.webhook_ids_writable_by(self)
        api.route(
            self,
            "POST /v1/{call}",
            "POST /v1/webhooks/{source}",
            "GET /openapi.json",
            "GET /docs",
        )
