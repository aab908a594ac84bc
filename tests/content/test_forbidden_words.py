"""Forbidden words: found in whatever spelling, not found where they only seem to stand."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from waypost.authoring.authored_files import FileReader
from waypost.authoring.forbidden_words import MOST_PHRASES, forbidden_words, lists_of, problems_of
from waypost.content.folding import fold
from waypost.content.forbidden_words import Forbidden, ForbiddenWords
from waypost.content.visible_text import visible, visible_of_template

LIST = {"description": "Superlatives", "source": "Advertising Law of the PRC, article 9"}
ROOT = Path(__file__).parents[2]


def write(root: Path, name: str = "law", text: str | None = None, **fields: Any) -> Path:
    folder = root / "statemachines" / "words"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({**LIST, **fields}, allow_unicode=True), encoding="utf-8")
    if text is not None:
        file.with_suffix(".txt").write_text(text, encoding="utf-8")
    return root / "statemachines"


def lists(root: Path, *phrases: str, **fields: Any) -> ForbiddenWords:
    return lists_of(write(root, phrases=list(phrases), **fields))


def found(
    words: ForbiddenWords, text: str, channel: str = "sms", locale: str = "zh-CN", kind: str = "marketing"
) -> Forbidden | None:
    return words.find(text, channel=channel, locale=locale, kind=kind)


def phrase(words: ForbiddenWords, text: str, **how: str) -> str:
    answer = found(words, text, **how)
    return answer.phrase if answer else ""


@pytest.mark.parametrize(
    "text",
    [
        "这是国家级产品",
        "这是國家級產品",
        "这是国 家 级产品",
        "这是国\u200b家\ufeff级产品",
        "这是国\u3000家\u00a0级产品",
        "这是国\u00ad家\u2060级产品",
    ],
)
def test_a_chinese_phrase_is_found_in_any_script_and_with_blanks_between(tmp_path: Path, text: str) -> None:
    words = lists(tmp_path, "国家级")
    answer = found(words, text)
    assert answer is not None
    assert answer.phrase == "国家级"
    assert answer.found == text[2:-2]
    assert answer.words.source == LIST["source"]


@pytest.mark.parametrize("text", ["TOP1", "Top 1", "ＴＯＰ１", "t o p 1", "全网top1！", "t\u200bop1", "ⓉⓄⓅ①"])
def test_a_latin_phrase_is_found_in_any_width_and_case(tmp_path: Path, text: str) -> None:
    assert phrase(lists(tmp_path, "TOP 1", "国家级"), text) == "TOP 1"


@pytest.mark.parametrize("text", ["top10", "laptop1", "go to p1 now", "stop 1 minute", "top 12", "tip to p 1"])
def test_a_part_of_other_words_is_no_phrase(tmp_path: Path, text: str) -> None:
    assert phrase(lists(tmp_path, "TOP 1", "TOP1"), text) == ""


def test_lines_part_phrases(tmp_path: Path) -> None:
    words = lists(tmp_path, "最佳")
    assert phrase(words, "价格最\n佳节快乐") == ""
    assert phrase(words, "价格最\u2028佳节快乐") == ""


def test_an_allowed_phrase_covers_the_forbidden_one_in_it_and_no_other(tmp_path: Path) -> None:
    words = lists(tmp_path, "最佳", allowed=["最佳实践"])
    assert phrase(words, "我们的最佳 實踐") == ""
    assert phrase(words, "我们的最佳实践是最佳选择") == "最佳"


def test_the_longest_phrase_that_begins_first_is_named(tmp_path: Path) -> None:
    assert phrase(lists(tmp_path, "顶级", "最顶级", "最顶级享受"), "我们的最顶级享受") == "最顶级享受"


def test_a_list_holds_where_it_says(tmp_path: Path) -> None:
    words = lists(tmp_path, "最佳", channels=["sms"], languages=["zh"], kinds=["marketing"])
    assert phrase(words, "最佳") == "最佳"
    assert phrase(words, "最佳", locale="zh-Hant-TW") == "最佳"
    assert phrase(words, "最佳", locale="ja") == ""
    assert phrase(words, "最佳", channel="email") == ""
    assert phrase(words, "最佳", kind="transactional") == ""


def test_a_phrase_of_two_lists_is_found_where_either_holds(tmp_path: Path) -> None:
    write(tmp_path, "a", phrases=["最佳"], channels=["email"])
    words = lists_of(write(tmp_path, "b", phrases=["最 佳"], channels=["sms"]))
    answer = found(words, "最佳")
    assert answer is not None
    assert answer.words.name == "b"


def test_letters_that_melt_when_folded_are_found_all_the_same(tmp_path: Path) -> None:
    words = lists(tmp_path, "가장 좋은")
    assert phrase(words, "가장 좋은 선택", locale="ko") == "가장 좋은"
    assert phrase(lists(tmp_path, "straße"), "Die STRASSE ist", locale="de") == "straße"


def test_no_list_finds_nothing_and_no_text_is_too_long() -> None:
    assert found(ForbiddenWords.from_dict({}), "最佳" * 100_000) is None


def test_long_lists_stand_in_a_text_file_a_line_each(tmp_path: Path) -> None:
    root = write(tmp_path, text="# platform words\n返现\n\n加微信\n", phrases=["最佳"])
    words = lists_of(root)
    assert (phrase(words, "加 微 信领红包"), phrase(words, "最佳"), phrase(words, "platform")) == ("加微信", "最佳", "")


def test_fifty_thousand_phrases_are_found_each_in_one_text(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - the same texts in every run
    many = {"".join(chance.choices([chr(code) for code in range(0x4E00, 0x5E00)], k=5)) for _ in range(48_000)}
    listed = sorted({fold(each) for each in many})
    words = lists_of(write(tmp_path, text="\n".join(listed)))
    for each in chance.sample(listed, 20):
        assert phrase(words, f"买一送一，{each[:2]} {each[2:]}，仅限今天") in listed
    assert phrase(words, "0123456789 " * 100) == ""


@pytest.mark.parametrize(
    ("fields", "text", "problem"),
    [
        ({"phrases": ["最"]}, None, "too short"),
        ({"phrases": [" \u200b最 "]}, None, "too short"),
        ({"phrases": ["最佳"], "channels": ["fax"]}, None, "sms"),
        ({"phrases": ["最佳"], "words": ["x"]}, None, "words"),
        ({}, "最佳\nx\n", "line 2"),
    ],
)
def test_a_wrong_list_is_refused_with_its_place(
    tmp_path: Path, fields: dict[str, Any], text: str | None, problem: str
) -> None:
    reader = FileReader(write(tmp_path, text=text, **fields))
    forbidden_words(reader)
    assert any(problem in str(each) for each in reader.problems), reader.problems


def test_too_many_phrases_and_strange_files_are_refused(tmp_path: Path) -> None:
    root = write(tmp_path, text="\n".join(f"phrase{number}" for number in range(MOST_PHRASES + 1)))
    (root / "words" / "stray.txt").write_text("最佳", encoding="utf-8")
    reader = FileReader(root)
    assert forbidden_words(reader) == {}
    reasons = [each.reason for each in reader.problems]
    assert any("at most 50,000" in reason for reason in reasons)
    assert any("stray.yaml" in reason for reason in reasons)


def test_a_changed_list_is_read_again(tmp_path: Path) -> None:
    assert phrase(lists(tmp_path, "最佳"), "第一品牌") == ""
    assert phrase(lists(tmp_path, "最佳", "第一品牌", "xyz"), "第一品牌") == "第一品牌"


def test_templates_are_checked_as_they_read(tmp_path: Path) -> None:
    words = lists(tmp_path, "最佳", "特供")
    html = '<style>.最佳 {}</style><p>最<b>佳</b>选择</p><td>最</td><td>佳</td><img alt="特 供">'
    assert visible(html).replace("\n", "|").count("最佳") == 1
    templates = {"subject": "最{{ contact.name }}佳", "html": html, "text": "无"}
    [(name, reason)] = problems_of(words, templates, channel="email", locale="zh-CN", kind="marketing")
    assert name == "html"
    assert reason.startswith("has the forbidden phrase '最佳' of law, Advertising Law of the PRC, article 9; ")
    [(_, reason)] = problems_of(words, {"text": "特 供"}, channel="sms", locale="zh-CN", kind="marketing")
    assert "(as '特 供')" in reason


def test_text_of_a_template_keeps_what_is_no_tag() -> None:
    assert visible_of_template("1 < 2 {# 最佳 #}&amp; {% if a %}b{% endif %}") == "1 < 2 \n& \nb\n"


def test_the_shipped_list_takes_what_the_law_names_and_leaves_the_rest() -> None:
    words = lists_of(ROOT / "statemachines")
    for text in ("國家級品質", "最高級享受", "年度最佳", "全网 No.1", "国宴专供"):
        assert phrase(words, text), text
    for text in ("最佳实践分享", "今天最好早点来", "第一次下单", "No.10", "万能充电器"):
        assert phrase(words, text) == "", text
    assert phrase(words, "the best", locale="en") == ""
