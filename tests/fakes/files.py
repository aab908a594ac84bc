"""Files in memory."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from hashlib import md5
from typing import BinaryIO, Self

from waypost.errors import InvalidInput
from waypost.files.folders import Folders
from waypost.files.ports import StoredFile

EVERYTHING = Folders(reads=("",), writes=("",))
"""For what is not a service."""


class _Content(bytearray):
    """What a FileWriter has taken."""

    def write(self, content: bytes) -> None:
        """See FileWriter."""
        self.extend(content)


class FakeFiles:
    """Files in a dictionary; ``within`` gives one to a service, which refuses keys outside of its folders as S3Files does."""

    bucket = "waypost-test-files"

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.folders = EVERYTHING

    def within(self, folders: Folders) -> Self:
        """The same files for a service that works in these folders."""
        same = copy(self)
        same.folders = folders
        return same

    def __contains__(self, key: object) -> bool:
        return key in self.contents

    def __getitem__(self, key: str) -> bytes:
        return self.contents[key]

    def find(self, key: str) -> StoredFile | None:
        """See Files."""
        self.folders.check_read(key)
        if key not in self.contents:
            return None
        content = self.contents[key]
        return StoredFile(key, len(content), md5(content, usedforsecurity=False).hexdigest())

    def listed(self, prefix: str) -> Iterator[StoredFile]:
        """See Files."""
        self.folders.check_read(prefix)
        for key in sorted(self.contents):
            found = self.find(key) if key.startswith(prefix) else None
            if found is not None:
                yield found

    def read(self, key: str) -> bytes | None:
        """See Files."""
        self.folders.check_read(key)
        return self.contents.get(key)

    def stream(self, file: StoredFile, *, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Files."""
        self.folders.check_read(file.key)
        if self.find(file.key) != file:
            raise InvalidInput("file", f"{file.key} was replaced")
        return io.BytesIO(self.contents[file.key][start:end])

    def write(self, key: str, content: bytes) -> None:
        """See Files."""
        self.folders.check_write(key)
        self.contents[key] = content

    def write_once(self, key: str, content: bytes) -> bool:
        """See Files."""
        self.folders.check_write(key)
        if key in self.contents:
            return False
        self.contents[key] = content
        return True

    def link(self, key: str, *, life: timedelta) -> str:
        self.folders.check_read(key)
        return f"https://{self.bucket}.example/{key}?for={int(life.total_seconds())}"

    @contextmanager
    def writer(self, key: str, *, content_type: str = "") -> Iterator[_Content]:
        """See Files."""
        self.folders.check_write(key)
        content = _Content()
        yield content
        self.contents[key] = bytes(content)
