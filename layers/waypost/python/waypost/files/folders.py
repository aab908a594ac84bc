"""The folders of the bucket of files, and those a service works in. Used by the assembly and by the adapters of Files.

A role allows what ``functions/<f>/function.yaml`` lists; a test compares that with the folders its services are given.
"""

from dataclasses import dataclass
from typing import Final

from waypost.errors import ServiceRefused

IMPORTS: Final = "imports/"
"""Uploaded files of contacts, and the reports of their imports."""
EXPORTS: Final = "exports/"
AUDIENCES: Final = "audiences/"
EVENTS: Final = "events/"
"""The archive of events."""
LEDGER: Final = "ledger/"
"""The archive of messages and journeys whose time is over."""
PAGES: Final = "pages/"
"""Pages that an operation writes for a person to read."""
LIBRARY: Final = "library/"
"""The versions of messages, never overwritten, and under ``library/inbox/`` those that are handed in."""
CODES: Final = "codes/"
"""The QR codes that were made, and where their pictures are."""
IMPORTS_WORK: Final = "work/imports/"
EXPORTS_WORK: Final = "work/exports/"
AUDIENCES_WORK: Final = "work/audiences/"
REFRESH_WORK: Final = "work/refresh-contacts/"
RESCORE_WORK: Final = "work/rescore-engagement/"


@dataclass(frozen=True, slots=True)
class Folders:
    """Prefixes of keys that a service reads and writes; each ends with a slash. It may do nothing outside of them."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def check_read(self, key: str) -> None:
        """Raise ServiceRefused unless the service reads ``key``, or lists it as a prefix."""
        _check(key, self.reads, "read")

    def check_write(self, key: str) -> None:
        """Raise ServiceRefused unless the service writes ``key``."""
        _check(key, self.writes, "write")


def _check(key: str, folders: tuple[str, ...], action: str) -> None:
    if not key.startswith(folders):
        allowed = ", ".join(folders) or "nothing"
        raise ServiceRefused(f"{action} {key}: this service is wired to {action} {allowed}")
