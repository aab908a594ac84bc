"""What a write key may not do, as authors declare it."""

from pathlib import Path
from typing import Any

from waypost.authoring.authored_files import FileReader
from waypost.authoring.public_keys import PLACE, public_keys
from waypost.intake.public_key import PublicKeyRules


def read(folder: Path, text: str) -> tuple[dict[str, Any], list[str]]:
    file = folder / PLACE
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    reader = FileReader(folder)
    return public_keys(reader), [f"{each.field}: {each.reason}" for each in reader.problems]


def test_without_a_file_nothing_is_the_servers_alone_and_no_grant_is_permitted(tmp_path: Path) -> None:
    assert public_keys(FileReader(tmp_path)) == {}
    rules = PublicKeyRules.from_dict({})
    assert not rules.is_servers("events", "order_placed")
    assert rules.consent == frozenset()


def test_names_are_patterns(tmp_path: Path) -> None:
    text = "server_only: {events: [order_*], tags: [vip], groups: ['staff *']}\nconsent: [email]\n"
    published, problems = read(tmp_path, text)
    assert problems == []
    rules = PublicKeyRules.from_dict(published)
    asked = [
        ("events", "order_placed"),
        ("events", "reorder"),
        ("tags", "vip"),
        ("tags", "vip2"),
        ("groups", "staff a"),
    ]
    assert [rules.is_servers(*each) for each in asked] == [True, False, True, False, True]
    assert rules.consent == {"email"}


def test_what_is_wrong_names_itself(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "server_only: {event: [a]}\nconsent: [emial]\n")
    assert len(problems) == 2
    assert any("email" in each for each in problems)
