"""Imports the handler of one function as Lambda would. Run by test_handlers, without site-packages.

Arguments: the function's folder, then the folders that its layers put on the path. Prints, as JSON, the modules that
came from elsewhere, the packages that are loaded when the handler is wired, and the settings and published sections that this reads.
"""

import importlib
import json
import re
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

_SHOWN_IN_MESSAGES = "waypost.aws.message_variables"


def main() -> None:
    """Import, wire, report."""
    standard = list(sys.path)
    sys.path[:] = [*sys.argv[1:], *standard]
    sections = _sections_read()
    handler = importlib.import_module("handler")

    assert callable(handler.handle)
    allowed = tuple(Path(folder).resolve() for folder in [*sys.argv[1:], *standard])
    elsewhere = [
        name
        for name, module in sys.modules.items()
        if (file := getattr(module, "__file__", None)) and file != __file__ and not _is_under(file, allowed)
    ]
    packages = sorted({name.partition(".")[0] for name in sys.modules})
    found = {
        "elsewhere": elsewhere,
        "packages": packages,
        "settings": sorted(_settings_read(handler)),
        "sections": sections,
    }
    sys.stdout.write(json.dumps(found))


def _sections_read() -> list[str]:
    """The published sections that are parsed from now on, in order; it grows while the handler is wired."""
    published_sections = importlib.import_module("waypost.published_sections")
    sections: list[str] = []
    read = vars(published_sections)["published_section"]

    def recorded(name: str) -> Any:
        sections.append(name)
        return read(name)

    vars(published_sections)["published_section"] = recorded
    return sections


def _is_under(file: str, folders: tuple[Path, ...]) -> bool:
    return any(Path(file).resolve().is_relative_to(folder) for folder in folders)


class _RecordedOfChannel(dict[str, str]):
    """The settings of a channel's provider, which notes what it is asked for."""

    def __init__(self, read: set[str], channel: str) -> None:
        super().__init__()
        self._read = read
        self._channel = channel

    def get(self, name: str, default: Any = None) -> Any:
        """The setting; the usual provider where there is a choice among several."""
        if name != "provider":
            return self[name]
        declared = importlib.import_module("waypost.contacts.channels").declared_channels()
        if len(declared[self._channel].providers) > 1:
            self._read.add(f"{self._channel}_provider")
        return default

    def __contains__(self, name: object) -> bool:
        return bool(self[str(name)])

    def __getitem__(self, name: str) -> str:
        self._read.add(f"{self._channel}_{name}")
        return f"<{name}>"


def _settings_read(handler: ModuleType) -> set[str]:
    """Make all that the handler makes, with clients that are not made before they are called, and note what is asked for."""
    from waypost.settings import Settings

    read: set[str] = set()

    class Recorded:
        def __getattr__(self, field: str) -> str:
            read.add(field)
            return "email=14" if field == "rates" else f"<{field}>"

    source = Path(str(handler.__file__)).read_text(encoding="utf-8")
    with patch.object(Settings, "load", Recorded):
        wiring = importlib.import_module("waypost.aws.wiring")
        if "channel_settings" in vars(handler):
            vars(handler)["channel_settings"] = partial(_RecordedOfChannel, read)
        vars(wiring)["channel_settings"] = partial(_RecordedOfChannel, read)
        for name in re.findall(r"wiring\.(\w+)\(\)", source):
            getattr(wiring, name)()
        made = [
            factory()
            for factory in vars(handler).values()
            if hasattr(factory, "cache_info") and factory.__module__ in {handler.__name__, _SHOWN_IN_MESSAGES}
        ]
        if "sender_to_contacts" in vars(handler):
            shown = vars(importlib.import_module(_SHOWN_IN_MESSAGES)).values()
            made += [factory() for factory in shown if hasattr(factory, "cache_info")]
        asking = [getattr(service, "approvals", service) for service in made]
        senders = [getattr(service, "sender", service) for service in asking]
        if any(getattr(sender, "provider", None) is wiring.provider for sender in senders):
            for channel in importlib.import_module("waypost.contacts.channels").CHANNELS:
                wiring.provider(channel)
    return read


main()
