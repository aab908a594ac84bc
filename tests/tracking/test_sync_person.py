"""What providers know of a person, and tags that are kept alike on both sides."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.world import World
from waypost import ids
from waypost.channels.people_contract import NotAnswered, Person, ServingMember
from waypost.clock import parse_instant
from waypost.contacts.channels import Address, Channel
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import OutsideTag, TagSystem
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.tracking.sync_person import planned, request_about

CUSTOMER = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
ADDRESS = Address(Channel("wecom"), "external_userid", CUSTOMER)
FRIEND = ids.contact_id("external_userid", CUSTOMER)
NOTHING: frozenset[str] = frozenset()
SINCE = parse_instant("2027-02-01T02:00:00.000Z")


def tag_system(**rules: Any) -> TagSystem:
    tags = {
        name: {
            "dimension": "basic",
            "description": "",
            "owner": "sales",
            "rule": rules.get(name),
            "outside": {"wecom": {"group": "客户等级", "name": name.upper()}},
        }
        for name in ("vip", "new")
    }
    return TagSystem.from_dict({"tags": {**tags, "ours": {"dimension": "basic", "description": "", "owner": "sales"}}})


def served_by(*members: str, **tags: list[str]) -> Person:
    return Person(
        identities={"unionid": "o6-union"},
        served_by=[
            ServingMember(
                member=member,
                since=SINCE + timedelta(days=number),
                tags=frozenset(OutsideTag("客户等级", each) for each in tags.get(member, ())),
            )
            for number, member in enumerate(members)
        ],
    )


class Meeting:
    """A customer of WeCom who is a contact, and the provider's side."""

    def __init__(self, **rules: Any) -> None:
        self.world = World(tags=tag_system(**rules))
        self.happens("staff_added_contact", staff="LinChen", contact={"external_userid": CUSTOMER})
        self.requests = 0

    def happens(
        self, kind: str, *, contact: dict[str, str] | None = None, profile: Any = None, **properties: Any
    ) -> None:
        world = self.world
        world.clock.advance(minutes=1)
        now = world.clock()
        who = contact or {"external_userid": CUSTOMER}
        event = Event(f"e-{now.isoformat()}", kind, who, now, now, "waypost.wecom", properties, profile or {})
        world.route_events.route(event)
        self.settle()

    def settle(self) -> None:
        """Route what was queued."""
        while self.world.queue.sent:
            self.world.route_events.route(self.world.queue.sent.pop(0))

    def sync(self) -> dict[str, int]:
        self.requests += 1
        self.world.clock.advance(minutes=1)
        done = self.world.sync_person.sync({f"m-{self.requests}": request_about(ADDRESS)})
        assert not done.failed, done.failed
        self.settle()
        return dict(done.counts)

    @property
    def contact(self) -> Contact:
        found = self.world.contacts.load(FRIEND)
        assert found is not None
        return found

    def tag(self, *add: str, remove: tuple[str, ...] = ()) -> None:
        self.world.clock.advance(minutes=1)
        tags = (self.contact.tags | {*add}) - {*remove}
        self.world.contacts.put(replace(self.contact, tags=frozenset(tags)))


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


def test_a_unionid_makes_the_follower_and_the_customer_one_contact(meeting: Meeting) -> None:
    follower = {"openid": "wx1:o1", "unionid": "o6-union"}
    meeting.happens("wechat_followed", contact=follower)
    meeting.world.people.known[CUSTOMER] = served_by("LinChen")
    assert meeting.sync() == {"changed": 1}
    one = meeting.world.contacts.load(ids.contact_id("unionid", "o6-union"))
    assert one is not None
    assert (one.identities["openid"], one.identities["external_userid"]) == (["wx1:o1"], [CUSTOMER])
    assert meeting.sync() == {"alike": 1}


def test_the_profile_knows_who_serves_the_contact_and_since_when(meeting: Meeting) -> None:
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", "ZhangSan")
    meeting.sync()
    found = meeting.contact.attributes
    assert (found["wecom_staff"], found["wecom_since"]) == (["LinChen", "ZhangSan"], "2027-02-01T02:00:00.000Z")


def test_a_tag_of_ours_is_put_on_for_every_member_once(meeting: Meeting) -> None:
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", "ZhangSan")
    meeting.tag("vip", "ours")
    assert meeting.sync() == {"changed": 1}
    assert meeting.world.people.changes == [("LinChen", ["VIP"], []), ("ZhangSan", ["VIP"], [])]
    both = ["VIP"]
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", "ZhangSan", LinChen=both, ZhangSan=both)
    assert meeting.sync() == {"alike": 1}
    assert len(meeting.world.people.changes) == 2
    assert meeting.contact.tags == {"vip", "ours"}


def test_a_tag_that_a_member_puts_on_or_takes_off_comes_here(meeting: Meeting) -> None:
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", LinChen=["NEW", "NOT OURS"])
    meeting.sync()
    assert meeting.contact.tags == {"new"}
    meeting.world.people.known[CUSTOMER] = served_by("LinChen")
    meeting.sync()
    assert meeting.contact.tags == NOTHING
    assert meeting.world.people.changes == []


