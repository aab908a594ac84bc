"""The benchmark of imports measures what it says."""

from pathlib import Path

import pytest

from benchmarks.import_rate import STAGES, ImportRate, Pass, _pass
from benchmarks.messy_members import ENCODING, write_members


def test_the_messy_file_is_always_the_same_and_messy(tmp_path: Path) -> None:
    sizes = [write_members(tmp_path / name, 300) for name in ("a.csv", "b.csv")]
    text = (tmp_path / "a.csv").read_text(encoding=ENCODING)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert sizes[0] == (tmp_path / "a.csv").stat().st_size
    assert all(mess in text for mess in ("年", "１３", "=cmd", "Shanghai", '"第一行\n第二行"', "Example.com"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_passes_every_row(tmp_path: Path, stage: str) -> None:
    path = tmp_path / "members.csv"
    write_members(path, 300)
    done = _pass(stage, path)
    assert (done.stage, done.rows) == (stage, 300)
    assert done.rejected < 30
    assert done.peak_mb > 1


def test_rates_are_ratios_to_the_rival() -> None:
    rate = ImportRate((Pass("rival", 100, 1.0, 20.0), Pass("written", 100, 2.0, 40.0)))
    assert rate.ratio("written") == 0.5
