"""The adapters of this process, each made once and only when a handler asks for it."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from waypost.aws.clients import bulk_client, client
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.history import DynamoHistory
from waypost.aws.ledger import DynamoLedger
from waypost.aws.machines import StepFunctionsMachines
from waypost.aws.schedules import EventBridgeSchedules
from waypost.clock import clock
from waypost.defaults import load_defaults
from waypost.events.retention import load_retention
from waypost.journeys.resume_journey import ResumeJourney
from waypost.sending.deferral import Deferrals
from waypost.settings import Settings, channel_settings

if TYPE_CHECKING:
    from waypost.aws.bulk_contacts import DynamoBulkContacts
    from waypost.aws.files import S3Files
    from waypost.aws.profile_scan import DynamoProfileScan
    from waypost.channels.contract import Provider
    from waypost.contacts.channels import Channel
    from waypost.importing.applying import Importer
    from waypost.journeys.close_enrolment import CloseEnrolment
    from waypost.segments.history_lookup import HistoryLookup
    from waypost.segments.upkeep import Upkeep

WORKERS: Final = 10
"""As many as a client keeps connections."""


@cache
def settings() -> Settings:
    """The function's environment."""
    return Settings.load()


@cache
def contacts() -> DynamoContacts:
    """The contact store."""
    return DynamoContacts(client("dynamodb"), settings().contacts_table, clock=clock())


@cache
def bulk_contacts() -> "DynamoBulkContacts":
    """The contact store, for many contacts at a time."""
    from waypost.aws.bulk_contacts import DynamoBulkContacts  # noqa: PLC0415 - only bulk runs need it

    return DynamoBulkContacts(bulk_client("dynamodb"), settings().contacts_table)


@cache
def files() -> "S3Files":
    """The bucket of files."""
    from waypost.aws.files import S3Files  # noqa: PLC0415 - only what works on files needs it

    return S3Files(bulk_client("s3"), settings().files_bucket)


@cache
def importer() -> "Importer":
    """What makes contacts of a file's rows; its function must be allowed to send to the events queue."""
    from waypost.aws.queue import SqsEventQueue  # noqa: PLC0415 - only imports need any of this
    from waypost.contacts.identity.rules import load_identity_rules  # noqa: PLC0415
    from waypost.importing.applying import Importer  # noqa: PLC0415

    return Importer(
        contacts=bulk_contacts(),
        history=history(),
        clock=clock(),
        queue=SqsEventQueue(client("sqs"), settings().events_queue_url),
        identity_rules=load_identity_rules(),
        wait=time.sleep,
    )


@cache
def enrolments() -> DynamoEnrolments:
    """The enrolment store."""
    return DynamoEnrolments(client("dynamodb"), settings().contacts_table)


@cache
def history() -> DynamoHistory:
    """The event history."""
    return DynamoHistory(client("dynamodb"), settings().contacts_table, retention=load_retention(), clock=clock())


@cache
def past() -> "HistoryLookup":
    """What rules ask about beside the profile."""
    from waypost.segments.history_lookup import HistoryLookup  # noqa: PLC0415 - sending and pausing evaluate no rule

    return HistoryLookup(history=history(), enrolments=enrolments())


@cache
def keeper() -> "Upkeep":
    """What keeps segments, rule tags and the life cycle true; its function must be allowed to send to the events queue."""
    from waypost.aws.queue import SqsEventQueue  # noqa: PLC0415 - sending and pausing keep nothing true, so they load none of this
    from waypost.contacts.tag_system import load_tag_system  # noqa: PLC0415
    from waypost.segments.index import load_index  # noqa: PLC0415
    from waypost.segments.upkeep import Upkeep  # noqa: PLC0415

    return Upkeep(
        index=load_index(),
        tags=load_tag_system(),
        contacts=contacts(),
        lookup=past(),
        queue=SqsEventQueue(client("sqs"), settings().events_queue_url),
        default_zone=load_defaults().time_zone,
        clock=clock(),
    )


@cache
def profile_scan() -> "DynamoProfileScan":
    """All profiles, for bulk runs."""
    from waypost.aws.profile_scan import DynamoProfileScan  # noqa: PLC0415 - sending and pausing never need it

    return DynamoProfileScan(bulk_client("dynamodb"), settings().contacts_table)


@cache
def ledger() -> DynamoLedger:
    """The message ledger."""
    return DynamoLedger(client("dynamodb"), settings().contacts_table)


@cache
def schedules() -> EventBridgeSchedules:
    """The one-time schedules."""
    return EventBridgeSchedules(
        client=client("scheduler"),
        group=settings().schedule_group,
        role_arn=settings().scheduler_role_arn,
        dead_letters_arn=settings().schedule_dead_letters_arn,
        resume_journey_arn=settings().resume_journey_arn,
        send_message_arn=settings().send_message_arn,
    )


@cache
def machines() -> StepFunctionsMachines:
    """The journeys' machines."""
    return StepFunctionsMachines(client("stepfunctions"), settings().state_machine_prefix)


@cache
def deferrals() -> Deferrals:
    """The messages that wait."""
    return Deferrals(ledger=ledger(), enrolments=enrolments(), schedules=schedules(), clock=clock())


@cache
def provider(channel: "Channel") -> "Provider[Any]":
    """The provider of a channel, as the stack has set it up."""
    from waypost.aws.provider_calls import provider_ports  # noqa: PLC0415 - only what sends needs it
    from waypost.channels.registry import connect  # noqa: PLC0415

    return connect(channel, settings=channel_settings(channel), ports=provider_ports())


@cache
def resumer() -> ResumeJourney:
    """What ends a pause by time; the timers and the sweeper share it."""
    return ResumeJourney(
        contacts=contacts(),
        enrolments=enrolments(),
        timers=schedules(),
        machines=machines(),
        default_zone=load_defaults().time_zone,
        clock=clock(),
        sleep=time.sleep,
        side_by_side=workers().map,
    )


@cache
def closer() -> "CloseEnrolment":
    """What ends enrolments; its function must be allowed to send to the events queue."""
    from waypost.aws.queue import SqsEventQueue  # noqa: PLC0415 - timers end no enrolment
    from waypost.journeys.close_enrolment import CloseEnrolment  # noqa: PLC0415

    return CloseEnrolment(
        enrolments=enrolments(),
        queue=SqsEventQueue(client("sqs"), settings().events_queue_url),
        clock=clock(),
    )


@cache
def workers() -> ThreadPoolExecutor:
    """Threads for many contacts at a time; clients may be shared by threads."""
    return ThreadPoolExecutor(WORKERS)
