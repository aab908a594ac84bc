"""Issuing a coupon: once for each step, never one code twice, on the fake and on DynamoDB's conditions."""

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.coupons.issuers import NOON, SHANGHAI, Busy, anniversary, ask, chooser, issuer
from tests.coupons.pools import pool
from tests.fakes.clock import FakeClock
from waypost.aws.coupons import DynamoCoupons
from waypost.coupons.codes import ALPHABET, code_digest, code_problem, new_code
from waypost.coupons.coupon import CouponStore, FreeCode
from waypost.coupons.issuing import Issued, remaining
from waypost.coupons.pool import SHARDS
from waypost.errors import ConcurrentUpdate, InvalidInput


def outcomes(results: list[Issued]) -> Counter[str]:
    return Counter(each.outcome for each in results)


def test_the_same_step_has_the_same_coupon(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool())
    first = service.issue(ask())
    clock.advance(days=30)
    assert service.issue(ask()) == first
    assert first.coupon is not None
    assert first.coupon.valid_until == datetime(2031, 3, 9, 15, 59, 59, tzinfo=UTC)  # the end of Sunday in Shanghai
    assert [each.code for each in store.held(["c-1"])] == [first.coupon.code]


def test_another_step_finds_the_valid_one_unless_it_asks_for_another(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool())
    first = service.issue(ask())
    assert service.issue(ask(step="s-2")) == Issued("already_has", first.coupon)
    other = service.issue(ask(step="s-3", again=True))
    assert other.outcome == "issued"
    assert other.coupon != first.coupon
    clock.advance(days=8)
    assert service.issue(ask(step="s-4")).outcome == "issued"
    assert [each.slot for each in store.held(["c-1"])] == [0, 1, 2]


def test_a_pool_of_other_contacts_is_not_theirs(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool())
    codes = {service.issue(ask(f"c-{number}", f"s-{number}")).coupon.code for number in range(30)}  # type: ignore[union-attr]
    assert len(codes) == 30


def test_an_imported_code_is_issued_once_and_ends_when_the_shop_says(store: CouponStore, clock: FakeClock) -> None:
    shop = pool(codes="imported", alarm_below=1)
    service = issuer(store, clock, shop)
    ends = NOON + timedelta(hours=5)
    assert store.add("welcome", FreeCode("SHOP-1", ends), at=NOON) == "added"
    assert store.add("welcome", FreeCode("shop-1", ends), at=NOON) == "there"
    assert store.add("other", FreeCode("SHOP 1", ends), at=NOON) == "taken"
    assert remaining(store, shop, NOON) == 1
    issued = service.issue(ask())
    assert issued.coupon is not None
    assert (issued.coupon.code, issued.coupon.valid_until) == ("SHOP-1", ends)
    assert issued.low == (("welcome", 0),)
    assert service.issue(ask("c-2", "s-2")) == Issued("pool_empty", low=(("welcome", 0),))
    assert store.add("welcome", FreeCode("SHOP-1"), at=NOON) == "taken"


def test_a_code_that_has_ended_is_not_issued(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool(codes="imported"))
    store.add("welcome", FreeCode("OVER-1", NOON), at=NOON - timedelta(days=1))
    assert service.issue(ask()).outcome == "pool_empty"


def test_the_stand_in_is_issued_when_a_pool_is_empty(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool(size=1, fallback="plain"), pool("plain"))
    assert service.issue(ask()).coupon.pool == "welcome"  # type: ignore[union-attr]
    second = service.issue(ask("c-2", "s-2"))
    assert second.coupon is not None
    assert (second.outcome, second.coupon.pool, second.low) == ("issued", "plain", (("welcome", 0),))
    assert service.issue(ask("c-2", "s-2")).coupon == second.coupon


def test_a_pool_whose_end_has_come_has_nothing_left(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool(valid={"until": "2031-03-03T04:00:00.000Z"}))
    assert service.issue(ask()).outcome == "pool_empty"


def test_a_low_pool_is_reported_before_it_is_empty(store: CouponStore, clock: FakeClock) -> None:
    service = issuer(store, clock, pool(size=40, alarm_below=16))
    lows = [service.issue(ask(f"c-{number}", f"s-{number}")).low for number in range(40)]
    first = next(number for number, low in enumerate(lows) if low)
    assert lows[first][0][1] <= 16
    assert first < 39
    assert lows[39] == (("welcome", 0),)


