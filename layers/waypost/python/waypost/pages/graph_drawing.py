"""Draws a directed graph with regions inside its shapes as SVG. Used by the pages and the command that show journeys.

A drawing has the classes of ``style.css`` and no style of its own; alone in a file it carries the style sheet with it. Every
text that did not fit is in a ``title``, which browsers show under the pointer.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from waypost.pages.layered_layout import Box, Layout, Line, Place, Point, Route, lay_out

TEXT: Final = 13.0
SMALL: Final = 11.5
"""Sizes of text; what is small never goes below what a phone shows well."""
BOLD: Final = 1.1
"""How much wider a bold sign is."""
LEADING: Final = 1.3
PADDING: Final = 8.0
MOST_LINES: Final = 6
"""Lines of a shape's title, of its notes, and of a label."""
ARROW: Final = 6.0
BEND: Final = 0.5


class Format(NamedTuple):
    """How wide shapes and labels are, how many stand side by side, whether lines bend to save room, and the room in a frame."""

    name: str
    shape: float
    label: float
    most_abreast: int
    compact: bool
    frame: float


WIDE: Final = Format("wide", 176.0, 150.0, 100, False, 14.0)
NARROW: Final = Format("narrow", 140.0, 110.0, 2, True, 3.0)
"""For a screen, and for a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A line between two shapes of a picture; ``classes`` are of the style sheet, ``full`` is all of a shortened ``text``."""

    source: str
    target: str
    text: str = ""
    full: str = ""
    classes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A box: a small caption, a title, notes below it, and the pictures inside."""

    name: str
    caption: str
    title: str
    notes: Sequence[str] = ()
    classes: str = ""
    inside: Sequence["Picture"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Shapes, the lines between them, and where reading begins."""

    start: str
    shapes: Sequence[Shape]
    arrows: Sequence[Arrow]


@dataclass(frozen=True, slots=True)
class _Sized:
    """A picture or a shape whose size is known; ``draw`` gives its SVG at a place."""

    width: float
    height: float
    content: str


def draw(picture: Picture, *, form: Format, name: str, title: str, description: str, style: str = "") -> str:
    """The SVG of ``picture``, the same for the same picture. ``name`` makes its ids differ from those of another in the page.

    ``title`` and ``description`` are what a screen reader says of it. With ``style`` it is a file of its own.
    """
    drawn = _picture(picture, form)
    margin = 16 if style else 1
    left, width, height = -margin, drawn.width + 2 * margin, drawn.height + 2 * margin
    ground = f'<rect class="ground" x="{left}" y="{left}" width="{_n(width)}" height="{_n(height)}"/>'
    alone = f"<style>{style}</style>\n{ground}\n" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" '
        f'aria-labelledby="{name}-title {name}-description" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="{left} {left} {_n(width)} {_n(height)}">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-description">{escape(description)}</desc>\n'
        f"{alone}{drawn.content}</svg>\n"
    )


def _picture(picture: Picture, form: Format) -> _Sized:
    shapes = {shape.name: _shape(shape, form) for shape in picture.shapes}
    labels = [_fold(arrow.text, form.label, SMALL * BOLD) if arrow.text else [] for arrow in picture.arrows]
    lines = [
        Line(arrow.source, arrow.target, _label_box(label) if label else None)
        for arrow, label in zip(picture.arrows, labels, strict=True)
    ]
    boxes = {name: Box(shape.width, shape.height) for name, shape in shapes.items()}
    layout = lay_out(boxes, lines, start=picture.start, most_abreast=form.most_abreast, compact=form.compact)
    parts = [_arrow(arrow, route) for arrow, route in zip(picture.arrows, layout.routes, strict=True)]
    parts += [_at(layout.places[name], shape.content) for name, shape in shapes.items()]
    parts += list(_labels(picture.arrows, labels, layout))
    return _Sized(layout.width, layout.height, "".join(parts))


def _shape(shape: Shape, form: Format) -> _Sized:
    inside = [_picture(each, form) for each in shape.inside]
    inner = sum(each.width for each in inside) + form.frame * (len(inside) - 1)
    width = max(form.shape, inner + 2 * form.frame) if inside else form.shape
    caption = _fold(shape.caption, width - 2 * PADDING, SMALL)
    title = _fold(shape.title, width - 2 * PADDING, TEXT * BOLD)
    notes = [line for note in shape.notes for line in _fold(note, width - 2 * PADDING, SMALL)]
    text, bottom = _text(
        [("caption", SMALL, line) for line in caption]
        + [("name", TEXT, line) for line in title]
        + [("note", SMALL, line) for line in notes],
        PADDING,
    )
    height = bottom + PADDING * 0.8
    parts = []
    if inside:
        left, top = (width - inner) / 2, height + form.frame / 2
        for each in inside:
            parts.append(f'<g transform="translate({_n(left)} {_n(top)})">{each.content}</g>\n')
            left += each.width + form.frame
        height = top + max(each.height for each in inside) + form.frame
    frame = f'<rect width="{_n(width)}" height="{_n(height)}" rx="9"/>'
    kind = "frame" if inside else "shape"
    full = f"<title>{escape(shape.title)}</title>" if _is_shortened(title) else ""
    return _Sized(width, height, f'<g class="{kind} {shape.classes}">{full}{frame}\n{text}</g>\n' + "".join(parts))


