"""The nightly refresh on DynamoDB and S3 as moto has them: scan, history, histograms and conditional writes together."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from tests.adapters.stores import REGION, Stores, dynamo_stores
from tests.fakes.clock import FakeClock
from tests.fakes.files import EVERYTHING
from tests.fakes.world import World
from tests.metrics.night import ACTIVITY, RFM, Night
from tests.segments.kept_rules import saved
from waypost.aws.files import S3Files
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.bulk.pages import Page
from waypost.contacts.profile import Contact, with_event
from waypost.events.envelope import Event
from waypost.files.folders import REFRESH_WORK, Folders
from waypost.segments.ports import ProfileScan

if TYPE_CHECKING:
    from tests.fakes.contacts import FakeBulkContacts
    from tests.fakes.enrolments import FakeEnrolments
    from tests.fakes.files import FakeFiles
    from tests.fakes.history import FakeHistory
    from tests.fakes.profile_scan import FakeProfileScan

BUCKET = "waypost-test-refresh"
CUSTOMERS = 10


@dataclass(frozen=True)
class Bucket:
    """A bucket that gives a service its folders, as FakeFiles does."""

    client: Any

    def within(self, folders: Folders) -> S3Files:
        return S3Files(self.client, BUCKET, folders)


@pytest.fixture
def bucket(aws: None) -> Bucket:
    """An empty bucket."""
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return Bucket(client)


def night_on(stores: Stores, scan: ProfileScan, **metrics: Any) -> Night:
    """A night whose contacts are in these stores."""
    world = World(segments=saved(best={"metric": "rfm_m", "at_least": 5}))
    world.contacts = cast("FakeBulkContacts", stores.contacts)
    world.history = cast("FakeHistory", stores.history)
    world.enrolments = cast("FakeEnrolments", stores.enrolments)
    world.scan = cast("FakeProfileScan", scan)
    return Night(world=world, metrics=metrics)


def test_a_night_on_dynamodb(dynamodb: Any, table: str, bucket: Bucket, clock: FakeClock) -> None:
    stores = dynamo_stores(dynamodb, table)
    night = night_on(stores, DynamoProfileScan(dynamodb, table, page_limit=3), scores=ACTIVITY, rfm=RFM)
    night.world.clock, night.world.files = clock, cast("FakeFiles", bucket)
    for number in range(1, CUSTOMERS + 1):  # the n-th has ordered once, for 100 n, n days ago
        contact = Contact(f"c-{number:02d}", clock())
        at = clock() - timedelta(days=number)
        order = Event(f"e-{number}", "order_placed", {}, at, at, "shop", properties={"total": 100 * number})
        assert stores.contacts.save(with_event(contact, order), claim={})
        stores.history.record(contact.contact_id, order, routed_at=at)

    [part] = night.plan_refresh.plan({"run": "run-1"})["slices"]
    answer = night.to_the_end(night.count_purchases.count, part)
    assert answer["counts"]["customers"] == CUSTOMERS
    assert len(list(bucket.within(EVERYTHING).listed(f"{REFRESH_WORK}run-1/"))) >= CUSTOMERS // 3
    ranks = night.rank_customers.rank({"run": "run-1", "of": 1})
    assert ranks["monetary"] == [300, 500, 700, 900]
    assert ranks["recency"] == [-8, -6, -4, -2]

    answer = night.to_the_end(night.refresh_contacts.refresh, {**part, "ranks": ranks})
    assert (answer["counts"]["measured"], answer["counts"]["segments_entered"]) == (CUSTOMERS, 2)
    cells = [
        loaded.metrics["rfm"]
        for number in range(1, CUSTOMERS + 1)
        if (loaded := stores.contacts.load(f"c-{number:02d}"))
    ]
    assert cells == ["511", "511", "412", "412", "313", "313", "214", "214", "115", "115"]
    assert sorted(each.contact["contact_id"] for each in night.world.queue.events.values()) == ["c-09", "c-10"]

    again = night.to_the_end(night.refresh_contacts.refresh, {**part, "run": "run-2", "ranks": ranks})
    assert (again["counts"]["contacts"] > 0, again["counts"]["changed"]) == (True, 0)


def test_a_profile_that_was_changed_meanwhile_is_measured_again(dynamodb: Any, table: str, clock: FakeClock) -> None:
    stores = dynamo_stores(dynamodb, table)
    assert stores.contacts.save(Contact("c-1", clock()), claim={})
    stale = stores.contacts.load("c-1")
    assert stale is not None
    assert stores.contacts.save(replace(stale, attributes={"city": "Wuhan"}), claim={})

    class Index:
        def slice(self, *_: Any, **__: Any) -> Any:
            return iter([Page([stale], None, 1.0)])

    refresher = night_on(stores, cast("ProfileScan", Index()), scores=ACTIVITY).refresh_contacts
    part = {"run": "r", "at": "2027-03-01T02:00:00.000Z", "refresh": "daily", "slice": 0, "of": 1}
    assert refresher.refresh(part, remaining=lambda: 900_000)["counts"]["measured"] == 1
    now = stores.contacts.load("c-1")
    assert now is not None
    assert (now.attributes["city"], now.metrics["activity"]) == ("Wuhan", 0.0)