def test_an_unknown_pool_is_refused_with_those_there_are(store: CouponStore, clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match="unknown pool 'welcom'; there are: welcome"):
        issuer(store, clock, pool()).issue(ask(name="welcom"))


@pytest.mark.parametrize("given", [{"size": 1}, {"codes": "imported"}], ids=["generated", "imported"])
def test_of_fifty_at_once_one_gets_the_last_code(client: Any, clock: FakeClock, given: dict[str, Any]) -> None:
    store = DynamoCoupons(client, "contacts")
    if "codes" in given:
        store.add("welcome", FreeCode("LAST-1"), at=NOON)

    def issue(number: int) -> Issued:
        return issuer(store, clock, pool(**given), seed=number).issue(ask(f"c-{number}", f"s-{number}"))

    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(issue, range(50)))
    assert outcomes(results) == {"issued": 1, "pool_empty": 49}
    held = [each for number in range(50) for each in store.held([f"c-{number}"])]
    assert len(held) == 1


@pytest.mark.parametrize("given", [{"size": 60}, {"codes": "imported"}], ids=["generated", "imported"])
def test_of_fifty_at_once_each_gets_a_code_of_their_own(client: Any, clock: FakeClock, given: dict[str, Any]) -> None:
    store = DynamoCoupons(client, "contacts")
    for number in range(60 if "codes" in given else 0):
        store.add("welcome", FreeCode(f"CODE-{number}"), at=NOON)

    def issue(number: int) -> Issued:
        return issuer(store, clock, pool(**given), seed=number).issue(ask(f"c-{number}", f"s-{number}"))

    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(issue, range(50)))
    assert len({each.coupon.code for each in results if each.coupon}) == 50
    assert remaining(store, pool(**given), NOON) == 10


def test_one_step_called_by_many_at_once_has_one_coupon(client: Any, clock: FakeClock) -> None:
    store = DynamoCoupons(client, "contacts")
    with ThreadPoolExecutor(20) as threads:
        results = list(threads.map(lambda seed: issuer(store, clock, pool(), seed=seed).issue(ask()), range(20)))
    assert len({each.coupon for each in results}) == 1
    assert outcomes(results) == {"issued": 20}
    assert len(store.held(["c-1"])) == 1


def test_two_journeys_at_once_issue_one_of_a_pool(client: Any, clock: FakeClock) -> None:
    store = DynamoCoupons(client, "contacts")

    def issue(number: int) -> Issued:
        return issuer(store, clock, pool(), seed=number).issue(ask(step=f"s-{number}"))

    with ThreadPoolExecutor(20) as threads:
        results = list(threads.map(issue, range(20)))
    assert outcomes(results) == {"issued": 1, "already_has": 19}


