"""The functions with fakes behind them."""

from collections.abc import Iterator

import pytest

from functions.receive_webhook import handler as receive_webhook
from functions.unsubscribe_contact import handler as unsubscribe_contact
from tests.fakes.addresses import FakeAddressRecords
from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.intake.fakes import NOW, Desk
from waypost.tracking.unsubscribe_contact import UnsubscribeContact

LINK_KEY = "sample-link-key-of-no-value-0001"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk()
    monkeypatch.setattr(receive_webhook, "receive_webhook", lambda: desk.receiver)
    yield desk
    receive_webhook.metrics.clear_metrics()


@pytest.fixture
def unsubscriptions(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    queue = FakeQueue()
    unsubscriber = UnsubscribeContact(
        queue=queue, addresses=FakeAddressRecords(), secret=FakeSecret({"link_keys": [LINK_KEY]}), clock=lambda: NOW
    )
    monkeypatch.setattr(unsubscribe_contact, "unsubscribe_contact", lambda: unsubscriber)
    return queue
