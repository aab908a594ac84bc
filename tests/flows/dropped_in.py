"""Journeys that are dropped in as folders. Used by the tests of journeys nobody here has seen, and of kept segments."""

import shutil
from pathlib import Path

DROPPED_IN = Path(__file__).parent / "journeys"


def drop_in(statemachines: Path, *names: str) -> Path:
    """Put journeys beside those there are; no other file changes."""
    for name in names:
        shutil.copytree(DROPPED_IN / name, statemachines / "journeys" / name)
    return statemachines


def drop_in_all(statemachines: Path) -> None:
    """Put every one of them there."""
    drop_in(statemachines, *sorted(path.name for path in DROPPED_IN.iterdir()))
