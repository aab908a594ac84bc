"""Rows about the same contact are found without holding the file in memory."""

import tracemalloc
from pathlib import Path

from tests.importing.files import cleaned, csv
from waypost.importing.duplicates import MOST_ROWS, DuplicateFinder, DuplicateGroup
from waypost.importing.rows import CleanRow


def found(folder: Path, rows: list[CleanRow]) -> list[DuplicateGroup]:
    with DuplicateFinder(folder, partitions=4) as finder:
        for row in rows:
            finder.add(row)
        return sorted(finder.groups(), key=lambda group: (group.kind, group.rows))


def test_rows_of_one_contact_are_told_by_kind_and_number_and_never_by_value(tmp_path: Path) -> None:
    data = csv([
        ("会员编号", "手机号", "姓名", "城市"),
        ("1", "13800138000", "小明", "上海"),
        ("2", "138-0013-8000", "小明", "杭州"),
        ("3", "13900139000", "小红", "上海"),
        ("1", "", "小明", "上海市"),
    ])  # fmt: skip
    rows = [row for row in cleaned(data) if isinstance(row, CleanRow)]
    phone, user = found(tmp_path, rows)
    assert (phone.kind, phone.rows, phone.conflicts) == ("phone", (2, 3), ("city",))
    assert (user.kind, user.rows, user.conflicts) == ("user_id", (2, 5), ())
    assert "138" not in str(phone.to_dict())
    assert list(tmp_path.iterdir()) == []


def test_an_identity_in_every_row_is_counted_and_not_collected(tmp_path: Path) -> None:
    rows = [CleanRow(number, {"phone": "+8613800138000"}, {"name": str(number)}) for number in range(3 * MOST_ROWS)]
    (group,) = found(tmp_path, rows)
    assert (group.count, len(group.rows), group.conflicts) == (3 * MOST_ROWS, MOST_ROWS, ("name",))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        with DuplicateFinder(tmp_path) as finder:
            for number in range(rows):
                finder.add(CleanRow(number, {"user_id": str(number % (rows - 10))}, {"level": 1}))
            assert sum(1 for _ in finder.groups()) == 10
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 2 * peak(4_000)
