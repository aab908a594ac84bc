"""Pools as authors write them: what is published, and what is refused with field and reason."""

from pathlib import Path

import pytest

from waypost.authoring.authored_files import FileReader
from waypost.authoring.coupons import coupons
from waypost.coupons.pool import CouponPools

POOL = """
label: { en: Ten yuan off }
benefit: { kind: amount, amount: 10, currency: CNY, from: 59 }
valid: { for: 24h }
"""


def read(tmp_path: Path, **files: str) -> tuple[dict[str, object], list[tuple[str, str]]]:
    folder = tmp_path / "coupons"
    folder.mkdir()
    for name, text in files.items():
        folder.joinpath(f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    reader = FileReader(tmp_path)
    return coupons(reader), [(each.field, each.reason) for each in reader.problems]


def test_no_pool_is_called_as_a_message_names_all(tmp_path: Path) -> None:
    _, problems = read(tmp_path, any=POOL)
    assert problems == [("", "a message with coupon: any means every pool; choose another name")]


def test_a_pool_is_read_as_it_was_published(tmp_path: Path) -> None:
    section, problems = read(
        tmp_path, ten_off=POOL, plain=POOL + "codes: imported\nalarm_below: 50\nfallback: ten-off\n"
    )
    assert problems == []
    pools = CouponPools.from_dict(section)
    assert [each.name for each in pools.chain("plain")] == ["plain", "ten-off"]
    assert pools.pools["ten-off"].benefit == {"kind": "amount", "amount": 10, "currency": "CNY", "from": 59}
    assert (pools.pools["plain"].validity.seconds, pools.pools["plain"].alarm_below) == (86_400, 50)


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        (POOL.replace("24h", "1 day"), "valid.for", "expected a duration"),
        (POOL.replace("{ for: 24h }", "{ for: 24h, days: 2 }"), "valid", "expected one of until"),
        (POOL.replace("{ for: 24h }", "{ until: 2031-01-01 }"), "valid.until", "expected an instant with its offset"),
        (POOL.replace("amount: 10,", ""), "benefit", "a benefit of kind amount has a amount"),
        (POOL + "alarm_below: 5\n", "", "alarm_below needs a size"),
        (POOL + "size: 5\nalarm_below: 5\n", "", "expected less than the size 5"),
        (POOL + "codes: imported\nsize: 5\n", "", "imported codes have no size"),
        (POOL + "fallback: nowhere\n", "fallback", "unknown pool"),
        (POOL + "fallback: ten-off\n", "fallback", "leads back to ten-off"),
        (POOL + "length: 6\n", "length", "greater than or equal to 8"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(tmp_path: Path, text: str, field: str, reason: str) -> None:
    _, problems = read(tmp_path, ten_off=text)
    assert len(problems) == 1
    assert problems[0][0] == field
    assert reason in problems[0][1]
