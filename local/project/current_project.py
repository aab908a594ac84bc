"""Which project the local tools work on: chosen with ``--content``, or found from the current folder. Used by all of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from infra.project import Project
from local.problems import LocalError
from waypost.errors import InvalidInput

CONTENT_VARIABLE: Final = "WAYPOST_CONTENT"
"""Names the folder that ``--content`` chose, for this process and for those it starts."""

_GIVEN: Final[ContextVar[Project | None]] = ContextVar("given project", default=None)


def choose_content(folder: Path) -> None:
    """Work on the project in ``folder`` from now on. Raises LocalError when no statemachines/ is there."""
    if not Project.at(folder).statemachines.is_dir():
        raise LocalError(f"there is no statemachines/ in {folder}", f"waypost init {folder} makes a project there")
    os.environ[CONTENT_VARIABLE] = str(folder.resolve())


def current_project() -> Project:
    """The project of this process. Raises LocalError when there is none."""
    if (given := _GIVEN.get()) is not None:
        return given
    chosen = os.environ.get(CONTENT_VARIABLE)
    try:
        return Project.at(Path(chosen)) if chosen else Project.around(Path.cwd())
    except InvalidInput as missing:
        raise LocalError(str(missing), "go to a project, or make one with waypost init ../our-marketing") from missing


@contextmanager
def working_on(project: Project) -> Iterator[None]:
    """Let ``project`` be the current one inside the block, for the thread that runs it."""
    token = _GIVEN.set(project)
    try:
        yield
    finally:
        _GIVEN.reset(token)
