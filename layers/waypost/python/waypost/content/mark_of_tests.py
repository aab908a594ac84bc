"""What stands in front of the title of a message to a test contact. Used by the sender."""

from typing import Final

_MARKS: Final = {"zh": "【测试】"}


def mark_of_tests(locale: str) -> str:
    """The mark in the reader's language."""
    return _MARKS.get(locale.split("-", maxsplit=1)[0].lower(), "[Test] ")
