"""Writes what went out as files a person can open. Used by the demo and by the background process of ``waypost up``."""

from collections.abc import Iterator
from pathlib import Path

from local.providers.record import Call
from waypost.clock import format_instant


def write_message(folder: Path, name: str, call: Call) -> Iterator[Path]:
    """The message as .txt, and as .html where it has that; yields the files."""
    folder.mkdir(parents=True, exist_ok=True)
    if call.content.html:
        yield _write(folder / f"{name}.html", call.content.html)
    yield _write(folder / f"{name}.txt", _as_text(call))


def _as_text(call: Call) -> str:
    """The message as its reader sees it without HTML, below the headers it came with."""
    content = call.content
    headers = {
        "From": content.sender,
        "To": call.recipient,
        "Date": format_instant(call.at),
        "Subject": content.subject,
        **content.headers,
    }
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    return "\n".join([*lines, "", content.text, ""])


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
