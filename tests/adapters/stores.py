"""The stores of the engine, as fakes and on DynamoDB."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.fakes.addresses import FakeAddressRecords
from tests.fakes.budget_counters import FakeBudgetCounters
from tests.fakes.changes import FakeChanges
from tests.fakes.contacts import FakeContacts
from tests.fakes.effects import Effects
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.policies import FakePolicies
from tests.fakes.rate_marks import FakeRateMarks
from tests.fakes.stream_tallies import FakeStreamTallies
from tests.fakes.task_figures import FakeTaskFigures
from tests.fakes.token_store import FakeTokenStore
from waypost.aws.access_tokens import DynamoAccessTokens
from waypost.aws.address_records import DynamoAddressRecords
from waypost.aws.budget_counters import DynamoBudgetCounters
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.history import DynamoHistory
from waypost.aws.journey_changes import DynamoChanges
from waypost.aws.ledger import DynamoLedger
from waypost.aws.policies import DynamoPolicies
from waypost.aws.rate_marks import DynamoRateMarks
from waypost.aws.stream_tallies import DynamoStreamTallies
from waypost.aws.task_figures import DynamoTaskFigures
from waypost.contacts.address_record import AddressRecords
from waypost.contacts.ports import GlancedContactStore
from waypost.events.history import CorrectableHistory
from waypost.journeys.changes.ports import ChangedEnrolments, ChangeStore
from waypost.journeys.enrolment import Enrolment, TriggerEvent, first_hop
from waypost.sending.budget import BudgetCounters
from waypost.sending.ledger import Ledger
from waypost.sending.pace import RateMarks
from waypost.sending.policy_change import PolicyStore
from waypost.sending.streams import StreamTallies
from waypost.tencent.access_tokens import TokenStore
from waypost.tracking.task_figures import TaskFigures

REGION = "ap-east-1"


@dataclass(frozen=True)
class Stores:
    """What keeps everything."""

    contacts: GlancedContactStore
    history: CorrectableHistory
    enrolments: ChangedEnrolments
    changes: ChangeStore
    ledger: Ledger
    addresses: AddressRecords
    rate_marks: RateMarks
    policies: PolicyStore
    budget_counters: BudgetCounters
    stream_tallies: StreamTallies
    task_figures: TaskFigures
    tokens: TokenStore


def fake_stores() -> Stores:
    effects = Effects()
    contacts, enrolments, history = FakeContacts(effects), FakeEnrolments(effects), FakeHistory(effects)
    return Stores(
        contacts=contacts,
        history=history,
        enrolments=enrolments,
        changes=FakeChanges(effects),
        ledger=FakeLedger(effects, contacts=contacts, enrolments=enrolments, history=history),
        addresses=FakeAddressRecords(effects),
        rate_marks=FakeRateMarks(),
        policies=FakePolicies(effects),
        budget_counters=FakeBudgetCounters(),
        stream_tallies=FakeStreamTallies(),
        task_figures=FakeTaskFigures(),
        tokens=FakeTokenStore(),
    )


def dynamo_stores(client: Any, table_name: str) -> Stores:
    return Stores(
        contacts=DynamoContacts(client, table_name),
        history=DynamoHistory(client, table_name),
        enrolments=DynamoEnrolments(client, table_name),
        changes=DynamoChanges(client, table_name),
        ledger=DynamoLedger(client, table_name),
        addresses=DynamoAddressRecords(client, table_name),
        rate_marks=DynamoRateMarks(client, table_name),
        policies=DynamoPolicies(client, table_name),
        budget_counters=DynamoBudgetCounters(client, table_name),
        stream_tallies=DynamoStreamTallies(client, table_name),
        task_figures=DynamoTaskFigures(client, table_name),
        tokens=DynamoAccessTokens(client, table_name),
    )


def in_nurture(enrolment_id: str, contact_id: str, trigger: TriggerEvent, at: datetime, **changes: Any) -> Enrolment:
    """A contact in the nurture, before its first hop is taken."""
    hop = first_hop(enrolment_id, at)
    fields: dict[str, Any] = {"journey": "nurture", "version": 1, "trigger": trigger, "enrolled_at": at, "due_at": at}
    return Enrolment(enrolment_id, contact_id, hop=hop, **fields | changes)
