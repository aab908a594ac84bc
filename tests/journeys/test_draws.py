"""Random splits and hold-outs: the same for a contact for ever, in the declared shares, and changed for as few as possible."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any, Final

import pytest

from tests.fakes.published_journeys import JOURNEY, email, journey, published
from tests.fakes.world import CONTACT, World, event, task_payload
from waypost import ids
from waypost.journeys.draws import HoldOut, branch_of, drawn, redrawn
from waypost.segments.compile import compile_rule
from waypost.segments.subject import subject_of

CONTACTS: Final = [ids.contact_id("user_id", f"u-{number}") for number in range(20_000)]
HALVES: Final = {"coupon": 50, "gift": 50}
WEIGHTED: Final = {"coupon": 45, "gift": 45, "nothing": 10}


def branches(shares: Mapping[str, float], split: str = "offer") -> list[str]:
    return [branch_of(each, "win-back", split, shares) for each in CONTACTS]


def is_near(count: int, share: float) -> bool:
    """Within four standard deviations of a share of all contacts: true of 15,999 of 16,000 honest draws."""
    return abs(count - share * len(CONTACTS)) <= 4 * sqrt(len(CONTACTS) * share * (1 - share))


def agreement(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The share of contacts that keep their branch under a maximally consistent scheme."""
    return sum(
        1
        / sum(
            max(before.get(other, 0) / before[each], after.get(other, 0) / after[each]) for other in {*before, *after}
        )
        for each in before
        if before[each] and after.get(each)
    )


@pytest.mark.parametrize("shares", [HALVES, WEIGHTED, {"a": 1, "b": 1, "c": 1}, {"most": 99.5, "few": 0.5}])
def test_the_branches_come_in_their_shares(shares: dict[str, float]) -> None:
    counts = Counter(branches(shares))
    assert set(counts) == set(shares)
    for branch, weight in shares.items():
        assert is_near(counts[branch], weight / sum(shares.values())), counts


def test_a_branch_of_no_share_is_closed() -> None:
    assert set(branches({"coupon": 100, "gift": 0})) == {"coupon"}


def test_two_splits_of_a_journey_and_one_of_another_are_independent() -> None:
    first, second = branches(HALVES), branches(HALVES, "tone")
    other = [branch_of(each, "nurture", "offer", HALVES) for each in CONTACTS]
    for drawn_elsewhere in (second, other):
        both = sum(one == two == "coupon" for one, two in zip(first, drawn_elsewhere, strict=True))
        assert is_near(both, 0.25)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HALVES, {"coupon": 60, "gift": 40}),
        (HALVES, {"coupon": 45, "gift": 45, "nothing": 10}),
        (WEIGHTED, {"coupon": 40, "gift": 45, "nothing": 15}),
        (WEIGHTED, {"coupon": 90, "gift": 0, "nothing": 10}),
    ],
)
def test_a_changed_share_moves_as_few_contacts_as_any_scheme_without_memory(
    before: dict[str, float], after: dict[str, float]
) -> None:
    kept = sum(one == two for one, two in zip(branches(before), branches(after), strict=True))
    assert is_near(kept, agreement(before, after))


def test_a_branch_that_is_added_takes_contacts_and_moves_nobody_between_the_others() -> None:
    moves = {(one, two) for one, two in zip(branches(HALVES), branches(WEIGHTED), strict=True) if one != two}
    assert moves == {("coupon", "nothing"), ("gift", "nothing")}


def test_the_order_and_the_scale_of_the_shares_do_not_matter() -> None:
    assert branches({"nothing": 10, "gift": 45, "coupon": 45}) == branches(WEIGHTED)
    assert branches({"coupon": 1, "gift": 1}) == branches(HALVES)


def test_a_contact_in_the_journey_keeps_its_branch_as_long_as_there_is_one() -> None:
    contact_id = next(each for each in CONTACTS if branch_of(each, JOURNEY, "offer", WEIGHTED) == "nothing")
    before = drawn(contact_id, JOURNEY, {"offer": WEIGHTED, "gone": HALVES})
    closed = {"offer": {"coupon": 50, "gift": 50}, "tone": HALVES}
    after = redrawn(contact_id, JOURNEY, {"offer": WEIGHTED | {"nothing": 0}, "tone": HALVES}, before)
    assert (after["offer"], after["gone"]) == ("nothing", before["gone"])
    assert redrawn(contact_id, JOURNEY, closed, before)["offer"] in {"coupon", "gift"}
    assert after["tone"] == branch_of(contact_id, JOURNEY, "tone", HALVES)