class DiesAt:
    """A client whose process dies before or after its nth write."""

    def __init__(self, client: Any, number: int, *, after: bool) -> None:
        self._client, self._left, self._after = client, number, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in {"put_item", "transact_write_items", "delete_item"}:
            return found

        def call(**given: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise KeyboardInterrupt
            answer = found(**given)
            if self._left == 0:
                raise KeyboardInterrupt
            return answer

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_crash_at_any_write_loses_no_code_and_gives_none_twice(
    client: Any, clock: FakeClock, number: int, *, after: bool
) -> None:
    shop = pool(codes="imported")
    dying = DynamoCoupons(DiesAt(client, number, after=after), "contacts")
    living = DynamoCoupons(client, "contacts")

    def work(store: CouponStore) -> None:
        for code in ("CODE-1", "CODE-2"):
            store.add("welcome", FreeCode(code), at=NOON)
        for each in (1, 2):
            issuer(store, clock, shop).issue(ask(f"c-{each}", f"s-{each}"))

    with contextlib.suppress(KeyboardInterrupt):
        work(dying)
    work(living)
    held = living.held(["c-1", "c-2"])
    assert sorted(each.code for each in held) == ["CODE-1", "CODE-2"]
    assert {each.contact_id for each in held} == {"c-1", "c-2"}
    assert issuer(living, clock, shop).issue(ask("c-3", "s-3")).outcome == "pool_empty"


def test_a_row_of_stock_left_behind_by_an_import_gives_no_code_twice(client: Any, clock: FakeClock) -> None:
    store, shop = DynamoCoupons(client, "contacts"), pool(codes="imported")
    store.add("welcome", FreeCode("CODE-1"), at=NOON)
    key = next(each for each in client.scan(TableName="contacts")["Items"] if each["sk"]["S"].startswith("free#"))
    issuer(store, clock, shop).issue(ask())
    client.put_item(TableName="contacts", Item=key)
    assert issuer(store, clock, shop).issue(ask("c-2", "s-2")).outcome == "pool_empty"
    assert remaining(store, shop, NOON) == 0


def test_writers_in_the_way_are_waited_for_and_then_reported(client: Any, clock: FakeClock) -> None:
    with pytest.raises(ConcurrentUpdate, match="no coupon of welcome"):
        issuer(DynamoCoupons(Busy(client), "contacts"), clock, pool()).issue(ask())


def test_no_row_is_kept_for_ever_and_no_key_takes_all_issues(client: Any, clock: FakeClock) -> None:
    store = DynamoCoupons(client, "contacts")
    service = issuer(store, clock, pool(size=400))
    for number in range(200):
        service.issue(ask(f"c-{number}", f"s-{number}"))
    items = client.scan(TableName="contacts")["Items"]
    counts = [int(each["issued"]["N"]) for each in items if each["sk"]["S"].startswith("count#")]
    assert sum(counts) == 200
    assert max(counts) < 200 / SHARDS * 2.5
    assert all("expires_at" in each for each in items if each["sk"]["S"] != "stock")


def test_codes_have_no_look_alikes_and_are_compared_as_typed() -> None:
    assert not set("01OIL") & set(ALPHABET)
    code = new_code(prefix="W-", length=10, choose=chooser(1))
    assert len(code) == 12
    assert set(code[2:]) <= set(ALPHABET)
    assert code_digest(code) == code_digest(f" {code.lower()[:6]} {code.lower()[6:]}".replace("-", ""))
    assert (code_problem("AB"), bool(code_problem("GUT SCHEIN")), code_problem("OK-2345")) == (
        "expected a code of 4 to 64 signs, got 2",
        True,
        "",
    )


@pytest.mark.parametrize(
    ("valid", "ends"),
    [
        ({"until": "2031-12-31T16:00:00.000Z"}, datetime(2031, 12, 31, 16, tzinfo=UTC)),
        ({"seconds": 86_400}, datetime(2031, 3, 4, 4, tzinfo=UTC)),
        ({"days": 1}, datetime(2031, 3, 3, 15, 59, 59, tzinfo=UTC)),
        ({"days": 3}, datetime(2031, 3, 5, 15, 59, 59, tzinfo=UTC)),
        ({"months": 1}, datetime(2031, 3, 31, 15, 59, 59, tzinfo=UTC)),
        ({"months": 11}, datetime(2032, 1, 31, 15, 59, 59, tzinfo=UTC)),
        ({"month_of": "birthday"}, datetime(2031, 3, 31, 15, 59, 59, tzinfo=UTC)),
        ({"month_of": "wedding_day"}, datetime(2032, 2, 29, 15, 59, 59, tzinfo=UTC)),
    ],
)
def test_validity_ends_in_the_zone_of_the_contact(valid: dict[str, Any], ends: datetime) -> None:
    assert pool(valid=valid).validity.ends(NOON, SHANGHAI, anniversary) == ends


def test_a_coupon_for_a_month_needs_the_date_or_a_stand_in(store: CouponStore, clock: FakeClock) -> None:
    monthly = {"valid": {"month_of": "name_day"}}
    assert issuer(store, clock, pool("monthly", **monthly)).issue(ask(pool="monthly")) == Issued("no_date")
    both = issuer(store, clock, pool("monthly", **monthly, fallback="welcome"), pool())
    answer = both.issue(ask(pool="monthly"))
    assert answer.coupon is not None
    assert (answer.outcome, answer.coupon.pool) == ("issued", "welcome")


def test_a_local_day_that_has_23_hours_ends_at_its_own_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    issued_at = datetime(2031, 3, 30, 0, 30, tzinfo=UTC)  # the clock goes forward half an hour later
    assert pool(valid={"days": 1}).validity.ends(issued_at, berlin, anniversary) == datetime(
        2031, 3, 30, 21, 59, 59, tzinfo=UTC
    )
