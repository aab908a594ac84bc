"""What every BudgetCounters must do."""

from datetime import date

from tests.adapters.stores import Stores
from waypost.contacts.channels import Channel

EMAIL, SMS = Channel("email"), Channel("sms")
TODAY, TOMORROW = date(2031, 3, 3), date(2031, 3, 4)


def test_what_is_taken_never_exceeds_the_limit(stores: Stores) -> None:
    counters = stores.budget_counters
    taken = [counters.take(SMS, TODAY, 3, limit=10) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    assert counters.take(SMS, TODAY, 1, limit=10)
    assert not counters.take(SMS, TODAY, 1, limit=10)
    assert counters.take(SMS, TODAY, 1, limit=11)


def test_channels_and_days_do_not_touch_each_other(stores: Stores) -> None:
    counters = stores.budget_counters
    assert counters.take(SMS, TODAY, 1, limit=1)
    assert counters.take(EMAIL, TODAY, 1, limit=1)
    assert counters.take(SMS, TOMORROW, 1, limit=1)
    assert not counters.take(SMS, TODAY, 1, limit=1)


def test_more_than_the_limit_is_not_taken_from_an_untouched_day(stores: Stores) -> None:
    assert not stores.budget_counters.take(SMS, TODAY, 2, limit=1)
    assert stores.budget_counters.take(SMS, TODAY, 1, limit=1)
