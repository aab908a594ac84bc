"""Durations as authors write them."""

from datetime import timedelta
from typing import Any

import pytest

from waypost.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("3h", timedelta(hours=3)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_number_and_a_unit_are_a_duration(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "d", "2", "2 d", "2D", "-2d", "1.5h", "0m", "2w", "1d12h", "²d", 2, None])
def test_anything_else_is_refused_with_the_accepted_forms(text: Any) -> None:
    with pytest.raises(ValueError, match="45s, 30m, 3h or 2d"):
        parse_duration(text)
