"""Lets time pass in what runs and says how far it is. Used by ``waypost travel``."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from local.problems import LocalError
from local.running import background

LOOK_SECONDS: Final = 0.5
"""Seconds between two looks at how far it is."""
LONGEST_SECONDS: Final = 86_400.0
"""No travel takes a day; while work advances it is waited for, and the background process reports what is stuck."""


def travel(request: dict[str, str], *, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """``{by: "2d"}`` or ``{to: instant}`` → ``{now, fired}``. Raises LocalError.

    ``progress`` is called twice a second with what the control API says of the travel.
    """
    answers: list[dict[str, Any]] = []
    problems: list[LocalError] = []

    def go() -> None:
        try:
            answers.append(background.control("POST", "/travel", request, timeout=LONGEST_SECONDS))
        except LocalError as problem:
            problems.append(problem)

    travelling = threading.Thread(target=go, daemon=True)
    travelling.start()
    travelling.join(LOOK_SECONDS)
    while travelling.is_alive():
        with suppress(LocalError):  # what is wrong, the travel itself says
            if found := background.control("GET", "/progress"):
                progress(found)
        travelling.join(LOOK_SECONDS)
    if problems:
        raise problems[0]
    return answers[0]
