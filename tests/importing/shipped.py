"""The project's own declarations of attributes, tags, filling and mappings, as its functions read them. Used by tests of files."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from waypost.authoring.authored_files import FileReader
from waypost.authoring.declaring import declared
from waypost.contacts import attributes, tag_system
from waypost.importing import filling, spec

_READERS = (attributes, tag_system, filling, spec)


@cache
def sections() -> dict[str, dict[str, Any]]:
    """Every declared section."""
    reader = FileReader(Path(__file__).parents[2] / "statemachines")
    found = declared(reader)
    assert not reader.problems
    return found


@contextmanager
def shipped(**others: dict[str, Any]) -> Iterator[None]:
    """The declarations in force, some of them replaced by ``others``; by section."""
    found = {**sections(), **others}

    def forget() -> None:
        attributes._loaded.cache_clear()
        tag_system.load_tag_system.cache_clear()
        filling._loaded.cache_clear()

    with pytest.MonkeyPatch.context() as patch:
        for module in _READERS:
            patch.setattr(module, "published_section", lambda name: found.get(name, {}))
        forget()
        yield
    forget()
