"""Uploaded files, as people name them: where they lie, and the text of a small one. Used by the operations that take files in."""

from dataclasses import dataclass
from typing import Any

from waypost.errors import InvalidInput
from waypost.files.folders import IMPORTS
from waypost.files.ports import Files


def uploaded_key(given: Any, files: Files, *, example: str) -> str:
    """The key of a file or folder under ``imports/``; with or without ``s3://`` and the bucket. Raises InvalidInput."""
    if not isinstance(given, str) or not given:
        raise InvalidInput("file", f'is missing; for example "{example}"')
    bucket, separator, key = (
        given.removeprefix("s3://").partition("/") if given.startswith("s3://") else ("", "/", given)
    )
    if not separator or (bucket and bucket != files.bucket) or not key.startswith(IMPORTS) or key == IMPORTS:
        raise InvalidInput(
            "file", f"expected a file under s3://{files.bucket}/{IMPORTS}, for example {example}; got {given!r}"
        )
    return key


@dataclass(frozen=True, slots=True)
class UploadedText:
    """The text of a file, and the tag that changes with its content."""

    key: str
    text: str
    tag: str


def uploaded_text(given: Any, files: Files, *, example: str, largest: int) -> UploadedText:
    """The text of a file under ``imports/`` of at most so many bytes, without a byte order mark. Raises InvalidInput."""
    key = uploaded_key(given, files, example=example)
    file = files.find(key)
    if file is None:
        raise InvalidInput("file", f"there is nothing at s3://{files.bucket}/{key}; upload it there first")
    if file.size > largest:
        raise InvalidInput("file", f"expected at most {largest // 1024**2} MiB, got {file.size:,} bytes; split it")
    with files.stream(file) as content:
        try:
            return UploadedText(key, content.read().decode("utf-8-sig"), file.tag)
        except UnicodeDecodeError:
            raise InvalidInput("file", f"{key} is not UTF-8; save it as CSV in UTF-8") from None
