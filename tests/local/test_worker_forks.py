"""Workers forked from a process that has imported the layers: they are as good as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime

from local.cloud.worker_forks import ForkedWorker, fork_workers
from local.cloud.worker_zygote import PRELOADED


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that runs a program as MiniStack starts its workers, with a layer that brings a small ``orjson``."""
    monkeypatch.setattr(lambda_runtime, "subprocess", subprocess)
    zygotes = fork_workers()
    workers: list[ForkedWorker] = []
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "orjson.py").write_text(
        "import os\nIMPORTED_BY = os.getpid()\nIMPORTED_WITH = os.environ.get('COLOUR')\n", encoding="utf-8"
    )
    (tmp_path / "code").mkdir()

    def started(program: str, **environment: str) -> Any:
        script = tmp_path / "_worker.py"
        script.write_text(program, encoding="utf-8")
        worker = lambda_runtime.subprocess.Popen(
            [sys.executable, str(script)],
            cwd=str(tmp_path / "code"),
            env={"_LAMBDA_LAYERS_DIRS": str(tmp_path / "layer"), **environment},
        )
        workers.append(worker)
        return worker

    yield started
    for worker in workers:
        worker.kill()
        worker.wait(timeout=30)
        worker.close()
    zygotes.close()


def test_a_worker_has_what_the_layers_bring_and_its_own_surroundings(start: Any, tmp_path: Path) -> None:
    program = """
import os, sys, orjson
print(sys.stdin.readline().strip(), os.getpid() == orjson.IMPORTED_BY, orjson.IMPORTED_WITH, os.environ["COLOUR"],
      os.getcwd(), __name__, sorted(os.environ), flush=True)
"""
    worker = start(program, COLOUR="green")
    assert isinstance(worker, ForkedWorker)
    worker.stdin.write("hello\n")
    greeting = worker.stdout.readline().strip()
    where = os.path.realpath(tmp_path / "code")
    assert greeting == f"hello False None green {where} __main__ ['COLOUR', '_LAMBDA_LAYERS_DIRS']"
    assert worker.wait(timeout=30) != 0


def test_what_the_layers_do_not_bring_is_not_imported_before(start: Any) -> None:
    program = (
        "import sys; print([name for name in ('pydantic', 'waypost', 'orjson') if name in sys.modules], flush=True)"
    )
    assert start(program).stdout.readline() == "['orjson']\n"


def test_everything_that_is_imported_before_is_there() -> None:
    assert [name for name in PRELOADED if find_spec(name) is None] == []


def test_workers_of_the_same_layers_share_what_was_imported(start: Any) -> None:
    program = "import orjson; print(orjson.IMPORTED_BY, flush=True)"
    assert len({start(program).stdout.readline() for _ in range(3)}) == 1


def test_the_end_of_a_worker_is_noticed_however_it_ends(start: Any) -> None:
    waiting = start("import sys; sys.stdin.read()")
    assert waiting.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0)
    waiting.kill()
    assert waiting.wait(timeout=30) < 0
    assert waiting.stdout.read() == ""
    waiting.terminate()  # of what has ended is no mistake


def test_a_worker_that_fails_says_why_on_standard_error(start: Any) -> None:
    failed = start("raise ValueError('no such table')")
    assert "ValueError: no such table" in failed.stderr.read()
    assert failed.wait(timeout=30) != 0


def test_without_layers_a_worker_is_an_interpreter_of_its_own(start: Any, tmp_path: Path) -> None:
    with lambda_runtime.subprocess.Popen(
        [sys.executable, "-c", "print('alone')"], stdout=lambda_runtime.subprocess.PIPE, text=True
    ) as alone:
        assert alone.stdout.read() == "alone\n"