def _text(lines: Sequence[tuple[str, float, str]], left: float) -> tuple[str, float]:
    """Lines of text below each other, and where the last one ends."""
    found, bottom = [], PADDING * 0.7
    for kind, size, line in lines:
        bottom += size * LEADING
        found.append(f'<text class="{kind}" x="{_n(left)}" y="{_n(bottom - size * 0.28)}">{escape(line)}</text>\n')
    return "".join(found), bottom


def _at(place: Place, content: str) -> str:
    return f'<g transform="translate({_n(place.x)} {_n(place.y)})">{content}</g>\n'


def _label_box(lines: Sequence[str]) -> Box:
    return Box(max(_width(line, SMALL * BOLD) for line in lines) + 12, len(lines) * SMALL * LEADING + 5)


def _labels(arrows: Sequence[Arrow], labels: Sequence[Sequence[str]], layout: Layout) -> Iterator[str]:
    for arrow, lines, route in zip(arrows, labels, layout.routes, strict=True):
        if route.label is None:
            continue
        full = f"<title>{escape(arrow.full)}</title>" if arrow.full and arrow.full != arrow.text else ""
        texts = "".join(
            f'<text x="{_n(route.label.width / 2)}" y="{_n(2 + (index + 1) * SMALL * LEADING - SMALL * 0.25)}">'
            f"{escape(line)}</text>"
            for index, line in enumerate(lines)
        )
        frame = f'<rect width="{_n(route.label.width)}" height="{_n(route.label.height)}" rx="6"/>'
        yield _at(route.label, f'<g class="label {arrow.classes}">{full}{frame}{texts}</g>')


def _arrow(arrow: Arrow, route: Route) -> str:
    path, tip = (
        _loop(route) if route.points[0].x == route.points[-1].x and arrow.source == arrow.target else _path(route)
    )
    return f'<g class="way {arrow.classes}"><path d="{path}"/><path class="tip" d="{tip}"/></g>\n'


def _path(route: Route) -> tuple[str, str]:
    """A smooth line through the points, and its tip. It passes every rank upright."""
    points = route.points
    up = points[-1].y < points[0].y
    end = points[-1]
    short = Point(end.x, end.y + ARROW if up else end.y - ARROW)
    found = [f"M{_n(points[0].x)} {_n(points[0].y)}"]
    before = points[0]
    for point in (*points[1:-1], short):
        middle = before.y + (point.y - before.y) * BEND
        if point.x == before.x:
            found.append(f"V{_n(point.y)}")
        else:
            found.append(f"C{_n(before.x)} {_n(middle)} {_n(point.x)} {_n(middle)} {_n(point.x)} {_n(point.y)}")
        before = point
    side = ARROW * 0.7
    return "".join(found), f"M{_n(end.x)} {_n(end.y)}L{_n(end.x - side)} {_n(short.y)}H{_n(end.x + side)}Z"


def _loop(route: Route) -> tuple[str, str]:
    """A line that leaves the right side of a shape and comes back to it."""
    begin, end = route.points
    far = begin.x + 22
    path = f"M{_n(begin.x)} {_n(begin.y)}C{_n(far)} {_n(begin.y)} {_n(far)} {_n(end.y)} {_n(end.x + ARROW)} {_n(end.y)}"
    side = ARROW * 0.7
    return path, f"M{_n(end.x)} {_n(end.y)}L{_n(end.x + ARROW)} {_n(end.y - side)}V{_n(end.y + side)}Z"


def _fold(text: str, width: float, size: float) -> list[str]:
    """The lines of a text in so much room: broken between words, or between signs of a script without spaces."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and _width((line + piece).rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
        for sign in piece if not line and _width(piece.rstrip(), size) > width else [piece]:
            if line and _width(line + sign, size) > width:
                lines.append(line)
                line = ""
            line += sign
    lines.append(line.rstrip())
    if len(lines) > MOST_LINES:
        return [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][:-1] + "…"]
    return lines


def _pieces(text: str) -> Iterator[str]:
    """What a line may be broken behind: a word with its space, or one wide sign."""
    word = ""
    for sign in " ".join(text.split()):
        if _is_wide(sign):
            if word:
                yield word
            word = ""
            yield sign
        else:
            word += sign
            if sign == " ":
                yield word
                word = ""
    if word:
        yield word


def _is_shortened(lines: Sequence[str]) -> bool:
    return lines[-1].endswith("…")


_NARROW_SIGNS: Final = frozenset("iljtfrI.,:;'|!()[] ·-")
_BROAD_SIGNS: Final = frozenset("mwMW@%—…→")


def _width(text: str, size: float) -> float:
    """The width of a text, rather too much than too little: no font is at hand where a page is made."""
    return size * sum(_sign_width(sign) for sign in text)


def _sign_width(sign: str) -> float:
    if _is_wide(sign):
        return 1.0
    if sign in _NARROW_SIGNS:
        return 0.36
    if sign in _BROAD_SIGNS:
        return 0.94
    return 0.7 if sign.isupper() else 0.61


def _is_wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in {"W", "F"}


def _n(number: float) -> str:
    """A length with one decimal at most."""
    return f"{number:.1f}".removesuffix(".0")
