"""The benchmark of an import's memory runs a whole import, and says when a step grows."""

from pathlib import Path

from benchmarks.import_memory import STEPS, ImportMemory, Run, Step, measure


def test_a_whole_import_is_run_in_steps_and_nothing_is_left(tmp_path: Path) -> None:
    progress: list[str] = []
    [run] = measure(tmp_path / "import", largest=300, progress=progress.append).runs
    assert (run.rows, tuple(step.name for step in run.steps)) == (300, STEPS)
    assert 0 < run.rejected < 30
    assert run.duplicates > 0
    assert all(step.peak_mb > 10 for step in run.steps)
    assert len(progress) == 1 + len(STEPS)
    assert list((tmp_path / "import").iterdir()) == []


def test_memory_is_flat_when_no_step_grows_with_the_file() -> None:
    def run(rows: int, compare_mb: float) -> Run:
        steps = (Step(name, 1.0, compare_mb if name == "compare" else 20.0) for name in STEPS)
        return Run(rows, 0, 0, tuple(steps))

    assert ImportMemory((run(10, 20.0), run(100, 30.0), run(1_000, 31.0))).to_dict()["memory_is_flat"]
    growing = ImportMemory((run(10, 20.0), run(100, 30.0), run(1_000, 50.0))).to_dict()
    assert not growing["memory_is_flat"]
    assert growing["memory_growth"]["compare"] == 1.667
