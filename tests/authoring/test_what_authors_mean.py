"""Mistakes that people make who know other systems: the answer says what to write."""

from pathlib import Path
from typing import Any

import pytest

from tests.authoring.folders import problems, write
from waypost.authoring.rules import parse_rule, parse_where
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml
from waypost.channels.authored_contract import wrong_locale
from waypost.durations import parse_duration
from waypost.errors import InvalidInput
from waypost.policies.policy_form import local_time


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("7200", "2h"), ("1w", "7d"), ("2 weeks", "14d"), ("PT2H", "2h"), ("P1W", "7d"), ("P1DT12H", "36h"), ("PT90M", "90m"), ("2 hours", "2h"),
        ("90 min", "90m"), ("1.5h", "90m"), ("1d12h", "36h"), ("1 day and 6 hours", "30h"), ("24H", "1d"), ("3天", "3d"), ("2小时", "2h"),
        ("1 month", "30d"), ("45", "45s"),
    ],
)  # fmt: skip
def test_another_spelling_of_a_duration_is_answered_with_ours(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"; write {meant}$"):
        parse_duration(text)
    assert parse_duration(meant)


@pytest.mark.parametrize("text", ["soon", "", "-2h", "P", "2x", "0m", "next week"])
def test_what_means_no_duration_gets_no_advice(text: str) -> None:
    with pytest.raises(ValueError, match="45s, 30m, 3h or 2d") as refused:
        parse_duration(text)
    assert "write" not in str(refused.value)


@pytest.mark.parametrize("within", [7200, 3.5])
def test_a_number_where_a_duration_belongs_is_answered_too(within: Any) -> None:
    with pytest.raises(InvalidInput, match="45s, 30m, 3h or 2d"):
        parse_rule({"event": "order_placed", "within": within})


@pytest.mark.parametrize(
    ("text", "meant"),
    [("9:00", "09:00"), ("9", "09:00"), ("9am", "09:00"), ("9:30 PM", "21:30"), ("12 am", "00:00"), ("21.30", "21:30"), ("9：00", "09:00"), ("10:00:00", "10:00")],
)  # fmt: skip
def test_another_spelling_of_a_time_is_answered_with_ours(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"; write '{meant}'$"):
        local_time(text)
    assert local_time(meant) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("zh_CN", "zh-CN"), ("zh-cn", "zh-CN"), ("EN", "en"), ("zh_hant_tw", "zh-Hant-TW"), ("pt_br", "pt-BR")],
)
def test_another_spelling_of_a_locale_is_answered_with_ours(text: str, meant: str) -> None:
    assert wrong_locale(text).endswith(f"got {text!r}; write {meant}")
    assert wrong_locale(meant) == ""


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("total >= 50", "total: { at_least: 50 }"),
        ({"total >= 50": None}, "total: { at_least: 50 }"),
        ({"total": ">= 50"}, "total: { at_least: 50 }"),
        ({"total": "<100"}, "total: { less_than: 100 }"),
        ({"coupon": "!= GLOW"}, "coupon: { not_equals: GLOW }"),
        ({"total": {">=": 50}}, "did you mean 'at_least'?"),
        ({"total": {">": 50}}, "did you mean 'more_than'?"),
        ({"total": {"lte": 50}}, "did you mean 'at_most'?"),
        ({"coupon": {"one_of": ["A"]}}, "did you mean 'in'?"),
        ({"property": "total", ">=": 50}, "did you mean 'at_least'?"),
    ],
)
def test_a_comparison_by_signs_is_answered_with_words(where: Any, meant: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_where(where)
    assert meant in str(refused.value)


@pytest.mark.parametrize("wanted", ["GLOW>15", "a=b", "<b>", "->", ">", "x >= "])
def test_text_that_only_holds_a_sign_stays_text(wanted: str) -> None:
    parse_where({"coupon": wanted})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"where": {"total": {"at_least": 50}}}, "where: unknown field 'where'; it belongs inside 'trigger' or 'entry' or 'exit_on' or 'goal': indent it further"),
        ({"within": "3d"}, "within: unknown field 'within'; it belongs inside 'entry' or 'goal': indent it further"),
        ({"per": "cart_id"}, "per: unknown field 'per'; it belongs inside 're_entry': indent it further"),
        ({"trigger": {"event": "registered", "owner": "me"}}, "owner: unknown field 'owner'; it belongs beside 'trigger': indent it less"),
        ({"goal": {"event": "order_placed", "exit_on": []}}, "it belongs beside 'goal': indent it less"),
        ({"ownr": "x"}, "unknown field 'ownr'; did you mean 'owner'?"),
    ],
)  # fmt: skip
def test_a_field_at_the_wrong_depth_is_shown_its_place(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    found = problems(write(tmp_path, manifest=lambda manifest: manifest.update(change)))
    assert any(reason in each for each in found), found


def test_a_body_without_a_catch_is_named(tmp_path: Path) -> None:
    def change(definition: dict[str, Any]) -> None:
        del definition["States"]["Win the contact back"]["Catch"]

    found = problems(write(tmp_path, definition=change))
    reason = "is missing: journey.yaml has a goal or exit_on, so catch GoalReached and JourneyExited here"
    assert any(f"Win the contact back.Catch: {reason}" in each for each in found), found
    assert not any("belong into a Parallel" in each for each in found)


@pytest.mark.parametrize(
    ("text", "line", "write"),
    [
        ("a: 1\nb: 2\nname：cart\nowner: x\n", 3, "':' and a space"),
        ("a: 1\ntrigger:\n  event：registered\n  where: x\nb: 1\n", 3, "':' and a space"),
        ("a:\n  - b：1\n    c: 2\nd: 1\n", 2, "':' and a space"),
        ("a: “x: y”\n", 1, "'\"'"),
        ("a: ［b, c］: 2\n", 1, "'['"),
        ("a:\n\u3000b: 1\n c: 2\n", 2, "a space"),
        ("a:\n\u00a0\u00a0b: 1\n  c: 2\n", 2, "a space"),
    ],
)
def test_a_look_alike_of_yaml_is_found_on_its_own_line(tmp_path: Path, text: str, line: int, write: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnclearYamlError) as refused:
        read_yaml(path)
    assert str(refused.value).startswith(f"line {line}: ")
    assert str(refused.value).endswith(f"write {write}")


def test_full_width_characters_in_text_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("subject: 你好：今天\nquote: 他说“好”\n", encoding="utf-8")
    assert read_yaml(path) == {"subject": "你好：今天", "quote": "他说“好”"}
