"""Counts in bounded memory add up, whatever the parts and their order."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.audiences.sketches import LONGEST_VALUE, SetDigest, TopCounter

steadily = settings(max_examples=100)
words = st.sampled_from("abcdefghijklmnop")
parts = st.lists(st.lists(words, max_size=40), min_size=1, max_size=5)


def counted(values: list[str], room: int) -> TopCounter:
    counter = TopCounter(room)
    for value in values:
        counter.add(value)
    return counter


@steadily
@given(parts)
def test_few_values_are_counted_exactly_however_they_are_split(split: list[list[str]]) -> None:
    whole = TopCounter(room=20)
    for part in split:
        whole.merge(counted(part, 20))
    assert whole.counts == Counter(value for part in split for value in part)
    assert whole.lost == 0


@steadily
@given(parts, st.randoms(use_true_random=False), st.integers(min_value=1, max_value=5))
def test_of_many_values_a_count_lacks_at_most_the_stated_error(
    split: list[list[str]], chance: object, room: int
) -> None:
    order = list(range(len(split)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    whole = TopCounter(room)
    for index in order:
        whole.merge(TopCounter.from_dict(counted(split[index], room).to_dict()))
        whole.room = room
    true = Counter(value for part in split for value in part)
    assert len(whole.counts) <= room
    assert whole.lost * (room + 1) <= true.total()
    for value, times in true.items():
        assert whole.counts.get(value, 0) <= times <= whole.counts.get(value, 0) + whole.lost


def test_memory_is_bounded_by_the_room_and_the_length_of_a_value() -> None:
    counter = TopCounter(room=10)
    for number in range(10_000):
        counter.add(f"{number} " + "x" * 10_000)
    assert len(counter.counts) <= 20
    assert all(len(value) <= LONGEST_VALUE for value in counter.counts)


@steadily
@given(st.sets(st.text(min_size=1), max_size=30), st.integers(min_value=1, max_value=4))
def test_the_digest_of_a_set_is_that_of_its_parts_in_any_order(ids: set[str], ways: int) -> None:
    ordered = sorted(ids, reverse=True)
    whole = SetDigest()
    for way in range(ways):
        whole.merge(SetDigest.from_dict(SetDigest.of(ordered[way::ways]).to_dict()))
    assert whole.to_dict() == SetDigest.of(ids).to_dict()
