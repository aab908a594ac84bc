"""docs/authoring.md: its example is a valid journey, and the errors it shows are the ones an author reads."""

import re
from pathlib import Path

import pytest

from local.rehearsal.scenario_file import read_scenarios
from tests.authoring.folders import discovered, problems

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
[ERRORS] = re.findall(r"^```text errors\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
FOLDER = "journeys/cart-reminder"
FLOW = f"{FOLDER}/definition.asl.yaml"
MAIL = f"{FOLDER}/messages/reminder/email.zh-CN.mjml"


def written(root: Path, file: str = "", old: str = "", new: str = "") -> Path:
    """The files of the guide, with one change."""
    for name, text in FILES.items():
        path = root / "statemachines" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert name != file or old in text
        path.write_text(text.replace(old, new, 1) if name == file else text, encoding="utf-8")
    return root / "statemachines"


def test_the_example_is_a_whole_journey(tmp_path: Path) -> None:
    journey = discovered(written(tmp_path))
    assert journey.name == "cart-reminder"
    assert journey.functions == ("CloseEnrolment", "EvaluateSegment", "PauseJourney", "SendMessage")
    assert sorted(journey.messages) == ["last-word", "reminder"]


def test_the_scenarios_of_the_example_can_be_read(tmp_path: Path) -> None:
    file = read_scenarios(written(tmp_path) / FOLDER / "scenarios.yaml")
    assert [scenario.name for scenario in file.scenarios] == ["forgets the cart", "orders after an hour"]


MISTAKES = [
    (f"{FOLDER}/journey.yaml", "owner:", "ownr:"),
    (f"{FOLDER}/journey.yaml", "total: { at_least: 50 }", "totl: { atleast: 50 }"),
    (FLOW, "Next: Until the next workday at ten", "Next: Until next workday"),
    (FLOW, "message: reminder", "message: remindr"),
    (FLOW, "for: 2h", "for: 2 hours"),
    (FLOW, "[GoalReached, JourneyExited]", "[JourneyExited]"),
    (MAIL, ' | default("你好")', ""),
    (MAIL, "{{ links.unsubscribe }}", "#"),
    (f"{FOLDER}/messages/last-word/sms.zh-CN.txt", " 回T退订", ""),
]


@pytest.mark.parametrize(("mistake", "line"), list(zip(MISTAKES, ERRORS.splitlines(), strict=True)))
def test_an_error_in_the_guide_is_the_one_an_author_reads(
    tmp_path: Path, mistake: tuple[str, str, str], line: str
) -> None:
    assert line in problems(written(tmp_path, *mistake))
