"""The adapters of this process, each made once and only when a handler asks for it. The module is a ``Ports``."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from waypost import clock as clocks
from waypost.aws.clients import bulk_client, client
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.history import DynamoHistory
from waypost.aws.ledger import DynamoLedger
from waypost.aws.machines import StepFunctionsMachines
from waypost.aws.schedules import EventBridgeSchedules
from waypost.events.retention import load_retention
from waypost.settings import Settings, channel_settings

if TYPE_CHECKING:
    from waypost.aws.address_records import DynamoAddressRecords
    from waypost.aws.approvals import DynamoApprovals
    from waypost.aws.budget_counters import DynamoBudgetCounters
    from waypost.aws.bulk_contacts import DynamoBulkContacts
    from waypost.aws.bus import EventBridgeBus
    from waypost.aws.coupons import DynamoCoupons
    from waypost.aws.files import S3Files
    from waypost.aws.human_tasks import DynamoTasks
    from waypost.aws.journey_changes import DynamoChanges
    from waypost.aws.live_staff import DynamoLiveStaff
    from waypost.aws.message_library import DynamoLibrary
    from waypost.aws.person_sync_queue import SqsSyncQueue
    from waypost.aws.policies import DynamoPolicies
    from waypost.aws.product_sales import DynamoProductSales
    from waypost.aws.profile_scan import DynamoProfileScan
    from waypost.aws.queue import SqsEventQueue
    from waypost.aws.rate_marks import DynamoRateMarks
    from waypost.aws.read_units import ReadUnits
    from waypost.aws.responses import DynamoResponses
    from waypost.aws.stream_tallies import DynamoStreamTallies
    from waypost.aws.task_figures import DynamoTaskFigures
    from waypost.aws.waiting_runs import StepFunctionsRuns
    from waypost.aws.watches import DynamoProductStates, DynamoWatches
    from waypost.channels.code_contract import CodeMaker
    from waypost.channels.contract import Provider
    from waypost.channels.people_contract import People
    from waypost.channels.results_contract import Results
    from waypost.contacts.channels import Channel
    from waypost.staff.outside_members import StaffSource

WORKERS: Final = 10
"""As many as a client keeps connections."""

clock = clocks.clock
sleep = time.sleep


@cache
def settings() -> Settings:
    """The function's environment."""
    return Settings.load()


@cache
def contacts() -> DynamoContacts:
    """The contact store."""
    return DynamoContacts(client("dynamodb"), settings().contacts_table, clock=clock())


@cache
def addresses() -> "DynamoAddressRecords":
    """The records of addresses."""
    from waypost.aws.address_records import DynamoAddressRecords  # noqa: PLC0415 - only sending and its notices need it

    return DynamoAddressRecords(client("dynamodb"), settings().contacts_table)


@cache
def rate_marks() -> "DynamoRateMarks":
    """The marks of what a channel takes a second."""
    from waypost.aws.rate_marks import DynamoRateMarks  # noqa: PLC0415 - only sending needs it

    return DynamoRateMarks(client("dynamodb"), settings().contacts_table)


@cache
def budget_counters() -> "DynamoBudgetCounters":
    """What was taken of the channels' daily budgets."""
    from waypost.aws.budget_counters import DynamoBudgetCounters  # noqa: PLC0415 - only sending needs it

    return DynamoBudgetCounters(client("dynamodb"), settings().contacts_table)


@cache
def policies() -> "DynamoPolicies":
    """The changes of the sending policy."""
    from waypost.aws.policies import DynamoPolicies  # noqa: PLC0415 - only sending needs it, and what changes it

    return DynamoPolicies(client("dynamodb"), settings().contacts_table)


@cache
def coupons() -> "DynamoCoupons":
    """Coupons and codes."""
    from waypost.aws.coupons import DynamoCoupons  # noqa: PLC0415 - few functions ask for it

    return DynamoCoupons(client("dynamodb"), settings().contacts_table)


@cache
def product_sales() -> "DynamoProductSales":
    """What is bought with what."""
    from waypost.aws.product_sales import DynamoProductSales  # noqa: PLC0415 - few functions ask for it

    return DynamoProductSales(client("dynamodb"), settings().contacts_table)


@cache
def product_states() -> "DynamoProductStates":
    """What the shop reported of products."""
    from waypost.aws.watches import DynamoProductStates  # noqa: PLC0415 - few functions ask for it

    return DynamoProductStates(client("dynamodb"), settings().contacts_table)


