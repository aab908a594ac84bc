"""The gallery and the planning tables: as files for people, made of the folders of the journeys alone."""

import csv
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.project import ROOT
from local.commands.app import app
from local.messages.chromium import DESKTOP, PHONE, Chromium
from local.problems import LocalError
from local.project.journey_plans import read_journeys, write_gallery, write_pages, write_tables
from waypost.authoring.journey_gallery import gallery
from waypost.pages.texts import LANGUAGES

GALLERY = ROOT / "docs" / "journeys"
JOURNEYS = read_journeys()


def test_the_gallery_of_this_repository_is_current() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in GALLERY.iterdir()}
    wanted = gallery(JOURNEYS)
    stale = [name for name in {*there, *wanted} if there.get(name) != wanted.get(name)]
    assert not stale, f"make docs writes {', '.join(sorted(stale))} again"


def test_every_journey_has_a_page_and_a_picture_in_every_language_and_every_link_leads_somewhere() -> None:
    found = gallery(JOURNEYS)
    for language in LANGUAGES:
        for journey in JOURNEYS:
            picture = ET.fromstring(found[f"{journey.name}.{language}.svg"])  # noqa: S314
            assert picture.get("role") == "img"
    for name, content in found.items():
        if name.endswith(".md"):
            targets = re.findall(r"\]\(([^)]+)\)", content)
            assert targets
            assert {target for target in targets if "://" not in target} <= set(found), name


def test_a_gallery_is_written_once_and_loses_the_pages_of_journeys_that_are_gone(tmp_path: Path) -> None:
    assert write_gallery(JOURNEYS, tmp_path / "gallery") == len(gallery(JOURNEYS))
    assert write_gallery(JOURNEYS, tmp_path / "gallery") == 0
    assert write_gallery(JOURNEYS[1:], tmp_path / "gallery") == 4 + 2  # its pages and pictures, and both indexes
    assert not (tmp_path / "gallery" / f"{JOURNEYS[0].name}.md").exists()


def test_a_folder_that_holds_other_things_is_no_gallery(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(LocalError, match=r"holds notes\.txt"):
        write_gallery(JOURNEYS, tmp_path)


def test_tables_open_in_a_spreadsheet_with_chinese_headings(tmp_path: Path) -> None:
    flow, conditions = write_tables(JOURNEYS, tmp_path / "plans", "zh-CN")
    assert flow.read_bytes().startswith(b"\xef\xbb\xbf")
    with flow.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][0] == "流程名称"
    assert {row[0] for row in rows[1:]} == {journey.name for journey in JOURNEYS}
    assert "触发条件" in conditions.read_text(encoding="utf-8-sig").splitlines()[0]


def test_a_page_of_a_plan_fits_a_phone_and_a_desktop(chromium: str, tmp_path: Path) -> None:
    pages = list(write_pages(JOURNEYS, tmp_path, "zh-CN"))
    assert len(pages) == len(JOURNEYS)
    with Chromium(chromium) as browser:
        for look in (PHONE, DESKTOP):
            picture = browser.picture(pages[0], look)
            width, _ = struct.unpack(">II", picture[16:24])
            assert width == look.width * look.scale


def tables(*options: str) -> str:
    shown = CliRunner().invoke(app, ["journey", "tables", *options], catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def test_the_command_writes_the_tables_of_one_journey(tmp_path: Path) -> None:
    shown = tables("level-up", "--csv", str(tmp_path), "--language", "en")
    assert [Path(line).name for line in shown.split()] == ["flow.en.csv", "conditions.en.csv"]
    content = (tmp_path / "flow.en.csv").read_text(encoding="utf-8-sig")
    assert "Three days for an order,wait,pause,3 days" in content
    assert "new-user-nurture" not in content


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["level-up"], "neither --csv nor --page"),
        (["nothing", "--page"], "there is no journey"),
        (["level-up", "--page", "--language", "fr"], "no language"),
    ],
)
def test_what_cannot_be_written_is_refused(options: list[str], reason: str) -> None:
    with pytest.raises(LocalError, match=reason):
        tables(*options)


def test_the_command_writes_the_gallery(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["journey", "gallery", "--to", str(tmp_path / "gallery")])
    assert shown.exit_code == 0, shown.output
    assert "files changed" in shown.stdout
