"""The bucket of files: what imports, exports, audiences and metrics need of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it lies there: its key, its size in bytes, and a tag that changes with its content."""

    key: str
    size: int
    tag: str


class FileWriter(Protocol):
    """Takes the content of a file, piece by piece."""

    def write(self, content: bytes) -> None:
        """Add to the file; memory does not grow with what was written."""
        ...


class Files(Protocol):
    """Some folders of one bucket of files. Every method raises TemporarilyUnavailable or ServiceRefused."""

    @property
    def bucket(self) -> str:
        """The name of the bucket, for messages to people."""
        ...

    def find(self, key: str) -> StoredFile | None:
        """The file under this key, or None."""
        ...

    def listed(self, prefix: str) -> Iterator[StoredFile]:
        """The files whose keys start so, by key."""
        ...

    def read(self, key: str) -> bytes | None:
        """The content of a small file, or None."""
        ...

    def stream(self, file: StoredFile, *, start: int = 0, end: int | None = None) -> BinaryIO:
        """The bytes from ``start`` up to ``end``, read a block at a time; a seek inside them is cheap.

        Reading raises InvalidInput when the file has been replaced since it was found.
        """
        ...

    def write(self, key: str, content: bytes) -> None:
        """Write a small file; what was there is replaced."""
        ...

    def write_once(self, key: str, content: bytes) -> bool:
        """Write a small file unless there is one; False when there is."""
        ...

    def writer(self, key: str, *, content_type: str = "") -> AbstractContextManager[FileWriter]:
        """A new file of any size; it appears as a whole at the end of the block, and not at all when that raises."""
        ...

    def link(self, key: str, *, life: timedelta) -> str:
        """A signed link that lets its holder read one file for so long."""
        ...
