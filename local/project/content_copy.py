"""Copies the project's content, without a part of it or with a journey folder from elsewhere. Used by checks and rehearsals."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import getpid
from pathlib import Path
from typing import Final

import yaml

from infra.project import Project
from local.problems import LocalError
from local.project.current_project import current_project, working_on

BESIDE: Final = "statemachines"
"""A folder inside a journey's folder: what the journey needs beside it, such as a pool of coupons or a saved segment."""


def copied_content(project: Project, folder: Path, *, without: Collection[Path] = ()) -> Project:
    """The project with a copy of its content below ``folder``, which lacks the folders ``without``; its choices stay."""
    copied = folder / "content"
    shutil.rmtree(copied, ignore_errors=True)
    left_out = set(without)
    own = project.statemachines / "operations"
    if own.resolve() == (project.product / "statemachines" / "operations").resolve():
        left_out.add(own)  # in the product itself: the copy gets them as any project does
    shutil.copytree(
        project.statemachines,
        copied / "statemachines",
        ignore=lambda parent, names: [name for name in names if Path(parent, name) in left_out],
    )
    return replace(project, choices={**project.choices, "content": str(copied)})


@contextmanager
def visiting(journey: str) -> Iterator[str]:
    """Work on the project with the journey in it, which may be a folder anywhere; gives the name of the journey.

    A name, or a folder of the project itself, changes nothing. Another folder is put into a copy of the project's content, in place of
    a journey of its name, with what its own ``statemachines/`` declares. Raises LocalError for a folder that is no journey.
    """
    project, folder = current_project(), Path(journey)
    if folder.name == journey or folder.resolve().parent == project.journeys.resolve():
        yield folder.name
        return
    if not (folder / "journey.yaml").is_file():
        raise LocalError(
            f"there is no journey in {folder}", "name a folder that holds journey.yaml, or a journey's name"
        )
    name = folder.resolve().name
    scratch = project.out / "local" / f"visiting-{getpid()}"
    with_it = copied_content(project, scratch, without=[project.journeys / name])
    try:
        put_in(folder, with_it.statemachines, name)
        with working_on(with_it):
            yield name
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def put_in(folder: Path, statemachines: Path, name: str) -> None:
    """Copy a journey folder to where journeys are, and declare what it needs beside it."""
    beside = folder / BESIDE
    shutil.copytree(folder, statemachines / "journeys" / name, ignore=shutil.ignore_patterns(BESIDE))
    for file in sorted(beside.rglob("*.yaml")):
        declare(file, statemachines / file.relative_to(beside))


def declare(file: Path, target: Path) -> None:
    """Add what an authored file declares to ``target``: the entries of its sections, in place of those of the same name there."""
    here = (yaml.safe_load(target.read_text(encoding="utf-8")) if target.exists() else None) or {}
    for section, given in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        known = here.get(section)
        here[section] = {**known, **given} if isinstance(known, dict) and isinstance(given, dict) else given
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(here, allow_unicode=True, sort_keys=False), encoding="utf-8")
