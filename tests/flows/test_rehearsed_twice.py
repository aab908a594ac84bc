"""Two rehearsals of the same files give the same bytes, each on a cloud of its own: answer, page and the mails beside it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.commands.app import app
from local.project.current_project import current_project

pytestmark = pytest.mark.flow

JOURNEY = "welcome-series"
"""It has coupons, whose codes are drawn in secret, and links, whose signatures are another in each cloud."""


def rehearsed() -> dict[str, bytes]:
    """Everything that a rehearsal writes, by its name."""
    pages = current_project().out / "pages"
    page, mails = pages / f"rehearsal-{JOURNEY}.html", pages / f"rehearsal-{JOURNEY}"
    answers = {}
    for option in ("--json", "--messages"):
        ran = CliRunner().invoke(app, ["rehearse", JOURNEY, "--page", "--coverage", option])
        assert ran.exit_code == 0, ran.output
        answers[option] = ran.stdout_bytes
        answers |= {f"{option} {each.name}": each.read_bytes() for each in (page, *_files(mails))}
    return answers


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


def test_two_rehearsals_write_the_same_bytes() -> None:
    first, second = rehearsed(), rehearsed()
    assert first.keys() == second.keys()
    assert len(first) > 4
    for name, content in first.items():
        assert content == second[name], name
    assert b"COUPON-1" in first["--json"]
