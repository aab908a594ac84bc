"""The charts of a persona card as inline SVG, drawn by pygal. Used by its page.

Bars lie on their side, because labels are words; two bars a value, the segment above the base. Nothing in a chart is
loaded from elsewhere and nothing in it runs; colours and fonts are the page's.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from waypost.audiences.persona_card import Chart
from waypost.audiences.persona_words import TEXTS, TITLES, label

WIDTH: Final = 470
LABEL_SIZE: Final = 13
_ROW: Final = 36
_FRAME: Final = 10
_NOT_NEEDED: Final = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<defs></defs>|<\?xml.*?\?>|<!--.*?-->|<desc\b.*?</desc>", re.DOTALL
)
"""Scripts, the library's own styles (5 KB a chart) and what its scripts would read; the page has one style for all."""


def bars(chart: Chart, language: str) -> str:
    """A dimension as SVG: class ``color-0`` is the segment, ``color-1`` the base."""
    texts = TEXTS[language]
    # a horizontal bar chart grows upwards, and a reader begins at the top
    upwards = list(reversed(chart.bars))
    return _drawn(
        [label(chart.dimension, bar.value, language) for bar in upwards],
        [
            (texts["here"], [bar.share for bar in upwards]),
            (texts["base"], [bar.base_share or None for bar in upwards]),
        ],
        title=TITLES[language][chart.dimension],
    )


def _drawn(labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]], *, title: str) -> str:
    library = _library()
    chart: Any = library.HorizontalBar(
        style=library.style.Style(label_font_size=LABEL_SIZE, value_font_size=12, font_family="sans-serif"),
        js=(),
        width=WIDTH,
        height=_FRAME + _ROW * len(labels),
        show_legend=False,
        show_x_labels=False,
        show_y_guides=False,
        print_values=True,
        print_values_position="top",
        spacing=2,
        margin=4,
        margin_left=4 + _missing_width(labels),
        margin_right=56,  # for the value of the longest bar
        range=(0, max(share or 0 for _, shares in series for share in shares)),
        truncate_label=-1,
        disable_xml_declaration=True,
        title=None,
        value_formatter=percent,
    )
    chart.uuid = "card"  # the library draws a random one: the same card should be the same file
    chart.x_labels = list(labels)
    for name, shares in series:
        chart.add(name, list(shares))
    drawn: str = chart.render(is_unicode=True)
    return (
        _NOT_NEEDED.sub("", drawn)
        .replace('<svg xmlns="http://www.w3.org/2000/svg" id="chart-card"', '<svg role="img"')
        .replace("<title>Pygal</title>", f"<title>{title}</title>", 1)
    )


@cache
def _library() -> Any:
    """pygal, without the finder of map plug-ins that it puts into every import of the process (and Python 3.11 warns of)."""
    import pygal  # noqa: PLC0415 - 60 ms that only a card needs
    import pygal.style  # noqa: PLC0415

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
    return pygal


def _missing_width(labels: Sequence[str]) -> int:
    """What the longest label needs beyond the room that the library leaves: it takes every character to be a Latin one."""
    needed = max(sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.62 for char in each) for each in labels)
    given = max(0.6 * len(each) for each in labels)
    return max(0, round((needed - given) * LABEL_SIZE))


def percent(share: float | None) -> str:
    """A part as people read it: 0.1234 is 12%, 0.0123 is 1.2%."""
    if not share:
        return "–"
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"
