"""Journeys are found by their folders, and every mistake in them is reported at once."""

from pathlib import Path
from typing import Any

import pytest

from tests.authoring.folders import problems, write
from waypost.authoring.discovery import discover
from waypost.contacts.channels import CHANNELS, declared_channels
from waypost.errors import InvalidInput


def test_every_folder_is_a_journey_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path, name="second-order")
    write(tmp_path, name="birthday")
    (tmp_path / "statemachines" / "journeys" / "_drafts").mkdir()
    (tmp_path / "statemachines" / "journeys" / "README.md").write_text("", encoding="utf-8")
    assert [journey.name for journey in discover(tmp_path / "statemachines").journeys] == ["birthday", "second-order"]


def test_no_journey_is_fine(tmp_path: Path) -> None:
    assert discover(tmp_path).journeys == ()


def test_all_problems_of_all_files_come_together(tmp_path: Path) -> None:
    statemachines = write(tmp_path, name="a", manifest=lambda manifest: manifest.pop("owner"))
    write(tmp_path, name="b", definition=lambda definition: definition.pop("StartAt"))
    (statemachines / "journeys" / "b" / "messages" / "sorry" / "sms.zh-CN.txt").unlink()
    (statemachines / "sending.yaml").write_text("windows: {fax: {from: '08:00', until: '22:00'}}", encoding="utf-8")
    *names, last = (f"'{channel}'" for channel in CHANNELS)
    expected = f"expected {', '.join(names)} or {last}, got 'fax'"
    with pytest.raises(InvalidInput) as caught:
        discover(statemachines)
    assert str(caught.value).splitlines() == [
        f"statemachines/sending.yaml: windows.fax: {expected}",
        "statemachines/journeys/a/journey.yaml: owner: is missing",
        "statemachines/journeys/b/messages/sorry/sms.zh-CN.txt: is missing: zh-CN is the default locale (sending.yaml)",
        "statemachines/journeys/b/definition.asl.yaml: StartAt: is missing",
    ]
    assert (caught.value.field, caught.value.reason) == (
        "statemachines/sending.yaml: windows.fax",
        expected,
    )


def test_a_step_that_a_manifest_names_exists(tmp_path: Path) -> None:
    def name_steps(manifest: dict[str, Any]) -> None:
        manifest["translations"] = {"zh-CN": {"steps": {"Nowhere at all": "无"}}}
        manifest["responsible"] = {"default": "CRM", "steps": {"Elsewhere then": "copy editor"}}

    found = problems(write(tmp_path, manifest=name_steps))
    assert [line.partition("; ")[0] for line in found] == [
        "statemachines/journeys/win-back/journey.yaml: translations.zh-CN.steps: no state is called 'Nowhere at all'",
        "statemachines/journeys/win-back/journey.yaml: responsible.steps: no state is called 'Elsewhere then'",
    ]


def test_a_translation_is_into_a_language_of_the_pages(tmp_path: Path) -> None:
    found = problems(write(tmp_path, manifest=lambda manifest: manifest.update(translations={"fr": {}})))
    assert "no page is in the language 'fr'" in found[0]


def test_a_missing_file_is_named_and_so_is_one_with_another_ending(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    folder = statemachines / "journeys" / "win-back"
    folder.joinpath("journey.yaml").rename(folder / "journey.yml")
    folder.joinpath("definition.asl.yaml").unlink()
    assert problems(statemachines) == [
        "statemachines/journeys/win-back/journey.yaml: is missing; rename 'journey.yml'",
        "statemachines/journeys/win-back/definition.asl.yaml: is missing",
    ]


def test_an_empty_or_unreadable_file_is_named_with_its_line(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    folder = statemachines / "journeys" / "win-back"
    folder.joinpath("journey.yaml").write_text("", encoding="utf-8")
    folder.joinpath("definition.asl.yaml").write_text("States:\n  A: {}\n  A: {}\n", encoding="utf-8")
    assert problems(statemachines) == [
        "statemachines/journeys/win-back/journey.yaml: is empty",
        "statemachines/journeys/win-back/definition.asl.yaml: line 3: 'A' is here twice",
    ]


@pytest.mark.parametrize("name", ["Win-Back", "win back", "2nd", "win--back", "w" * 51])
def test_a_folder_that_cannot_name_a_state_machine_is_refused(tmp_path: Path, name: str) -> None:
    [problem] = problems(write(tmp_path, name=name, manifest=lambda manifest: manifest.pop("name")))
    assert problem.startswith(f"statemachines/journeys/{name}: expected a folder name of at most 50 characters")


def test_a_message_folder_needs_a_plain_name(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    messages = statemachines / "journeys" / "win-back" / "messages"
    messages.joinpath("sorry").rename(messages / "So Sorry")
    assert problems(statemachines) == [
        "statemachines/journeys/win-back/messages/So Sorry: expected a folder name in lower case, such as welcome or beauty-coupon",
        "statemachines/journeys/win-back/definition.asl.yaml: Day 1, sorry to see you go.Arguments.Payload.message: no folder in messages/ is called 'sorry'; did you mean 'So Sorry'?",
    ]


def test_without_a_sending_policy_the_built_in_one_counts(tmp_path: Path) -> None:
    sending = discover(tmp_path).sending
    assert sending.published_defaults() == {"time_zone": "Asia/Shanghai", "locale": "zh-CN"}
    built_in = {
        "windows": {
            name: {"start": channel.window[0], "end": channel.window[1]}
            for name, channel in declared_channels().items()
        },
        "frequency_cap": {"count": 2, "hours": 24, "reserved": 0},
        "topic_spacing_days": {},
        "send_within_hours": 72,
    }
    assert sending.published() | built_in == sending.published()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default_time_zone: Mars/Base", "default_time_zone: expected an IANA time zone such as Asia/Shanghai, got 'Mars/Base'"),
        ("default_locale: chinese", "default_locale: expected a locale such as zh-CN or en, got 'chinese'"),
        ("windows: {email: {from: '8:00', until: '22:00'}}", "windows.email.from: expected a local time such as 09:00 or 21:30, got '8:00'"),
        ("windows: {email: {from: '08:00', until: '08:00'}}", "windows.email: is never open"),
        ("windows: {email: {from: '08:00', to: '22:00'}}", "windows.email.until: is missing"),
        ("frequency_cap: {count: 0, hours: 24}", "frequency_cap.count: input should be greater than or equal to 1"),
        ("frequency_cap: {count: 2, hours: 24, reserved: 2}", "frequency_cap: leaves no message of normal priority: 2 of 2 are reserved"),
        ("frequency_cap: {count: 2}", "frequency_cap.hours: is missing"),
        ("frequency_cap: {count: 2, hour: 24}", "frequency_cap.hours: is missing"),
        ("topic_spacing_days: {nurture: 91}", "topic_spacing_days.nurture: input should be less than or equal to 90"),
        ("send_within: 72", "send_within: unknown field 'send_within'; did you mean 'send_within_hours'?"),
    ],
)  # fmt: skip
def test_a_wrong_sending_policy_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    statemachines = write(tmp_path)
    (statemachines / "sending.yaml").write_text(text, encoding="utf-8")
    assert problems(statemachines)[0].startswith(f"statemachines/sending.yaml: {expected}")