@cache
def watches() -> "DynamoWatches":
    """Who watches which product."""
    from waypost.aws.watches import DynamoWatches  # noqa: PLC0415 - few functions ask for it

    return DynamoWatches(client("dynamodb"), settings().contacts_table)


@cache
def bulk_contacts() -> "DynamoBulkContacts":
    """The contact store, for many contacts at a time."""
    from waypost.aws.bulk_contacts import DynamoBulkContacts  # noqa: PLC0415 - only bulk runs need it

    return DynamoBulkContacts(bulk_client("dynamodb"), settings().contacts_table)


@cache
def files(*, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> "S3Files":
    """The bucket of files, only these folders of it."""
    from waypost.aws.files import S3Files  # noqa: PLC0415 - only what works on files needs it
    from waypost.files.folders import Folders  # noqa: PLC0415

    return S3Files(bulk_client("s3"), settings().files_bucket, Folders(reads, writes))


@cache
def enrolments() -> DynamoEnrolments:
    """The enrolment store."""
    return DynamoEnrolments(client("dynamodb"), settings().contacts_table, kept=_passages_kept)


def _passages_kept() -> timedelta:
    """Read when it is needed: most calls end no journey and decide on no message."""
    return load_retention().passages.keep


@cache
def history() -> DynamoHistory:
    """The event history."""
    return DynamoHistory(client("dynamodb"), settings().contacts_table, retention=load_retention(), clock=clock())


@cache
def bulk_enrolments() -> DynamoEnrolments:
    """The enrolment store, over the client of bulk runs."""
    return DynamoEnrolments(bulk_client("dynamodb"), settings().contacts_table)


@cache
def bulk_history() -> DynamoHistory:
    """The event history, over the client of bulk runs."""
    return DynamoHistory(bulk_client("dynamodb"), settings().contacts_table, retention=load_retention(), clock=clock())


@cache
def _read_units() -> "ReadUnits":
    from waypost.aws.read_units import ReadUnits  # noqa: PLC0415 - only audiences count them

    return ReadUnits(bulk_client("dynamodb"))


def read_units() -> float:
    """The read units that the client of bulk runs has used in this process."""
    return _read_units()()


@cache
def profile_scan() -> "DynamoProfileScan":
    """All profiles, for bulk runs."""
    from waypost.aws.profile_scan import DynamoProfileScan  # noqa: PLC0415 - sending and pausing never need it

    return DynamoProfileScan(bulk_client("dynamodb"), settings().contacts_table)


@cache
def ledger() -> DynamoLedger:
    """The message ledger."""
    return DynamoLedger(client("dynamodb"), settings().contacts_table, kept=_passages_kept)


@cache
def schedules() -> EventBridgeSchedules:
    """The one-time schedules."""
    return EventBridgeSchedules(
        client=client("scheduler"),
        group=settings().schedule_group,
        role_arn=settings().scheduler_role_arn,
        dead_letters_arn=settings().schedule_dead_letters_arn,
        resume_journey_arn=settings().resume_journey_arn,
        deferred_messages_arn=settings().deferred_messages_arn,
        clock=clock(),
    )


@cache
def machines() -> StepFunctionsMachines:
    """The journeys' machines."""
    return StepFunctionsMachines(client("stepfunctions"), settings().state_machine_prefix)


@cache
def provider(channel: "Channel") -> "Provider[Any]":
    """The provider of a channel, as the stack has set it up."""
    from waypost.aws.provider_calls import provider_ports  # noqa: PLC0415 - only what sends needs it
    from waypost.channels.registry import connect  # noqa: PLC0415

    return connect(channel, settings=channel_settings(channel), ports=provider_ports(settings()))


@cache
def results(channel: "Channel") -> "Results | None":
    """What asks a channel's provider for the results of tasks, as the stack has set it up."""
    from waypost.aws.provider_calls import provider_ports  # noqa: PLC0415 - only one function asks
    from waypost.channels.registry import connect_results  # noqa: PLC0415

    return connect_results(channel, settings=channel_settings(channel), ports=provider_ports(settings()))


@cache
def people(channel: "Channel") -> "People":
    """What asks a channel's provider about people, as the stack has set it up."""
    from waypost.aws.provider_calls import provider_ports  # noqa: PLC0415 - only one function asks
    from waypost.channels.registry import connect_people  # noqa: PLC0415

    return connect_people(channel, settings=channel_settings(channel), ports=provider_ports(settings()))


@cache
def staff_source() -> "StaffSource":
    """What asks for the company's members of staff, as the stack has set it up."""
    from waypost.aws.provider_calls import provider_ports  # noqa: PLC0415 - only the sync of staff asks
    from waypost.channels.registry import SOURCE_OF_STAFF, connect_staff  # noqa: PLC0415

    return connect_staff(settings=channel_settings(SOURCE_OF_STAFF), ports=provider_ports(settings()))


@cache
def sync_queue() -> "SqsSyncQueue":
    """The queue of people to be asked about."""
    from waypost.aws.person_sync_queue import SqsSyncQueue  # noqa: PLC0415 - made when there is one to be asked about

    return SqsSyncQueue(client("sqs"), settings().person_syncs_url)


@cache
def code_maker(channel: "Channel") -> "CodeMaker":
    """What makes a channel's codes, as the stack has set it up."""
    from waypost.aws.provider_calls import provider_ports  # noqa: PLC0415 - only what makes codes needs it
    from waypost.channels import registry  # noqa: PLC0415

    return registry.code_maker(channel, settings=channel_settings(channel), ports=provider_ports(settings()))


@cache
def library() -> "DynamoLibrary":
    """The versions of messages."""
    from waypost.aws.message_library import DynamoLibrary  # noqa: PLC0415 - few functions ask for it

    return DynamoLibrary(client("dynamodb"), settings().contacts_table)


@cache
def approvals() -> "DynamoApprovals":
    """The requests for approval."""
    from waypost.aws.approvals import DynamoApprovals  # noqa: PLC0415 - few functions ask for it

    return DynamoApprovals(client("dynamodb"), settings().contacts_table)


@cache
def waiting_runs() -> "StepFunctionsRuns":
    """The runs of operations that wait for a decision."""
    from waypost.aws.waiting_runs import StepFunctionsRuns  # noqa: PLC0415 - few functions ask for it

    return StepFunctionsRuns(client("stepfunctions"))


@cache
def journey_changes() -> "DynamoChanges":
    """The records of changes of journeys."""
    from waypost.aws.journey_changes import DynamoChanges  # noqa: PLC0415 - few functions ask for it

    return DynamoChanges(client("dynamodb"), settings().contacts_table)


@cache
def tasks() -> "DynamoTasks":
    """The tasks of members of staff."""
    from waypost.aws.human_tasks import DynamoTasks  # noqa: PLC0415 - few functions ask for it

    return DynamoTasks(client("dynamodb"), settings().contacts_table)


@cache
def responses() -> "DynamoResponses":
    """How fast members of staff answer."""
    from waypost.aws.responses import DynamoResponses  # noqa: PLC0415 - only what gives and takes tasks counts them

    return DynamoResponses(client("dynamodb"), settings().contacts_table)


@cache
def live_staff() -> "DynamoLiveStaff":
    """The members of staff who came in without a deployment."""
    from waypost.aws.live_staff import DynamoLiveStaff  # noqa: PLC0415 - only what looks at staff asks for it

    return DynamoLiveStaff(client("dynamodb"), settings().contacts_table)


@cache
def queue() -> "SqsEventQueue":
    """The events queue; its function must be allowed to send to it."""
    from waypost.aws.queue import SqsEventQueue  # noqa: PLC0415 - sending and pausing queue no events

    return SqsEventQueue(client("sqs"), settings().events_queue_url)


@cache
def task_figures() -> "DynamoTaskFigures":
    """The counts of tasks of members of staff."""
    from waypost.aws.task_figures import DynamoTaskFigures  # noqa: PLC0415 - only one function counts them

    return DynamoTaskFigures(client("dynamodb"), settings().contacts_table)


@cache
def stream_tallies() -> "DynamoStreamTallies":
    """The counts of the streams."""
    from waypost.aws.stream_tallies import DynamoStreamTallies  # noqa: PLC0415 - only what takes notices counts

    return DynamoStreamTallies(client("dynamodb"), settings().contacts_table)


@cache
def bus() -> "EventBridgeBus":
    """The bus for other systems."""
    from waypost.aws.bus import EventBridgeBus  # noqa: PLC0415 - only the router publishes

    return EventBridgeBus(client("events"), settings().event_bus)


@cache
def groups_side_by_side() -> Callable[..., Iterable[Any]]:
    """A ``map`` for the groups of a batch, on threads of its own: a group at work may wait for ``side_by_side``."""
    return ThreadPoolExecutor(WORKERS).map


@cache
def side_by_side() -> Callable[..., Iterable[Any]]:
    """A ``map`` on threads, for many contacts at a time; clients may be shared by threads."""
    return ThreadPoolExecutor(WORKERS).map
