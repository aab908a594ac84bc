"""What a write key may not do, ``statemachines/contacts/public_keys.yaml``, checked. Called by declaring."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.retention import EventPattern
from waypost.contacts.channels import CHANNELS

PLACE: Final = "contacts/public_keys.yaml"

Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _channel(name: str) -> str:
    if name not in CHANNELS:
        raise ValueError(unknown(name, CHANNELS, "unknown channel"))
    return name


class ServerOnly(Authored):
    """What needs a server key: names, in which ``*`` stands for any characters."""

    events: list[EventPattern] = Field(default_factory=list)
    attributes: list[Name] = Field(default_factory=list)
    tags: list[Name] = Field(default_factory=list)
    groups: list[Name] = Field(default_factory=list)


class PublicKeysFile(Authored):
    """The whole file. ``consent``: the channels to which a page may grant consent."""

    description: str | None = None
    server_only: ServerOnly = Field(default_factory=ServerOnly)
    consent: list[Annotated[str, AfterValidator(_channel)]] = Field(default_factory=list)


def public_keys(reader: FileReader) -> dict[str, Any]:
    """The section ``public_keys``; empty without a file."""
    file = reader.declared(reader.root / PLACE, PublicKeysFile)
    if file is None:
        return {}
    return {"server_only": file.server_only.model_dump(), "consent": list(file.consent)}
