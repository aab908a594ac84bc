"""``waypost journey draw`` and the crowd of ``waypost rehearse --contacts``."""

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.commands.app import app
from local.problems import LocalError
from local.project.current_project import current_project
from local.rehearsal.journey_scenarios import read_journey_scenarios
from local.rehearsal.many_contacts import crowd
from local.rehearsal.scenario_draws import Draws
from local.rehearsal.scenario_file import ScenarioContact

JOURNEY = "new-user-nurture"
JOURNEYS = sorted(path.parent.name for path in current_project().journeys.glob("*/journey.yaml"))


def drawn(*options: str) -> str:
    shown = CliRunner().invoke(app, ["journey", "draw", JOURNEY, *options])
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def test_a_journey_is_drawn_as_a_picture() -> None:
    root = ET.fromstring(drawn())  # noqa: S314
    assert "Which interest?" in "".join(root.itertext())
    assert drawn() == drawn("--svg")


def test_a_journey_is_drawn_for_a_phone_in_chinese() -> None:
    root = ET.fromstring(drawn("--narrow", "--language", "zh-CN"))  # noqa: S314
    assert float(root.get("width", "0")) < 390
    assert "否则" in "".join(root.itertext())


def test_a_journey_in_another_folder_is_drawn_by_its_path(tmp_path: Path) -> None:
    shutil.copytree(current_project().journeys / JOURNEY, tmp_path / "drafts" / "second-try")
    shown = CliRunner().invoke(app, ["journey", "draw", str(tmp_path / "drafts" / "second-try"), "--mermaid"])
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == drawn("--mermaid")


def test_a_journey_is_drawn_as_a_flowchart_in_a_file(tmp_path: Path) -> None:
    assert drawn("--mermaid", "-o", str(tmp_path / "new" / "journey.mmd")) == ""
    assert (tmp_path / "new" / "journey.mmd").read_text(encoding="utf-8").startswith("flowchart TD\n")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["nothing"], f"journeys: {', '.join(JOURNEYS)}"),
        ([JOURNEY, "--svg", "--mermaid"], "choose one"),
        ([JOURNEY, "--language", "fr"], "zh-CN"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_way_out(arguments: list[str], advice: str) -> None:
    with pytest.raises(LocalError) as refused:
        CliRunner().invoke(app, ["journey", "draw", *arguments], catch_exceptions=False)
    assert advice in refused.value.advice


def test_a_crowd_plays_the_scenarios_in_turn_under_names_of_its_own() -> None:
    file = read_journey_scenarios(JOURNEY)
    many = crowd(file, 25, Draws.named(JOURNEY))
    assert len(many.scenarios) == 25
    first = len(file.scenarios)
    assert many.scenarios[first].expect == many.scenarios[0].expect == file.scenarios[0].expect
    contacts = [scenario.contact.traits() for scenario in many.scenarios]
    attribute: Callable[[str], list[str]] = lambda name: [each[name] for each in contacts if name in each]  # noqa: E731
    for name in ("email", "phone"):
        assert len(set(attribute(name))) == len(attribute(name))
    assert {len(phone) for phone in attribute("phone")} == {
        len(scenario.contact.traits()["phone"]) for scenario in file.scenarios if "phone" in scenario.contact.traits()
    }


@pytest.mark.parametrize("number", [0, -3, 1_000_000])
def test_a_crowd_has_a_size(number: int) -> None:
    with pytest.raises(LocalError, match="not between"):
        crowd(read_journey_scenarios(JOURNEY), number, Draws.named(JOURNEY))


def test_a_crowd_has_ids_of_its_own_in_wechat_and_wecom() -> None:
    ids = {
        "openid": "wx8f0a1b2c3d4e5f6a:oServiceNoticeOnce00000000002",
        "external_userid": "wmCartWecomCustomer0000000001",
    }
    file = read_journey_scenarios(JOURNEY)
    contact = ScenarioContact.model_validate({"user_id": "one", **ids})
    one = file.model_copy(update={"scenarios": [file.scenarios[0].model_copy(update={"contact": contact})]})
    for name, value in ids.items():
        found = [each.contact.traits()[name] for each in crowd(one, 5, Draws.named(JOURNEY)).scenarios]
        assert len(set(found)) == 5
        assert {len(each) for each in found} == {len(value)}
