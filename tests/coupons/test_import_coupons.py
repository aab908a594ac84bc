"""Codes from a shop's file: each is in one pool once, and what is wrong is named with its row and field."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.coupons.pools import pool
from tests.fakes.coupons import FakeCoupons
from tests.fakes.files import FakeFiles
from waypost.coupons.coupon import FreeCode
from waypost.coupons.import_coupons import BATCH, LARGEST, NAMED, ImportCoupons, read_codes
from waypost.coupons.pool import CouponPools
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


KEY = "imports/codes.csv"


@dataclass
class Shop:
    """A bucket with the file, the store, and what imports between them."""

    store: FakeCoupons = field(default_factory=FakeCoupons)
    files: FakeFiles = field(default_factory=FakeFiles)
    now: datetime = NOW

    def upload(self, text: str) -> None:
        self.files.write(KEY, text.encode())

    def one_call(self, left: int = 300_000, **payload: Any) -> dict[str, Any]:
        pools = {name: pool(name, codes=codes) for name, codes in POOLS.items()}
        importer = ImportCoupons(
            store=self.store, pools=lambda: CouponPools(pools), files=self.files, clock=lambda: self.now
        )
        return importer.take({"pool": "welcome", "file": KEY, **payload}, remaining=lambda: left)


POOLS = {"welcome": "imported", "other": "imported", "made": "generated"}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_good_codes_are_taken_and_the_others_named(shop: Shop) -> None:
    shop.upload("\ufeff" + FILE)
    found = shop.one_call()
    assert (found["done"], found["rows"], found["added"], found["there"], found["rejected"]) == (True, 7, 2, 0, 5)
    assert [(each["row"], each["field"]) for each in found["rejections"]] == [
        (3, "code"), (5, "valid_until"), (6, "valid_until"), (7, "code"), (8, "valid_until"),
    ]  # fmt: skip
    assert found["rejections"][0]["reason"] == "is row 2 already"
    assert shop.store.count_free("welcome", now=NOW) == 2


def test_the_same_file_again_adds_none_and_another_pool_gets_none_of_them(shop: Shop) -> None:
    shop.upload("code\nSHOP-1\nSHOP-2\n")
    shop.one_call()
    again = shop.one_call()
    assert (again["added"], again["there"], again["rejections"]) == (0, 2, [])
    other = shop.one_call(pool="other")
    assert [each["reason"] for each in other["rejections"]] == ["is in another pool, or a contact has it already"] * 2


def test_a_large_file_is_taken_in_several_calls_at_one_instant(shop: Shop) -> None:
    shop.store.add("other", FreeCode("CODE-700"), at=NOW)
    lines = [f"CODE-{number},2031-03-03T05:00:00Z" for number in range(1_000)]
    shop.upload("\n".join(["code,valid_until", *lines, "x,"]))
    answer, calls = shop.one_call(left=0), 1
    while not answer["done"]:
        shop.now += timedelta(minutes=5)  # in the end the codes are over, but not for this import
        answer, calls = shop.one_call(left=0, **answer), calls + 1
    assert calls == 1_000 // BATCH
    assert (answer["added"], answer["there"], answer["rejected"]) == (999, 0, 2)
    assert [each["row"] for each in answer["rejections"]] == [702, 1_002]


def test_more_rejections_than_an_output_holds_are_counted(shop: Shop) -> None:
    shop.upload("\n".join(["code", *(f"CODE-{number}" for number in range(600)), *["?"] * 600]))
    shop.one_call(pool="other")
    found = shop.one_call()
    assert (found["rejected"], len(found["rejections"]), found["taken"]) == (1_200, NAMED, 600)
    assert len(json.dumps(found)) < 100_000


def test_a_file_that_is_replaced_in_between_is_refused(shop: Shop) -> None:
    shop.upload("\n".join(["code", *(f"CODE-{number}" for number in range(200))]))
    begun = shop.one_call(left=0)
    shop.upload("code\nELSE-1\n")
    with pytest.raises(InvalidInput, match="was replaced during its import"):
        shop.one_call(**begun)


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"pool": "made"}, "pool", "generates its codes"),
        ({"pool": "nope"}, "pool", "there are: made, other, welcome"),
        ({"pool": ""}, "pool", "is missing"),
        ({"file": ""}, "file", 'is missing; for example "imports/codes.csv"'),
        ({"file": "exports/codes.csv"}, "file", "expected a file under s3://waypost-test-files/imports/"),
        ({"file": "imports/none.csv"}, "file", "there is nothing at s3://waypost-test-files/imports/none.csv"),
        ({"pools": "welcome"}, "pools", "is not known; expected pool and file"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_with_its_field(
    shop: Shop, given: dict[str, Any], field: str, reason: str
) -> None:
    shop.upload("code\nSHOP-1\n")
    with pytest.raises(InvalidInput, match=re.escape(reason)) as caught:
        shop.one_call(**given)
    assert caught.value.field == field


def test_a_file_in_another_encoding_or_too_large_is_refused(shop: Shop) -> None:
    shop.files.write(KEY, "code\n优惠\n".encode("gb18030"))
    with pytest.raises(InvalidInput, match="save it as CSV in UTF-8"):
        shop.one_call()
    shop.files.write(KEY, b"code\n" + b"A" * LARGEST)
    with pytest.raises(InvalidInput, match="at most 16 MiB"):
        shop.one_call()


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
