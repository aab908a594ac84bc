"""The identity rules as authors write them."""

from pathlib import Path
from typing import Any

import pytest

from waypost.authoring.authored_files import FileReader
from waypost.authoring.identity import PLACE, identity
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules

STATEMACHINES = Path(__file__).parents[2] / "statemachines"


def read(folder: Path, text: str) -> tuple[dict[str, Any], list[str]]:
    file = folder / PLACE
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    reader = FileReader(folder)
    return identity(reader), [f"{each.field}: {each.reason}" for each in reader.problems]


def test_without_a_file_the_built_in_rules_hold(tmp_path: Path) -> None:
    assert identity(FileReader(tmp_path)) == {}
    assert IdentityRules.from_dict({}) == BUILT_IN


def test_placeholders_are_compared_as_they_are_declared_and_exceptions_need_a_reason(tmp_path: Path) -> None:
    published, problems = read(tmp_path, "placeholders: {also: [Test], genuine: [GUEST, nobody-else]}")
    assert published["placeholders"] == {"also": ["test"], "genuine": ["guest", "nobody-else"]}
    assert problems == ["placeholders.genuine[1]: 'nobody-else' is no placeholder, so it needs no exception"]
    rules = IdentityRules.from_dict(published)
    assert [value in rules.placeholders for value in ("TEST", "guest", "undefined")] == [True, False, True]


def test_the_file_of_this_project_says_what_is_built_in() -> None:
    rules = IdentityRules.from_dict(identity(FileReader(STATEMACHINES)))
    assert (rules.proofs, rules.distinct, rules.alias_across) == (
        BUILT_IN.proofs,
        BUILT_IN.distinct,
        BUILT_IN.alias_across,
    )
    assert rules.winner("city") == "newest"
    assert rules.winner("first_source") == "oldest"


def test_what_is_declared_is_published_and_the_rest_is_built_in(tmp_path: Path) -> None:
    published, problems = read(tmp_path, "merge: { proofs: [user_id, unionid] }\nvalues: { default: survivor }\n")
    assert problems == []
    rules = IdentityRules.from_dict(published)
    assert rules.proofs == {"user_id", "unionid"}
    assert (rules.distinct, rules.values) == (BUILT_IN.distinct, "survivor")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("merge: { proofs: [emial] }", "merge.proofs[0]: unknown kind of identity 'emial'; did you mean 'email'?"),
        ("merge: { proofs: [email, email] }", "merge.proofs: names email twice"),
        ("merge: { distinct: [unionid] }", "merge.distinct: expected user_id among them"),
        ("merge: { alias_across: [phone] }", "merge.alias_across: phone is not distinct"),
        ("merge: { proof: [email] }", "merge.proof: unknown field 'proof'; did you mean 'proofs'?"),
        ("values: { default: latest }", "values.default: expected 'newest', 'oldest' or 'survivor'"),
        ("values: { attributes: { First Source: oldest } }", "expected the name of an attribute in snake_case"),
        ("values: { attributes: { push_tokens: oldest } }", "there is nothing to choose"),
    ],
)
def test_a_wrong_file_names_field_and_reason(tmp_path: Path, text: str, problem: str) -> None:
    _, problems = read(tmp_path, text + "\n")
    assert len(problems) == 1
    assert problem in problems[0]
