"""Thins botocore's definitions of AWS services to what a call needs. Used by the bundling of the dependency layer.

A client reads the definitions of its service when it is made. Four fifths of their text is documentation, they are
packed with gzip, and the table of endpoints names every service in every region: reading all that takes longer than
making the client (docs/benchmarks.md has the figures).
"""

import gzip
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any


def thin(definitions: Path, *, services: Collection[str]) -> None:
    """Change ``botocore/data`` in place: unpacked, without documentation, with the endpoints of ``services`` only."""
    prefixes = set()
    for service in services:
        for packed in sorted((definitions / service).glob("*/*.json.gz")):
            definition = _without_documentation(json.loads(gzip.decompress(packed.read_bytes())))
            for setting in definition.get("clientContextParams", {}).values():
                setting["documentation"] = ""  # botocore reads this one text (ClientContextParameter)
            prefixes.add(definition.get("metadata", {}).get("endpointPrefix"))
            _write(packed.with_suffix(""), definition)
            packed.unlink()
    endpoints = definitions / "endpoints.json"
    table = json.loads(endpoints.read_text(encoding="utf-8"))
    for partition in table["partitions"]:
        partition["services"] = {name: where for name, where in partition["services"].items() if name in prefixes}
    _write(endpoints, table)


def _without_documentation(value: Any) -> Any:
    """The definition without its texts; a member that happens to be called ``documentation`` is no text and stays."""
    match value:
        case dict():
            return {
                name: _without_documentation(content)
                for name, content in value.items()
                if not (name == "documentation" and isinstance(content, str))
            }
        case list():
            return [_without_documentation(element) for element in value]
        case _:
            return value


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
