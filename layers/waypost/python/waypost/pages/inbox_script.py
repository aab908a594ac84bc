"""The script that shows the on-site inbox on any page, as it is served. Used by the serve_inbox function."""

import re
from functools import cache
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 3 * 1024
"""Of the script as it is served, before any compression."""

_SOURCE: Final = Path(__file__).parent / "inbox.js"
_PART: Final = re.compile(r'("[^"\n]*"|`[^`]*`)|[ ]*([=?:+,{}()|&<>!]+)[ ]*')
"""A text, which stays as it is, or an operator with the blanks around it."""


@cache
def inbox_script() -> str:
    """The script without its comments, indentation and blanks around operators; its lines stay."""
    lines = (line.strip() for line in _SOURCE.read_text(encoding="utf-8").splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("//"))
    return _PART.sub(lambda part: part[1] or part[2], code)
