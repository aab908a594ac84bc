"""What every TokenStore must do."""

from datetime import UTC, datetime, timedelta

from tests.adapters.stores import Stores
from waypost.tencent.access_tokens import AccessToken

NOW = datetime(2031, 3, 3, 10, tzinfo=UTC)
SOON = NOW + timedelta(seconds=15)
NAME = "wechat/wx8f0a"
FIRST, SECOND = (AccessToken(f"token-{number}", NOW + timedelta(hours=2)) for number in (1, 2))


def test_a_token_is_found_by_the_name_of_its_account(stores: Stores) -> None:
    assert stores.tokens.load(NAME) is None
    stores.tokens.save(NAME, FIRST)
    assert stores.tokens.load(NAME) == FIRST
    assert stores.tokens.load("wechat/another") is None


def test_one_caller_at_a_time_may_get_the_next_token(stores: Stores) -> None:
    tokens = stores.tokens
    assert tokens.lease(NAME, seen=None, now=NOW, until=SOON)
    assert not tokens.lease(NAME, seen=None, now=NOW, until=SOON)
    tokens.save(NAME, FIRST)
    assert tokens.lease(NAME, seen=FIRST, now=NOW, until=SOON)
    assert not tokens.lease(NAME, seen=FIRST, now=NOW, until=SOON)


def test_a_caller_that_has_seen_an_older_token_may_not(stores: Stores) -> None:
    tokens = stores.tokens
    tokens.save(NAME, FIRST)
    tokens.save(NAME, SECOND)
    assert not tokens.lease(NAME, seen=FIRST, now=NOW, until=SOON)
    assert not tokens.lease(NAME, seen=None, now=NOW, until=SOON)
    assert tokens.lease(NAME, seen=SECOND, now=NOW, until=SOON)


def test_a_lease_ends_by_itself_or_when_it_is_given_back(stores: Stores) -> None:
    tokens = stores.tokens
    assert tokens.lease(NAME, seen=None, now=NOW, until=SOON)
    assert tokens.lease(NAME, seen=None, now=SOON, until=SOON + timedelta(seconds=15))
    tokens.release(NAME)
    assert tokens.lease(NAME, seen=None, now=SOON, until=SOON + timedelta(seconds=15))
