"""Hop 10: the page behind the unsubscribe link of every mail, and the one-click call of mail programs."""

from constructs import Construct

from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform
from infra.constructs.secrets import Secrets
from infra.constructs.webhook_api import JUST_BELOW_THE_API_LIMIT, WebhookApi


class UnsubscribeContact(Hop):
    """Checks the signed link and puts an event into the queue."""

    def __init__(
        self, scope: Construct, *, platform: Platform, api: WebhookApi, events: EventsQueue, secrets: Secrets
    ) -> None:
        super().__init__(
            scope,
            "unsubscribe_contact",
            platform=platform,
            purpose="Answers the unsubscribe link of a mail",
            timeout=JUST_BELOW_THE_API_LIMIT,
            settings={"events_queue_url": events.queue.queue_url, "link_secret": secrets.links},
        )
        events.writable_by(self)
        secrets.links_readable_by(self)
        api.route(self, "GET /u/{token}", "POST /u/{token}")
