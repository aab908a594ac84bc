"""A JSONata expression is read once and evaluated as often as it is asked, by any thread."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from jsonata import JException, Jsonata  # type: ignore[import-untyped]

from local.cloud.expression_cache import remember_jsonata

TOTAL = "$sum($states.input.items.(price * count)) & ' ' & ($exists($states.input.unit) ? $states.input.unit : 'none')"


@pytest.fixture(autouse=True)
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jsonata, "get_parser", Jsonata.get_parser)  # put back afterwards
    remember_jsonata()


def total(**given: Any) -> str:
    found: str = Jsonata.jsonata(TOTAL).evaluate(None, {"states": {"input": given}})
    return found


def test_one_expression_is_read_once() -> None:
    assert Jsonata.jsonata(TOTAL).ast is Jsonata.jsonata(TOTAL).ast
    assert Jsonata.jsonata(TOTAL).ast is not Jsonata.jsonata(f"{TOTAL} & ''").ast


def test_each_evaluation_has_its_own_input_whatever_the_thread() -> None:
    def of(number: int) -> str:
        return total(
            items=[{"price": number, "count": 2}, {"price": 1, "count": 1}], **({"unit": "kg"} if number % 2 else {})
        )

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(of, range(200)))
    assert found == [f"{2 * number + 1} {'kg' if number % 2 else 'none'}" for number in range(200)]


def test_a_mistake_is_one_each_time() -> None:
    for _ in range(2):
        with pytest.raises(JException):
            Jsonata.jsonata("$sum(")
