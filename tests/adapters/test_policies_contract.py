"""What every PolicyStore must do."""

from datetime import UTC, datetime
from typing import Any

from tests.adapters.stores import Stores
from waypost.sending.policy_change import PolicyChange

NOW = datetime(2031, 3, 3, 10, tzinfo=UTC)


def change(revision: int, **more: Any) -> PolicyChange:
    section = {"frequency_cap": None}
    fields: dict[str, Any] = {"changes": section, "policy": section, "by": "lin.chen", "reason": "the festival"}
    return PolicyChange(revision=revision, at=NOW, version=f"v{revision}", **fields | more)


def test_nothing_was_changed_at_first(stores: Stores) -> None:
    assert stores.policies.current() is None
    assert stores.policies.newest(5) == []


def test_the_newest_change_is_the_current_one(stores: Stores) -> None:
    made = [change(number, changes={"windows": {"email": {"start": "09:00", "end": "21:00"}}}) for number in (1, 2, 3)]
    assert all(stores.policies.put(each) for each in made)
    assert stores.policies.current() == made[2]
    assert stores.policies.newest(2) == [made[2], made[1]]


def test_a_revision_is_given_once(stores: Stores) -> None:
    assert stores.policies.put(change(1))
    assert not stores.policies.put(change(1, by="mei.wang"))
    assert [each.by for each in stores.policies.newest(5)] == ["lin.chen"]


def test_a_write_repeated_after_a_lost_answer_finds_itself(stores: Stores) -> None:
    assert stores.policies.put(change(1))
    assert stores.policies.put(change(1))
    assert len(stores.policies.newest(5)) == 1
