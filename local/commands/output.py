"""What all groups of commands share: their common option, their exit status, their JSON. Used by the commands of ``waypost``."""

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.console import Console

EXPECTATION_FAILED: Final = 1
"""Exit status of a command that ran, and found that something is not as it should be."""

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]


def print_json(content: Any) -> None:
    """Write the answer for machines to standard output."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def step_on(console: Console) -> Callable[[str], None]:
    """A function that prints each step of a longer work."""
    return lambda text: console.print(f"[dim]·[/dim] {text}")
