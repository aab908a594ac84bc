"""Writes rows as CSV that every spreadsheet opens and none runs. Used by the reports of imports and by exports."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from waypost.files.safe_cells import safe_cell

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""At the beginning of a file; without it a spreadsheet takes UTF-8 for the encoding of its country."""

CONTENT_TYPE: Final = "text/csv; charset=utf-8"


def csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows of texts in UTF-8 (RFC 4180), each cell made safe for a spreadsheet."""
    text = io.StringIO()
    csv.writer(text).writerows([[safe_cell(each) for each in row] for row in rows])
    return text.getvalue().encode("utf-8", "replace")
