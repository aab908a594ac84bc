"""The adapters of this process, each made once and only when a handler asks for it."""

from functools import cache

from waypost.aws.clients import client
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.history import DynamoHistory
from waypost.aws.ledger import DynamoLedger
from waypost.aws.machines import StepFunctionsTokens
from waypost.aws.pauses import DynamoPauses
from waypost.aws.schedules import EventBridgeSchedules
from waypost.clock import clock
from waypost.journeys.published import load_published
from waypost.journeys.resuming import Resumer
from waypost.sending.deferral import Deferrals
from waypost.settings import Settings


@cache
def settings() -> Settings:
    """The function's environment."""
    return Settings.load()


@cache
def contacts() -> DynamoContacts:
    """The contact store."""
    return DynamoContacts(client("dynamodb"), settings().contacts_table)


@cache
def enrolments() -> DynamoEnrolments:
    """The enrolment store."""
    return DynamoEnrolments(client("dynamodb"), settings().contacts_table)


@cache
def history() -> DynamoHistory:
    """The event history."""
    return DynamoHistory(client("dynamodb"), settings().contacts_table)


@cache
def ledger() -> DynamoLedger:
    """The message ledger."""
    return DynamoLedger(client("dynamodb"), settings().contacts_table)


@cache
def pauses() -> DynamoPauses:
    """The parked journeys."""
    return DynamoPauses(client("dynamodb"), settings().contacts_table)


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
def tokens() -> StepFunctionsTokens:
    """The task tokens."""
    return StepFunctionsTokens(client("stepfunctions"))


@cache
def deferrals() -> Deferrals:
    """The messages that wait."""
    return Deferrals(ledger=ledger(), enrolments=enrolments(), schedules=schedules(), clock=clock())


@cache
def resumer() -> Resumer:
    """What ends a pause by time; the schedules and the sweeper share it."""
    return Resumer(
        contacts=contacts(),
        enrolments=enrolments(),
        pauses=pauses(),
        schedules=schedules(),
        tokens=tokens(),
        default_zone=load_published().sending.default_time_zone,
        clock=clock(),
    )
