"""The stores of the engine, as fakes and on DynamoDB."""

from dataclasses import dataclass
from typing import Any

from tests.fakes.contacts import FakeContacts
from tests.fakes.effects import Effects
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.pauses import FakePauses
from waypost.aws.contacts import DynamoContacts
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.history import DynamoHistory
from waypost.aws.ledger import DynamoLedger
from waypost.aws.pauses import DynamoPauses
from waypost.contacts.ports import ContactStore
from waypost.events.history import BulkEventHistory
from waypost.journeys.ports import EnrolmentStore, PauseStore
from waypost.sending.ledger import Ledger

REGION = "ap-east-1"


@dataclass(frozen=True)
class Stores:
    """What keeps everything."""

    contacts: ContactStore
    history: BulkEventHistory
    enrolments: EnrolmentStore
    pauses: PauseStore
    ledger: Ledger


def fake_stores() -> Stores:
    effects = Effects()
    contacts, enrolments, history = FakeContacts(effects), FakeEnrolments(effects), FakeHistory(effects)
    return Stores(
        contacts=contacts,
        history=history,
        enrolments=enrolments,
        pauses=FakePauses(effects),
        ledger=FakeLedger(effects, contacts=contacts, enrolments=enrolments, history=history),
    )


def dynamo_stores(client: Any, table_name: str) -> Stores:
    return Stores(
        contacts=DynamoContacts(client, table_name),
        history=DynamoHistory(client, table_name),
        enrolments=DynamoEnrolments(client, table_name),
        pauses=DynamoPauses(client, table_name),
        ledger=DynamoLedger(client, table_name),
    )