def test_a_tag_taken_here_is_taken_off_there(meeting: Meeting) -> None:
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", LinChen=["VIP"])
    meeting.sync()
    meeting.tag(remove=("vip",))
    meeting.sync()
    assert meeting.world.people.changes == [("LinChen", [], ["VIP"])]


def test_a_tag_of_ours_that_is_not_there_yet_outlives_an_edit_of_the_member(meeting: Meeting) -> None:
    meeting.world.people.known[CUSTOMER] = served_by("LinChen")
    meeting.sync()
    meeting.tag("vip")
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", LinChen=["NEW"])
    meeting.sync()
    assert meeting.contact.tags == {"vip", "new"}
    assert meeting.world.people.changes == [("LinChen", ["VIP"], [])]


def test_a_customer_whom_nobody_serves_keeps_the_tags(meeting: Meeting) -> None:
    meeting.world.people.known[CUSTOMER] = served_by("LinChen", LinChen=["VIP"])
    meeting.sync()
    meeting.world.people.known[CUSTOMER] = served_by()
    meeting.sync()
    assert meeting.contact.tags == {"vip"}
    assert meeting.contact.attributes["wecom_staff"] == []
    meeting.world.people.known[CUSTOMER] = served_by("ZhangSan")
    meeting.sync()
    assert meeting.world.people.changes == [("ZhangSan", ["VIP"], [])]


def test_a_failed_call_is_repeated_and_nothing_is_held_for_done(meeting: Meeting) -> None:
    world = meeting.world
    world.people.known[CUSTOMER] = served_by("LinChen")
    meeting.tag("vip")
    world.people.refusal = NotAnswered("45033")
    done = world.sync_person.sync({"m-1": request_about(ADDRESS), "m-2": "{}"})
    assert [type(error) for error in done.failed.values()] == [TemporarilyUnavailable, InvalidInput]
    assert "wecom_tags" not in meeting.contact.attributes
    world.people.refusal = None
    meeting.sync()
    assert meeting.contact.attributes["wecom_tags"] == ["vip"]


def test_who_is_not_known_there_or_here_ends_the_request(meeting: Meeting) -> None:
    assert meeting.sync() == {"84061": 1}
    stranger = Address(Channel("wecom"), "external_userid", "wmAJ2GCAAAXtWyujaWJHDDGi0mACBBBB")
    assert meeting.world.sync_person.sync({"m": request_about(stranger)}).unknown == ["no contact"]
    meeting.world.people.known[CUSTOMER] = NotAnswered("timeout")
    assert meeting.world.sync_person.sync({"m": request_about(ADDRESS)}).failed


@pytest.mark.parametrize(
    ("here", "there", "former", "tags"),
    [
        ({"vip"}, {"a": set(), "b": {"vip"}}, ({"a", "b"}, {"vip"}), set()),  # a took it off
        (set(), {"a": {"vip"}, "b": set()}, ({"a", "b"}, set()), {"vip"}),  # a put it on
        ({"vip"}, {"a": set(), "b": {"vip"}}, ({"a"}, {"vip"}), {"vip"}),  # a took it off, b put it on
        ({"vip"}, {"b": set()}, ({"a"}, {"vip"}), {"vip"}),  # b is new and sees nothing yet
        (set(), {"a": {"vip"}}, ({"a"}, {"vip"}), set()),  # it was taken here
        ({"by-rule"}, {"a": {"other-rule"}}, ({"a"}, {"by-rule"}), {"by-rule"}),  # a rule has the last word
    ],
)
def test_what_changed_since_both_were_alike_decides(
    here: set[str], there: dict[str, set[str]], former: tuple[set[str], set[str]], tags: set[str]
) -> None:
    plan = planned(
        here=frozenset(here),
        there={member: frozenset(each) for member, each in there.items()},
        former_members=frozenset(former[0]),
        former_tags=frozenset(former[1]),
        by_rule=frozenset({"by-rule", "other-rule"}),
    )
    assert plan.tags == tags
    after = {
        member: (frozenset(each) | plan.put.get(member, NOTHING)) - plan.take.get(member, NOTHING)
        for member, each in there.items()
    }
    assert {*after.values()} == {frozenset(tags)}
    assert (here | plan.add) - plan.remove == tags


def test_the_router_has_people_asked_about_when_there_is_something_to_learn_or_to_tell(meeting: Meeting) -> None:
    world = meeting.world
    assert world.syncs.waiting == [ADDRESS]
    world.syncs.waiting.clear()
    meeting.happens("staff_transfer_failed")
    meeting.happens("tag_added", tag="ours", by="hand", profile={"tags": ["ours"]})
    meeting.happens("tag_added", tag="vip", by="hand", source="waypost.wecom", profile={"tags": ["vip"]})
    assert world.syncs.waiting == []
    meeting.happens("tag_added", tag="vip", by="hand", source="shop", profile={"tags": ["vip"]})
    assert world.syncs.waiting == [ADDRESS]
    assert json.loads(request_about(ADDRESS)) == {"channel": "wecom", "address": CUSTOMER}


def test_somebody_elses_event_has_nobody_asked_about(meeting: Meeting) -> None:
    meeting.world.syncs.waiting.clear()
    now = meeting.world.clock()
    event = Event("e-shop", "staff_added_contact", {"external_userid": CUSTOMER}, now, now, "shop")
    meeting.world.route_events.route(event)
    assert meeting.world.syncs.waiting == []
