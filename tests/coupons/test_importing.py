"""Codes from a shop's file: each is in one pool once, and what is wrong is named with its row and field."""

from datetime import UTC, datetime

import pytest

from tests.coupons.pools import pool
from tests.fakes.coupons import FakeCoupons
from waypost.coupons.importing import import_codes, read_codes
from waypost.errors import InvalidInput

NOW = datetime(2031, 3, 3, 4, tzinfo=UTC)
FILE = """Code,valid_until
SHOP-1,
shop-1,
SHOP-2,2031-12-31T23:59:59+08:00
SHOP-3,tomorrow
SHOP-4,2031-01-01T00:00:00Z
ab,
SHOP-5,2031-12-31T23:59:59
"""


def test_good_codes_are_taken_and_the_others_named() -> None:
    store = FakeCoupons()
    found = import_codes(store, pool(codes="imported"), read_codes(FILE), now=NOW)
    assert (found["added"], found["there"]) == (2, 0)
    assert [(each["row"], each["field"]) for each in found["rejected"]] == [
        (3, "code"), (5, "valid_until"), (6, "valid_until"), (7, "code"), (8, "valid_until"),
    ]  # fmt: skip
    assert found["rejected"][0]["reason"] == "is row 2 already"
    assert store.count_free("welcome", now=NOW) == 2


def test_the_same_file_again_adds_none_and_another_pool_gets_none_of_them() -> None:
    store, rows = FakeCoupons(), read_codes("code\nSHOP-1\nSHOP-2\n")
    import_codes(store, pool(codes="imported"), rows, now=NOW)
    assert import_codes(store, pool(codes="imported"), rows, now=NOW) == {"added": 0, "there": 2, "rejected": []}
    other = import_codes(store, pool("other", codes="imported"), rows, now=NOW)
    assert [each["reason"] for each in other["rejected"]] == ["is in another pool, or a contact has it already"] * 2


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("", "code", "the file has none"),
        ("kode\nSHOP-1\n", "code", "the file has kode"),
        ("code,price\nSHOP-1,3\n", "price", "unknown column"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_column(text: str, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as caught:
        read_codes(text)
    assert caught.value.field == field


def test_a_pool_that_generates_its_codes_takes_none() -> None:
    with pytest.raises(InvalidInput, match="generates its codes"):
        import_codes(FakeCoupons(), pool(), read_codes("code\nSHOP-1\n"), now=NOW)
