"""A rule decides the same on what the scan projects and converts as on the whole contact."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audiences.audience_world import NOW, SHANGHAI, base
from tests.fakes.history import FakeHistory
from waypost.audiences.persona import PERSONA_READS, traits
from waypost.aws import profile_view
from waypost.aws import table as items
from waypost.aws.contacts import DynamoContacts
from waypost.aws.profile_scan import DynamoProfileScan
from waypost.aws.read_units import ReadUnits
from waypost.contacts.consent import Consent
from waypost.contacts.fitting import MOST_SEEN
from waypost.contacts.profile import Contact
from waypost.segments.membership_query import MembershipQuery
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject, subject_of

RULES: tuple[dict[str, Any], ...] = (
    {"tag": "vip"},
    {"tag": "vip", "within": "60d"},
    {"attribute": "gender", "equals": "female"},
    {"attribute": "address.city", "equals": "Lyon"},
    {"attribute": "level", "at_least": 2},
    {"attribute": "birthday", "anniversary": {"next_days": 30}},
    {"consent": "email"},
    {"consent": "email", "within": "90d"},
    {"reachable": "email"},
    {"suppressed": "email"},
    {"lifecycle": "active"},
    {"points": {"at_least": 50}},
    {"metric": "activity", "at_least": 5},
    {"group": "gold"},
    {"segment": "loyal"},
    {"segment": "loyal", "within": "60d"},
    {"identity": "openid"},
    {"created": {"within": "100d"}},
    {"event": "order_placed", "within": "30d"},
    {"not": {"event": "cart_updated"}},
    {"event": "order_placed", "where": {"property": "total", "at_least": 100}},
    {"now": {"time_of_day": ["09:00", "12:00"]}},
    {"bucket": {"salt": "s", "from": 0, "to": 50}},
)


def contact(number: int, **more: Any) -> Contact:
    """A contact that has everything rules ask about."""
    since = NOW - timedelta(days=number % 120, hours=1)
    attributes: dict[str, Any] = {
        "gender": ("female", "male")[number % 2],
        "address": {"city": ("Lyon", "Nice")[number % 3 == 0]},
        "level": number % 5,
        "birthday": f"1990-0{1 + number % 9}-1{number % 9}",
        "timezone": ("America/New_York", "nowhere", "")[number % 3],
        "unread": "x" * 50,
    }
    if number % 4:
        attributes["email"] = f"person{number}@example.com"
    return Contact(
        contact_id=f"c-{number:04d}",
        created_at=since,
        attributes=attributes,
        attributes_at={"tag:vip": since, "gender": since},
        identities={"openid": ["shop:1"]} if number % 3 else {},
        tags=frozenset({"vip", "new"} if number % 2 else {"new"}),
        tag_expiries={"vip": NOW + timedelta(days=number % 7 - 3)},
        consents={
            "email/*": Consent(granted=number % 5 > 0, at=since, source="shop"),
            "email/news": Consent(granted=True, at=since - timedelta(days=1), source="shop"),
        },
        suppressions={"email": "complaint"} if number % 6 == 0 else {},
        lifecycle=("", "active")[number % 2],
        points=number,
        metrics={"activity": number / 3, "rfm_segment": "loyal"},
        groups=frozenset({"gold"} if number % 2 else ()),
        segments={"loyal": since} if number % 2 else {},
        seen={"order_placed": (since.date(), since.date())} if number % 3 else {},
        **more,
    )


PEOPLE = [contact(number) for number in range(60)]


def viewed(each: Contact, reads: Reads) -> Subject:
    """The subject made of what DynamoDB returns for the projection of these reads."""
    projection = profile_view.projection(reads)
    return profile_view.viewer(reads, now=NOW, default_zone=SHANGHAI)(projected(stored(each), projection))


def stored(each: Contact) -> dict[str, Any]:
    """The profile item."""
    return items.dump_item(each.to_dict() | {"living": True})


def projected(item: dict[str, Any], projection: dict[str, Any]) -> dict[str, Any]:
    """What DynamoDB leaves of an item."""
    names = projection["ExpressionAttributeNames"]
    found: dict[str, Any] = {}
    for path in projection["ProjectionExpression"].split(", "):
        outer, *inner = [names[part] for part in path.split(".")]
        if outer in item and not inner:
            found[outer] = item[outer]
        elif outer in item and inner[0] in item[outer]["M"]:
            found.setdefault(outer, {"M": {}})["M"][inner[0]] = item[outer]["M"][inner[0]]
    return found


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_decides_the_same_on_the_projection_as_on_the_whole_contact(rule: dict[str, Any]) -> None:
    query = MembershipQuery(rule)
    for each in PEOPLE:
        whole, part = subject_of(each, now=NOW, default_zone=SHANGHAI), viewed(each, query.reads)
        assert query.decide(part) == query.decide(whole)
        assert query.holds(part) == query.holds(whole)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    rule=st.recursive(
        st.sampled_from(RULES),
        lambda inner: st.one_of(
            inner.map(lambda each: {"not": each}),
            st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"all": rules}),
            st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"any": rules}),
        ),
        max_leaves=6,
    )
)
def test_so_does_any_combination(rule: dict[str, Any]) -> None:
    query = MembershipQuery(rule)
    for each in PEOPLE[::7]:
        whole, part = subject_of(each, now=NOW, default_zone=SHANGHAI), viewed(each, query.reads)
        assert query.decide(part) == query.decide(whole)


def test_a_persona_sees_the_same_in_the_projection() -> None:
    for each in [*PEOPLE, *base(40, FakeHistory())]:
        whole, part = subject_of(each, now=NOW, default_zone=SHANGHAI), viewed(each, PERSONA_READS)
        assert sorted(traits(part)) == sorted(traits(whole))


def test_a_projection_asks_for_little_and_never_for_addresses_a_rule_does_not_read() -> None:
    projection = profile_view.projection(
        MembershipQuery({"all": [{"tag": "vip"}, {"attribute": "level", "at_least": 2}]}).reads
    )
    left = projected(stored(contact(1)), projection)
    assert set(left) == {"contact_id", "created_at", "attributes", "tags", "tag_expiries", "attributes_at"}
    assert set(left["attributes"]["M"]) == {"level", "timezone"}
    assert len(str(left)) * 3 < len(str(stored(contact(1))))


def test_a_rule_with_many_names_asks_for_the_whole_map() -> None:
    rule = {"any": [{"attribute": f"a{number}", "exists": True} for number in range(200)]}
    projection = profile_view.projection(MembershipQuery(rule).reads)
    assert len(projection["ProjectionExpression"]) < 4096
    assert "attributes" in projection["ExpressionAttributeNames"].values()


def test_where_the_profile_could_not_note_every_event_the_past_is_not_known() -> None:
    day = date(2027, 1, 1)
    full = contact(1)
    full.seen.clear()
    full.seen.update({f"event_{number}": (day, day) for number in range(MOST_SEEN)})
    query = MembershipQuery({"event": "order_placed"})
    assert viewed(full, query.reads).seen is None
    assert query.decide(viewed(full, query.reads)) is None


def test_dynamodb_understands_every_projection(dynamodb: Any, table: str) -> None:
    store = DynamoContacts(dynamodb, table)
    for each in PEOPLE[:6]:
        assert store.save(each, claim={})
    scan = DynamoProfileScan(dynamodb, table, page_limit=4)
    for rule in RULES:
        query = MembershipQuery(rule)
        view = scan.viewer(query.reads, now=NOW, default_zone=SHANGHAI)
        found: dict[str, bool | None] = {}
        for page in scan.stored(0, 1, reads=query.reads):
            found |= {subject.contact_id: query.decide(subject) for subject in map(view, page)}
        assert found == {
            each.contact_id: query.decide(subject_of(each, now=NOW, default_zone=SHANGHAI)) for each in PEOPLE[:6]
        }


def test_a_merged_contact_names_its_partitions_when_its_past_is_asked_about(dynamodb: Any, table: str) -> None:
    assert DynamoContacts(dynamodb, table).save(contact(1, absorbed=("c-old",)), claim={})
    scan = DynamoProfileScan(dynamodb, table)
    [page] = scan.stored(0, 1, reads=MembershipQuery({"event": "order_placed"}).reads)
    assert [scan.partitions_of(stored) for stored in page] == [("c-0001", "c-old")]


def test_the_read_units_of_queries_are_counted(stock_dynamodb: Any, table: str) -> None:
    units = ReadUnits(stock_dynamodb)
    assert units() == 0
    list(items.query(stock_dynamodb, table, pk="contact#c-1", prefix="event#"))
    DynamoContacts(stock_dynamodb, table).load("c-1")
    assert units() > 0
