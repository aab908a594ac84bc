"""What the synth published beside the code, as plain JSON from the journeys layer.

Each section is a file of its own, so that a function parses only what it uses: the cost of a cold start does not grow with
what others publish.
"""

import importlib.util
import json
from functools import cache
from importlib import resources
from typing import Any, Final

PACKAGE: Final = "waypost_journeys"
"""The package that the journeys layer carries."""


@cache
def published_section(name: str) -> dict[str, Any]:
    """The published form of a section, such as ``tags`` or ``messages/welcome/day-one``; do not change it.

    Empty when this deployment publishes nothing there.
    """
    if importlib.util.find_spec(PACKAGE) is None:  # code that runs without a published layer: unit tests, tools
        return {}
    try:
        file = resources.files(PACKAGE).joinpath(f"{name}.json")
    except ModuleNotFoundError:  # there is no journeys layer where nothing is deployed
        return {}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return content
