"""What DynamoDB bills is computed as AWS describes it."""

import pytest

from benchmarks.request_units import item_size, read_units, value_size, write_units


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "小林"}, 6),
        ({"B": "AAECAw=="}, 4),  # as it travels, in Base64
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"N": "1"}, 2),
        ({"N": "1935420000"}, 4),  # zeros at the end are not stored
        ({"N": "-12.5"}, 4),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + 3 + 2),
        ({"M": {"on": {"S": "ab"}}}, 3 + 1 + 2 + 2),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_a_value_has_the_size_that_dynamodb_bills(value: dict[str, object], size: int) -> None:
    assert value_size(value) == size


def test_an_item_is_its_names_and_values() -> None:
    assert item_size({"pk": {"S": "contact#1"}, "sk": {"S": "profile"}}) == 2 + 9 + 2 + 7


@pytest.mark.parametrize(
    ("sizes", "consistent", "units"),
    [
        ([], True, 1),
        ([0], True, 1),
        ([4096], True, 1),
        ([4097], True, 2),
        ([2000, 2000], True, 1),
        ([4097], False, 1.0),
    ],
)
def test_a_query_is_billed_for_what_it_scans_together(sizes: list[int], consistent: bool, units: float) -> None:
    assert read_units(sizes, consistent=consistent) == units


def test_a_batch_is_billed_item_by_item_and_for_items_that_are_not_there() -> None:
    assert read_units([100, 5000, 0], consistent=True, each=True) == 1 + 2 + 1


def test_a_transaction_writes_at_twice_the_price() -> None:
    assert write_units(1024) == 1
    assert write_units(1025) == 2
    assert write_units(1025, transaction=True) == 4
