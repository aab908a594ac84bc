"""The size of an item as DynamoDB counts it. Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats"."""

from typing import Any

import pytest

from waypost.item_size import stored_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("会员", 6),
        ("💣", 4),
        (None, 1),
        (True, 1),
        (b"1234", 4),
        ([], 3),
        ({}, 3),
        (["a", "b"], 3 + 2 * (1 + 1)),
        ({"name": "value"}, 3 + 1 + 4 + 5),
        ({"a": {"b": []}}, 3 + 1 + 1 + (3 + 1 + 1 + 3)),
    ],
)
def test_the_documented_sizes(value: Any, size: int) -> None:
    assert stored_size(value) == size


@pytest.mark.parametrize(
    ("number", "counted"), [(0, 1), (27, 2), (-27, 3), (12345, 4), (10**30 + 1, 17), (1.5e-100, 3)]
)
def test_a_number_counts_at_least_its_digits_in_pairs_and_one(number: float, counted: int) -> None:
    assert counted <= stored_size(number) <= 2 * counted + 4


def test_what_cannot_be_stored_has_no_size() -> None:
    with pytest.raises(TypeError, match="cannot store a set"):
        stored_size({"a": {1}})
