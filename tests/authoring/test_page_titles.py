"""A survey has one title, or several that are compared."""

from pathlib import Path

import pytest

from waypost.authoring.authored_files import FileReader
from waypost.authoring.pages import pages
from waypost.tracking.declared_pages import DeclaredPages

WORDS = "{zh-CN: 一, en: One}"
SURVEY = """version: v1
surveys:
  interest:
    %s
    thanks: {zh-CN: 谢谢, en: Thanks}
    questions:
      - {name: %s, text: {zh-CN: 问, en: Ask}, options: {a: {text: {zh-CN: 甲, en: A}}, b: {text: {zh-CN: 乙, en: B}}}}
"""
TITLES = f"titles: {{short: {WORDS}, gift: {WORDS}}}"


def read(folder: Path, titles: str, question: str = "q1") -> tuple[DeclaredPages, list[str]]:
    (folder / "pages.yaml").write_text(SURVEY % (titles, question), encoding="utf-8")
    reader = FileReader(folder)
    found = DeclaredPages.from_dict(pages(reader))
    return found, [str(each) for each in reader.problems]


def test_titles_are_published_by_their_names(tmp_path: Path) -> None:
    found, problems = read(tmp_path, TITLES)
    assert problems == []
    survey = found.surveys["interest"]
    assert list(survey.titles) == ["short", "gift"]
    assert survey.title == survey.titles["short"]
    one, _ = read(tmp_path, f"title: {WORDS}")
    assert (one.surveys["interest"].titles, one.surveys["interest"].shown_to("c-1").title_shown) == ({}, "")


@pytest.mark.parametrize(
    ("titles", "question", "reason"),
    [
        (f"title: {WORDS}\n    {TITLES}", "q1", "one of title, titles"),
        ("event: survey_answered", "q1", "one of title, titles"),
        (f"titles: {{short: {WORDS}}}", "q1", "titles"),
        (TITLES, "title_shown", "title_shown is taken"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, titles: str, question: str, reason: str) -> None:
    _, problems = read(tmp_path, titles, question)
    assert problems
    assert reason in problems[0]
