"""What was declared beside the journeys (tags, segments, metrics, …), as plain JSON from the journeys layer.

Each section is a file of its own, so that a function parses only what it uses.
"""

import importlib.util
import json
from functools import cache
from importlib import resources
from typing import Any, Final

PACKAGE: Final = "waypost_journeys"


@cache
def declared_section(name: str) -> dict[str, Any]:
    """The published form of a section; empty when this deployment declares nothing there. Do not change it."""
    if importlib.util.find_spec(PACKAGE) is None:  # code that runs without a published layer: unit tests, tools
        return {}
    try:
        file = resources.files(PACKAGE).joinpath(f"{name}.json")
    except ModuleNotFoundError:  # there is no journeys layer where nothing is deployed
        return {}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return content
