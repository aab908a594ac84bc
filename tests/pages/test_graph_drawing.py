"""Drawings: XML that says what it shows, whatever the names are."""

import itertools
from html import escape
from xml.etree import ElementTree as ET

import pytest

from waypost.pages.graph_drawing import NARROW, WIDE, Arrow, Format, Picture, Shape, draw

HOSTILE = "</svg><script>alert(1)</script>\"'&{{ 7 }}"
SVG = "{http://www.w3.org/2000/svg}"


def picture(*names: str, text: str = "") -> Picture:
    """A chain of shapes; the last line has a text."""
    arrows = [Arrow(source=one, target=other, text=text) for one, other in itertools.pairwise(names)]
    return Picture(start=names[0], shapes=[Shape(name=n, caption="pause", title=n) for n in names], arrows=arrows)


def drawn(of: Picture, form: Format = WIDE) -> ET.Element:
    return ET.fromstring(draw(of, form=form, name="p", title="Way", description="Where it leads"))  # noqa: S314


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_it_says_to_a_screen_reader_what_it_is() -> None:
    root = drawn(picture("a", "b"))
    assert root.get("role") == "img"
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert [named[each] for each in root.get("aria-labelledby", "").split()] == ["Way", "Where it leads"]


def test_the_same_picture_is_the_same_bytes() -> None:
    once, again = (draw(picture("a", "b", text="x"), form=WIDE, name="p", title="t", description="d") for _ in range(2))
    assert once == again


@pytest.mark.parametrize("form", [WIDE, NARROW])
def test_names_are_text_and_nothing_else(form: Format) -> None:
    svg = draw(picture(HOSTILE, "b", text=HOSTILE), form=form, name="p", title=HOSTILE, description=HOSTILE)
    root = ET.fromstring(svg)  # noqa: S314
    assert not list(root.iter(f"{SVG}script"))
    assert escape(HOSTILE) in svg
    assert "style" not in {name for element in root.iter() for name in element.attrib}


@pytest.mark.parametrize(
    "name",
    [
        "Day 5, recommendation of everything that anybody has ever liked, with its coupon",
        "第五天上午十点以前向所有没有填写兴趣问卷的新用户发送包含通用优惠券的关怀提醒短信",
        "w" * 120,
    ],
)
@pytest.mark.parametrize("form", [WIDE, NARROW])
def test_a_long_name_is_broken_and_stays_whole_under_the_pointer(name: str, form: Format) -> None:
    root = drawn(picture(name, "b"), form)
    lines = [text for text in texts(root) if text not in {"pause", "b"}]
    assert len(lines) > 1
    shown = "".join(lines).replace(" ", "")
    assert shown == name.replace(" ", "") or (shown.endswith("…") and name in "".join(root.itertext()))


def test_what_is_inside_a_shape_is_drawn_in_it() -> None:
    body = Shape(name="body", caption="body", title="body", inside=[picture("a", "b"), picture("c")])
    root = drawn(Picture(start="body", shapes=[body], arrows=[]))
    frame = next(element for element in root.iter(f"{SVG}g") if "frame" in (element.get("class") or ""))
    width = float(frame.findall(f"{SVG}rect")[0].get("width", "0"))
    assert width > 2 * WIDE.shape
    assert texts(root)[:2] == ["body", "body"]
    assert {"a", "b", "c"} <= set(texts(root))


def test_a_drawing_alone_carries_its_style() -> None:
    svg = draw(picture("a"), form=WIDE, name="p", title="t", description="d", style=".graph { fill: red; }")
    assert "<style>.graph { fill: red; }</style>" in svg
    assert 'class="ground"' in svg
