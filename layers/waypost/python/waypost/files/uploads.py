"""Where an uploaded file lies, as people name it. Used by the operations that take files in."""

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
