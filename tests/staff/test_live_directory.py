"""Members who came in without a deployment, beside those of the file."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.live_staff import FakeLiveStaff
from tests.fakes.staff import directory, member
from waypost.contacts.channels import Channel
from waypost.errors import TemporarilyUnavailable
from waypost.staff.directory import StaffDirectory
from waypost.staff.live_directory import LOOKED_AFTER, LiveStaff, Source, SourceList, StaffInForce, joined

Members = dict[str, dict[str, Any]]
AT = datetime(2031, 3, 3, 9, tzinfo=UTC)


def live(
    imported: Members | None = None, wecom: Members | None = None, queues: dict[str, tuple[str, ...]] | None = None
) -> LiveStaff:
    found = LiveStaff()
    given: tuple[tuple[Source, Members | None], ...] = (("import", imported), ("wecom", wecom))
    for source, members in given:
        if members is not None:
            found = found.with_list(source, SourceList(members=members, queues=queues or {}, at=AT))
    return found


def of_wecom(userid: str, **fields: Any) -> dict[str, Any]:
    """A member as WeCom knows them: without a mail address."""
    return {"name": userid, "channels": {"wecom": userid}, **fields}


def test_who_came_in_is_beside_those_of_the_file() -> None:
    both = joined(directory("lin.chen"), live({"wei.zhang": member("wei.zhang", manager="lin.chen")}))
    assert sorted(both.members) == ["lin.chen", "wei.zhang"]
    assert [each.id for each in both.managers_of(both.members["wei.zhang"], 1)] == ["lin.chen"]


def test_what_the_file_says_of_a_member_counts_and_the_rest_is_filled_in() -> None:
    filed = StaffDirectory.from_dict(
        {
            "members": {
                "lin.chen": member(
                    "lin.chen", department="growth", channels={"email": "l@staff.example", "wecom": "LinChen"}
                )
            }
        }
    )
    came = {
        "linchen": of_wecom("linchen", name="林", department="市场部", manager="boss"),
        "boss": of_wecom("boss", email="boss@staff.example"),
        "helper": of_wecom("helper", manager="linchen"),
    }
    both = joined(filed, live(wecom=came))
    lin = both.members["lin.chen"]
    assert (lin.name, lin.department, lin.manager) == ("Lin Chen", "growth", "boss")
    assert both.members["helper"].manager == "lin.chen", "who is under the userid is under the member of the file"
    assert sorted(both.members) == ["boss", "helper", "lin.chen"]


def test_the_same_mail_address_is_the_same_person_in_both_sources() -> None:
    imported = {"jo.li": member("jo.li", queues=[])}
    came = {
        "joli": {"name": "Jo", "channels": {"wecom": "JoLi", "email": "JO.LI@staff.example"}, "department": "sales"}
    }
    both = joined(StaffDirectory(), live(imported, wecom=came))
    assert list(both.members) == ["jo.li"]
    assert (both.members["jo.li"].channels[Channel("wecom")], both.members["jo.li"].department) == ("JoLi", "sales")
    assert both.known_as("JoLi") == both.members["jo.li"]


def test_queues_of_one_name_are_put_together() -> None:
    filed = StaffDirectory(directory("lin.chen").members, {"service": ("lin.chen",)})
    both = joined(filed, live({"jo.li": member("jo.li")}, queues={"service": ("jo.li",), "vip": ("jo.li",)}))
    assert both.queues == {"service": ("lin.chen", "jo.li"), "vip": ("jo.li",)}


def test_the_directory_is_looked_at_again_after_a_minute_and_survives_a_failing_read() -> None:
    store, now = FakeLiveStaff(), [AT]
    staff = StaffInForce(deployed=lambda: directory("lin.chen"), store=lambda: store, clock=lambda: now[0])
    assert list(staff().members) == ["lin.chen"]
    store.kept = live({"jo.li": member("jo.li")})
    assert (list(staff().members), store.reads) == (["lin.chen"], 1)
    now[0] += LOOKED_AFTER
    assert list(staff().members) == ["lin.chen", "jo.li"]
    store.unreadable, now[0] = TemporarilyUnavailable("throttled"), now[0] + timedelta(hours=1)
    assert list(staff().members) == ["lin.chen", "jo.li"]


def test_a_first_read_that_fails_leaves_the_file() -> None:
    store = FakeLiveStaff(unreadable=TemporarilyUnavailable("throttled"))
    staff = StaffInForce(deployed=lambda: directory("lin.chen"), store=lambda: store, clock=lambda: AT)
    assert list(staff().members) == ["lin.chen"]


def test_a_kept_list_comes_back_as_it_was() -> None:
    kept = live({"jo.li": member("jo.li", channels={"sms": "+8613900001999", "email": "j@staff.example"})})
    assert LiveStaff.from_dict(kept.to_dict()) == kept
