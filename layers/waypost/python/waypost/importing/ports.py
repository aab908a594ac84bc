"""What importing and exporting need from whoever keeps files, and from a store that reads many contacts at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact


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
    """One bucket of files. Every method raises TemporarilyUnavailable or ServiceRefused."""

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


class BulkContactStore(ContactStore, Protocol):
    """A ContactStore that reads many at once: a file's rows ask for the same as an event, a hundred times over."""

    def resolve_many(self, identities: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """``resolve`` for each, in order."""
        ...

    def load_many(self, contact_ids: Collection[str]) -> dict[str, Contact]:
        """The contacts by the id asked for, read consistently; unknown ones are absent."""
        ...
