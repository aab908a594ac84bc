"""The ``waypost`` command: Waypost on this machine. Every command has ``--help``; those that tell something have ``--json``.

Exit status: 0 all is well, 1 something did not go as expected, 2 wrong usage or something is missing.
"""

import sys
from typing import NoReturn

from local.problems import LocalError

UNUSABLE = 2


def main() -> None:
    """Run the command; report a problem in one line, with a way out."""
    try:
        from local.commands.app import app  # noqa: PLC0415 -- so that a missing package is reported here

        app()
    except LocalError as problem:
        _fail(problem.what, problem.advice)
    except ModuleNotFoundError as missing:
        _fail(
            f"the Python package {missing.name} is missing",
            "install the requirements of the project (make setup in a checkout)",
        )


def _fail(what: str, advice: str) -> NoReturn:
    sys.stderr.write(f"error: {what}\n  → {advice}\n" if "\n" in what else f"error: {what} → {advice}\n")
    raise SystemExit(UNUSABLE)
