"""What is published, and how the functions read it back."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from tests.authoring.folders import write
from waypost.authoring.discovery import InvalidJourney, discover
from waypost.authoring.publishing import publish, published
from waypost.contacts.channels import Channel
from waypost.content.catalogue import PublishedCatalogue
from waypost.content.message import PublishedMessage
from waypost.defaults import Defaults
from waypost.errors import UnknownMessage
from waypost.journeys.published import EventRule, Goal, PublishedJourneys, ReEntry, Trigger, load_journeys
from waypost.published_sections import published_section
from waypost.sending.guards.frequency_cap import FREQUENCY_CAP, Cap
from waypost.sending.guards.quiet_hours import WINDOWS, Hours
from waypost.sending.policy import SendingPolicy

Sections = dict[str, dict[str, Any]]


@pytest.fixture
def sections(tmp_path: Path) -> Sections:
    write(tmp_path, name="win-back", manifest=lambda manifest: manifest.update(priority=1))
    write(tmp_path, name="apology", manifest=lambda manifest: manifest.update(priority=1))
    write(tmp_path, name="survey", manifest=lambda manifest: manifest.update(priority=9))
    return published(discover(write(tmp_path, name="by-hand", manifest=lambda m: m.update(trigger="manual"))))


def test_a_journey_reads_back_as_it_was_authored(sections: Sections) -> None:
    journey = PublishedJourneys.from_dict(sections["journeys"]).by_name["win-back"]
    assert journey.trigger == Trigger("event", "subscription_cancelled")
    assert journey.re_entry == ReEntry("never")
    assert journey.exit_on == (EventRule("unsubscribed"),)
    assert journey.goal == Goal("order_placed", {"property": "coupon", "equals": "BACK10"})
    message = PublishedMessage.from_dict(sections["messages/win-back/sorry"])
    assert message.channels == ("sms",)
    assert message.variants == {"sms": {"zh-CN": {"text": "【店】期待再见 回T退订"}}}


def test_the_sending_policy_and_the_defaults_read_back_as_zone_and_times(sections: Sections) -> None:
    assert Defaults.from_dict(sections["defaults"]).time_zone.key == "Asia/Shanghai"
    policy = SendingPolicy.from_dict(sections["sending"])
    assert policy.of(WINDOWS)[Channel("sms")] == Hours(time(9), time(21))
    assert policy.of(FREQUENCY_CAP) == Cap(2, 24)


def test_an_event_finds_its_journeys_by_priority_then_name(sections: Sections) -> None:
    journeys = PublishedJourneys.from_dict(sections["journeys"])
    found = [journey.name for journey in journeys.triggered_by("subscription_cancelled")]
    assert found == ["survey", "apology", "win-back"]
    assert journeys.triggered_by("registered") == []


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A published layer on the path, as Lambda sees it."""
    package = publish(write(tmp_path), tmp_path / "layer")
    monkeypatch.syspath_prepend(str(tmp_path / "layer" / "python"))
    caches = (published_section, load_journeys, PublishedCatalogue._deployed)
    for cached in caches:
        cached.cache_clear()
    yield package
    for cached in caches:
        cached.cache_clear()
    sys.modules.pop("waypost_journeys", None)


def test_the_layer_is_loaded_as_a_package(layer: Path, tmp_path: Path) -> None:
    assert layer == tmp_path / "layer" / "python" / "waypost_journeys"
    assert (layer / "__init__.py").read_text(encoding="utf-8") == ""
    assert list(load_journeys().by_name) == ["win-back"]


def test_a_message_is_found_by_its_id_in_a_file_of_its_own(layer: Path) -> None:
    (layer / "journeys.json").unlink()
    assert PublishedCatalogue().message("win-back/sorry").kind == "marketing"


@pytest.mark.parametrize("message_id", ["win-back/sory", "sorry", "../win-back/sorry", "win-back/../../journeys", ""])
def test_what_was_not_published_has_its_own_error(layer: Path, message_id: str) -> None:
    with pytest.raises(UnknownMessage, match=f"^{re.escape(message_id)}$"):
        PublishedCatalogue().message(message_id)


def test_the_same_folders_give_the_same_bytes(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    first, second = (
        {file.name: file.read_bytes() for file in publish(statemachines, tmp_path / name).rglob("*.*")} for name in "ab"
    )
    assert first == second
    assert {"journeys.json", "sending.json", "defaults.json", "sorry.json"} <= set(first)


def test_a_wrong_folder_publishes_nothing(tmp_path: Path) -> None:
    statemachines = write(tmp_path, manifest=lambda manifest: manifest.pop("owner"))
    with pytest.raises(InvalidJourney):
        publish(statemachines, tmp_path / "layer")
    assert not (tmp_path / "layer").exists()


def test_the_published_form_is_plain_json(tmp_path: Path) -> None:
    content = published(discover(write(tmp_path)))
    assert json.loads(json.dumps(content)) == content


def test_the_run_time_needs_neither_pydantic_nor_yaml() -> None:
    modules = "waypost.journeys.published, waypost.content.render, waypost.segments.compile"
    code = f"import sys, {modules}; print(*sorted({{'pydantic', 'yaml', 'jsonata', 'mjml'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == ""
