"""Writes what went out as files a person can open. Used by the demo and by the background process of ``waypost up``."""

from collections.abc import Iterator
from pathlib import Path

from local.provider_record import Call
from waypost.clock import format_instant


def write_message(folder: Path, name: str, call: Call) -> Iterator[Path]:
    """A mail as .html and .txt, an SMS as .txt; yields the files."""
    folder.mkdir(parents=True, exist_ok=True)
    if call.mail is not None:
        yield _write(folder / f"{name}.html", call.mail.html)
    yield _write(folder / f"{name}.txt", _as_text(call))


def _as_text(call: Call) -> str:
    """The message as its reader sees it without HTML, below the headers it came with."""
    headers = {"To": call.recipient, "Date": format_instant(call.at)}
    if call.mail is not None:
        headers = {"From": call.mail.sender, **headers, "Subject": call.mail.subject, **call.mail.headers}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", call.mail.text if call.mail else call.text, ""])


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
