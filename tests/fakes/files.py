"""Files in memory."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import md5
from typing import BinaryIO

from waypost.errors import InvalidInput
from waypost.files.ports import StoredFile


class _Content(bytearray):
    """What a FileWriter has taken."""

    def write(self, content: bytes) -> None:
        """See FileWriter."""
        self.extend(content)


class FakeFiles:
    """Files in a dictionary; ``reads`` counts bytes handed out, ``largest_read`` the most at once."""

    bucket = "waypost-test-files"

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def __contains__(self, key: object) -> bool:
        return key in self.contents

    def __getitem__(self, key: str) -> bytes:
        return self.contents[key]

    def find(self, key: str) -> StoredFile | None:
        """See Files."""
        if key not in self.contents:
            return None
        content = self.contents[key]
        return StoredFile(key, len(content), md5(content, usedforsecurity=False).hexdigest())

    def listed(self, prefix: str) -> Iterator[StoredFile]:
        """See Files."""
        for key in sorted(self.contents):
            found = self.find(key) if key.startswith(prefix) else None
            if found is not None:
                yield found

    def read(self, key: str) -> bytes | None:
        """See Files."""
        return self.contents.get(key)

    def stream(self, file: StoredFile, *, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Files."""
        if self.find(file.key) != file:
            raise InvalidInput("file", f"{file.key} was replaced")
        return io.BytesIO(self.contents[file.key][start:end])

    def write(self, key: str, content: bytes) -> None:
        """See Files."""
        self.contents[key] = content

    def write_once(self, key: str, content: bytes) -> bool:
        """See Files."""
        if key in self.contents:
            return False
        self.contents[key] = content
        return True

    def link(self, key: str, *, life: timedelta) -> str:
        return f"https://{self.bucket}.example/{key}?for={int(life.total_seconds())}"

    @contextmanager
    def writer(self, key: str, *, content_type: str = "") -> Iterator[_Content]:
        """See Files."""
        content = _Content()
        yield content
        self.contents[key] = bytes(content)
