"""Groups of commands that are loaded when one of them is asked for. Used by the commands of ``waypost``.

Most commands talk to the running system and load boto3 for it; the few that do not, and every ``--help``, start without.
"""

from importlib import import_module
from typing import Any

from typer.core import TyperGroup
from typer.main import get_group


def on_demand(*modules: str) -> type[TyperGroup]:
    """A group of the commands in these modules of ``local.commands``, each of which calls its commands ``app``."""

    class Group(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            self._load()
            return super().list_commands(ctx)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            self._load()
            return super().get_command(ctx, cmd_name)

        def _load(self) -> None:
            if not self.commands:
                for name in modules:
                    self.commands.update(get_group(import_module(f"local.commands.{name}").app).commands)

    return Group
