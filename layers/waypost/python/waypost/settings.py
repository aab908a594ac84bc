"""The environment of a Lambda function as a typed value, read once and lazily."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells its functions. A function is given only what it uses; the rest stays empty.

    ``webhook_secrets`` and ``link_secret`` are Secrets Manager ids; ``state_machine_prefix`` is the ARN of a journey's
    state machine without the journey's name. ``destination_queues`` and ``destination_secrets`` are names without that of
    the destination. ``rates`` are messages a second by channel (``email=14,sms=10``). ``loopback_receivers`` and ``called_webhooks`` are set by the local harness alone:
    webhooks may then go to this machine, and what journeys call is played at that address.
    """

    stage: str = ""
    contacts_table: str = ""
    files_bucket: str = ""
    events_queue_url: str = ""
    events_dead_letters_url: str = ""
    rejected_items_url: str = ""
    notices_url: str = ""
    person_syncs_url: str = ""
    event_bus: str = ""
    schedule_group: str = ""
    scheduler_role_arn: str = ""
    schedule_dead_letters_arn: str = ""
    resume_journey_arn: str = ""
    deferred_messages_arn: str = ""
    state_machine_prefix: str = ""
    webhook_secrets: str = ""
    link_secret: str = ""
    destination_queues: str = ""
    destination_secrets: str = ""
    loopback_receivers: str = ""
    called_webhooks: str = ""
    api_url: str = ""
    rates: str = ""

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read ``WAYPOST_<FIELD>`` for each field."""
        source = os.environ if environment is None else environment
        return cls(**{field.name: source.get(f"WAYPOST_{field.name.upper()}", "") for field in fields(cls)})


def channel_settings(channel: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the stack tells the provider of a channel: ``WAYPOST_SMS_ORIGINATION`` is ``origination`` of ``sms``."""
    source, prefix = os.environ if environment is None else environment, f"WAYPOST_{channel.upper()}_"
    return {name.removeprefix(prefix).lower(): value for name, value in source.items() if name.startswith(prefix)}
