"""What the refresh needs from whoever keeps files: the few small ones that one pass leaves for the next."""

from collections.abc import Iterable
from typing import Protocol


class NamedFile(Protocol):
    """A file as it is listed."""

    @property
    def key(self) -> str:
        """Its name, with the folders."""
        ...


class WorkFiles(Protocol):
    """Keeps small files. Every method raises TemporarilyUnavailable or ServiceRefused."""

    def listed(self, prefix: str) -> Iterable[NamedFile]:
        """The files whose keys start so."""
        ...

    def read(self, key: str) -> bytes | None:
        """The content of a file, or None."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Write a file; what was there is replaced."""
        ...