# The hold-out


def test_a_hold_out_has_its_share_and_a_larger_one_keeps_its_people() -> None:
    small, large = ({each for each in CONTACTS if HoldOut("all-2026", percent).has(each)} for percent in (5, 12.5))
    assert is_near(len(small), 0.05)
    assert is_near(len(large), 0.125)
    assert small < large


def test_the_rule_of_the_same_salt_selects_the_same_people() -> None:
    world = World()
    in_it = compile_rule({"holdout": {"salt": "all-2026", "percent": 12.5}})
    for contact_id in CONTACTS[:500]:
        contact = world.have_contact(contact_id, identities={})
        subject = subject_of(contact, now=world.clock(), default_zone=world.default_zone)
        assert in_it(subject) is HoldOut("all-2026", 12.5).has(contact_id)


# In a journey


def world_with(**changes: Any) -> World:
    return World(published=published(journey(**changes)))


def test_a_contact_that_enters_again_comes_to_the_same_branch_and_its_machine_is_given_it() -> None:
    world = world_with(splits={"offer": WEIGHTED}, re_entry={"kind": "always", "seconds": None, "property": None})
    world.route(event("registered", world.clock(), "e-1"))
    (first,) = world.enrolments
    world.close(world.walking(first))
    world.route(event("registered", world.clock(), "e-2"))
    wanted = {"offer": branch_of(CONTACT, JOURNEY, "offer", WEIGHTED)}
    assert [each.splits for each in world.enrolments] == [wanted, wanted]
    given = [given for _, given in world.machines.executions.values()]
    assert [each["splits"] for each in given] == [wanted, wanted]


def test_a_retried_entry_changes_no_branch() -> None:
    world = world_with(splits={"offer": WEIGHTED})
    for _ in range(2):
        world.route(event("registered", world.clock(), "e-1"))
    assert len({str(given["splits"]) for _, given in world.machines.executions.values()}) == 1


def test_who_is_held_out_walks_through_the_journey_and_gets_none_of_its_marketing() -> None:
    world = world_with(holdout={"salt": JOURNEY, "percent": 100})
    world.have_contact()
    world.route(event("registered", world.clock(), "e-1"))
    (enrolment,) = world.enrolments
    assert enrolment.held_out
    result = world.send(enrolment, "welcome")
    assert (result.outcome, result.reason) == ("skipped", "held_out")
    assert world.send(enrolment, "order_confirmation", "Confirm").outcome == "sent"
    assert not world.email.calls


def test_who_is_not_held_out_gets_everything() -> None:
    world = world_with(holdout={"salt": JOURNEY, "percent": 0.01})
    world.have_contact()
    enrolment = world.have_enrolment()
    assert not enrolment.held_out
    assert world.send(enrolment, "welcome").outcome == "sent"


def test_staff_hear_nothing_of_who_is_held_out_and_no_coupon_is_spent() -> None:
    world = World(published=published(journey(messages={"welcome": email("welcome")})))
    world.have_contact()
    enrolment = world.have_enrolment(held_out=True)
    notice = world.notify_staff.notify(task_payload(enrolment, "Tell sales", message="welcome", to="linked"))
    assert notice == {"outcome": "skipped", "reason": "held_out", "notified": []}
    issued = world.issue_coupon.issue(task_payload(enrolment, "Ten yuan", pool="welcome"))
    assert issued == {"outcome": "held_out", "pool": "welcome"}
    assert not world.queue.events


def test_the_end_of_the_journey_says_what_was_drawn() -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment(held_out=True, splits={"offer": "gift"})
    world.close(enrolment)
    (ended,) = [each for each in world.queue.events.values() if each.type == "journey_ended"]
    assert (ended.properties["held_out"], ended.properties["splits"]) == (True, {"offer": "gift"})
    assert replace(world.stored(enrolment), revision=0).splits == {"offer": "gift"}
