"""Every command of ``waypost``: it explains itself, and what it takes when nothing is given is something it accepts."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from local.commands.app import app

RENDERED_AS_TEXT = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path → command, for each command below a group."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(get_command(app)))
OPTIONS = [
    (" ".join(path), parameter.name)
    for path, command in COMMANDS.items()
    for parameter in command.params
    if not parameter.required
]


def test_there_are_commands_in_every_group() -> None:
    groups = {path[0] for path in COMMANDS if len(path) > 1}
    assert groups == {"contacts", "coupons", "destinations", "journey", "message", "products", "segment"}
    assert len(COMMANDS) > 25


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_explains_itself_and_each_of_its_options(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env=RENDERED_AS_TEXT)
    assert shown.exit_code == 0, shown.output
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{parameter.name} has no help"
        assert all(option in shown.output for option in parameter.opts if option.startswith("--"))


@pytest.mark.parametrize(("path", "name"), OPTIONS)
def test_a_default_is_a_value_that_the_option_accepts(path: str, name: str) -> None:
    command = COMMANDS[tuple(path.split())]
    [parameter] = [each for each in command.params if each.name == name]
    context = command.make_context(path, [], resilient_parsing=True)
    parameter.process_value(context, parameter.get_default(context))  # raises what the command line would say
