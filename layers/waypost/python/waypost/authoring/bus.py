"""Event types for rules that others make on the bus, ``statemachines/contacts/bus.yaml``, checked. Called by declaring."""

from typing import Annotated, Any, Final

from pydantic import Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored
from waypost.authoring.retention import EventPattern

PATH: Final = "contacts/bus.yaml"
ALL: Final = "*"


class BusFile(Authored):
    """The whole file. What destinations receive need not be named again; ``"*"`` alone is every event."""

    description: str | None = None
    events: Annotated[list[EventPattern | Annotated[str, Field(pattern=r"^\*$")]], Field(min_length=1)]


def bus(reader: FileReader) -> dict[str, Any]:
    """The section ``bus``."""
    file = reader.declared(reader.root / PATH, BusFile)
    return {} if file is None else {"events": list(file.events)}
