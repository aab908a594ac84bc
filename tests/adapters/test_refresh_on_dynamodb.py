"""The nightly refresh on DynamoDB and S3 as moto has them: scan, history, histograms and conditional writes together."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from tests.adapters.stores import REGION, dynamo_stores
from tests.fakes.clock import FakeClock
from tests.fakes.files import FakeFiles
from tests.fakes.queue import FakeQueue
from tests.metrics.night import ACTIVITY, RFM
from tests.segments.kept_rules import saved
from waypost.aws.files import S3Files
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.bulk.pages import Page
from waypost.bulk.run_slice import SliceRunner
from waypost.contacts.profile import Contact, with_event
from waypost.contacts.tag_system import TagSystem
from waypost.events.envelope import Event
from waypost.metrics.count_purchases import CountPurchases
from waypost.metrics.declaration import MetricsDeclaration
from waypost.metrics.measuring import Measurer
from waypost.metrics.plan_refresh import PlanRefresh
from waypost.metrics.rank_customers import RankCustomers
from waypost.metrics.refresh import FOLDER
from waypost.metrics.refresh_contacts import RefreshContacts
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.index import RuleIndex
from waypost.segments.subject import UTC_ZONE
from waypost.segments.upkeep import Upkeep

BUCKET = "waypost-test-refresh"
CUSTOMERS = 10


@pytest.fixture
def files(aws: None) -> S3Files:
    """An empty bucket."""
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3Files(client, BUCKET)


def test_a_night_on_dynamodb(dynamodb: Any, table: str, files: S3Files, clock: FakeClock) -> None:
    stores, queue = dynamo_stores(dynamodb, table), FakeQueue()
    for number in range(1, CUSTOMERS + 1):  # the n-th has ordered once, for 100 n, n days ago
        contact = Contact(f"c-{number:02d}", clock())
        at = clock() - timedelta(days=number)
        order = Event(f"e-{number}", "order_placed", {}, at, at, "shop", properties={"total": 100 * number})
        assert stores.contacts.save(with_event(contact, order), claim={})
        stores.history.record(contact.contact_id, order, routed_at=at)

    declaration = MetricsDeclaration.from_dict({"scores": ACTIVITY, "rfm": RFM, "churn_risk": []})
    index = RuleIndex.declared(segments=saved(best={"metric": "rfm_m", "at_least": 5}), tags=TagSystem())
    history_lookup = HistoryLookup(history=stores.history, enrolments=stores.enrolments)
    measurer = Measurer(declaration=declaration, history_lookup=history_lookup, default_zone=UTC_ZONE)
    scan = DynamoProfileScan(dynamodb, table, page_limit=3)
    upkeep = Upkeep(
        index=index,
        tags=TagSystem(),
        contacts=stores.contacts,
        lookup=history_lookup,
        queue=queue,
        default_zone=UTC_ZONE,
        clock=clock,
    )
    planner = PlanRefresh(scan=scan, declaration=declaration, tags=TagSystem(), index=index, segments={}, clock=clock)
    runner = SliceRunner(items_per_invocation=3, items_per_checkpoint=1)
    counter = CountPurchases(scan=scan, measurer=measurer, files=files, runner=runner)
    refresher = RefreshContacts(
        scan=scan, contacts=stores.contacts, measurer=measurer, upkeep=upkeep, files=files, runner=runner
    )

    def to_the_end(step: Callable[..., dict[str, Any]], answer: dict[str, Any]) -> dict[str, Any]:
        while not answer.get("done"):
            answer = step(answer, remaining=lambda: 900_000)
        return answer

    [part] = planner.plan({"run": "run-1"})["slices"]
    answer = to_the_end(counter.count, part)
    assert answer["counts"]["customers"] == CUSTOMERS
    assert len(list(files.listed(f"{FOLDER}/run-1/"))) >= CUSTOMERS // 3
    ranks = RankCustomers(files=files).rank({"run": "run-1", "of": 1})
    assert ranks["monetary"] == [300, 500, 700, 900]
    assert ranks["recency"] == [-8, -6, -4, -2]

    answer = to_the_end(refresher.refresh, {**part, "ranks": ranks})
    assert (answer["counts"]["measured"], answer["counts"]["segments_entered"]) == (CUSTOMERS, 2)
    cells = [
        loaded.metrics["rfm"]
        for number in range(1, CUSTOMERS + 1)
        if (loaded := stores.contacts.load(f"c-{number:02d}"))
    ]
    assert cells == ["511", "511", "412", "412", "313", "313", "214", "214", "115", "115"]
    assert sorted(each.contact["contact_id"] for each in queue.events.values()) == ["c-09", "c-10"]

    again = to_the_end(refresher.refresh, {**part, "run": "run-2", "ranks": ranks})
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

    class Leaves:
        def keep_all(self, contact: Contact, **_: Any) -> Contact:
            return contact

    declaration = MetricsDeclaration.from_dict({"scores": ACTIVITY, "rfm": None, "churn_risk": []})
    history_lookup = HistoryLookup(history=stores.history, enrolments=stores.enrolments)
    measurer = Measurer(declaration=declaration, history_lookup=history_lookup, default_zone=UTC_ZONE)
    refresher = RefreshContacts(
        scan=Index(),  # type: ignore[arg-type]
        contacts=stores.contacts,
        measurer=measurer,
        upkeep=Leaves(),
        files=FakeFiles(),
    )
    part = {"run": "r", "at": "2027-03-01T02:00:00.000Z", "refresh": "daily", "slice": 0, "of": 1}
    assert refresher.refresh(part, remaining=lambda: 900_000)["counts"]["measured"] == 1
    now = stores.contacts.load("c-1")
    assert now is not None
    assert (now.attributes["city"], now.metrics["activity"]) == ("Wuhan", 0.0)
