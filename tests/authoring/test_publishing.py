"""What is published, and how the functions read it back."""

import json
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest

from tests.authoring.folders import write
from waypost.authoring.discovery import InvalidJourney
from waypost.authoring.publishing import publish, published
from waypost.content.message import SmsVariant
from waypost.errors import UnknownJourney, UnknownMessage
from waypost.journeys import published as published_module
from waypost.journeys.published import EventRule, Goal, Published, ReEntry, Trigger
from waypost.sending.policy import FrequencyCap


@pytest.fixture
def journeys(tmp_path: Path) -> Published:
    write(tmp_path, name="win-back", manifest=lambda manifest: manifest.update(priority=1))
    write(tmp_path, name="apology", manifest=lambda manifest: manifest.update(priority=1))
    write(tmp_path, name="survey", manifest=lambda manifest: manifest.update(priority=9))
    return Published.from_dict(
        published(write(tmp_path, name="by-hand", manifest=lambda m: m.update(trigger="manual")))
    )


def test_a_journey_reads_back_as_it_was_authored(journeys: Published) -> None:
    journey = journeys.journeys["win-back"]
    assert journey.trigger == Trigger("event", "subscription_cancelled")
    assert journey.re_entry == ReEntry("never")
    assert journey.exit_on == (EventRule("unsubscribed"),)
    assert journey.goal == Goal("order_placed", {"property": "coupon", "equals": "BACK10"})
    assert journey.messages["sorry"].channels == ("sms",)
    assert journey.messages["sorry"].sms == {"zh-CN": SmsVariant("【店】期待再见 回T退订")}


def test_the_sending_policy_reads_back_as_zone_and_times(journeys: Published) -> None:
    assert journeys.sending.default_time_zone.key == "Asia/Shanghai"
    assert journeys.sending.windows["sms"] == (time(9), time(21))
    assert journeys.sending.frequency_cap == FrequencyCap(2, 24)


def test_an_event_finds_its_journeys_by_priority_then_name(journeys: Published) -> None:
    found = [journey.name for journey in journeys.triggered_by("subscription_cancelled")]
    assert found == ["survey", "apology", "win-back"]
    assert journeys.triggered_by("registered") == []


def test_what_was_not_published_has_its_own_error(journeys: Published) -> None:
    assert journeys.message("win-back", "sorry").kind == "marketing"
    with pytest.raises(UnknownJourney, match="winback"):
        journeys.message("winback", "sorry")
    with pytest.raises(UnknownMessage, match="win-back: sory"):
        journeys.message("win-back", "sory")


def test_the_layer_is_loaded_as_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = publish(write(tmp_path), tmp_path / "layer")
    assert package == tmp_path / "layer" / "python" / "waypost_journeys"
    assert (package / "__init__.py").read_text(encoding="utf-8") == ""
    monkeypatch.syspath_prepend(str(tmp_path / "layer" / "python"))
    published_module.load_published.cache_clear()
    try:
        assert list(published_module.load_published().journeys) == ["win-back"]
    finally:
        published_module.load_published.cache_clear()
        sys.modules.pop("waypost_journeys", None)


def test_the_same_folders_give_the_same_bytes(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    first, second = (
        {file.name: file.read_bytes() for file in publish(statemachines, tmp_path / name).iterdir()} for name in "ab"
    )
    assert first == second
    assert "published.json" in first


def test_a_wrong_folder_publishes_nothing(tmp_path: Path) -> None:
    statemachines = write(tmp_path, manifest=lambda manifest: manifest.pop("owner"))
    with pytest.raises(InvalidJourney):
        publish(statemachines, tmp_path / "layer")
    assert not (tmp_path / "layer").exists()


def test_the_published_form_is_plain_json(tmp_path: Path) -> None:
    content = published(write(tmp_path))
    assert json.loads(json.dumps(content)) == content


def test_the_run_time_needs_neither_pydantic_nor_yaml() -> None:
    modules = "waypost.journeys.published, waypost.content.render, waypost.segments.compile"
    code = f"import sys, {modules}; print(*sorted({{'pydantic', 'yaml', 'jsonata', 'mjml'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == ""
