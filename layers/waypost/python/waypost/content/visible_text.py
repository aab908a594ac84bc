"""The words of a content as a reader sees them: of HTML without its tags, of a template without what fills it in. Used by checks of words."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

_TEMPLATE_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NOT_SHOWN: Final = re.compile(r"<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_NEXT_LINE: Final = re.compile(
    r"</?(?:blockquote|br|div|h[1-6]|hr|li|ol|p|table|tbody|td|th|tr|ul)\b[^>]*>", re.IGNORECASE
)
_NAMED: Final = re.compile(r"""<[^>]*\s(?:alt|title)=(?:"([^"]*)"|'([^']*)')[^>]*>""")
_TAG: Final = re.compile(r"<[a-zA-Z/!][^>]*>")


def visible(text: str) -> str:
    """The words of a text or of HTML; what stands in different blocks is in different lines."""
    if "<" not in text:
        return text
    shown = _NEXT_LINE.sub("\n", _NOT_SHOWN.sub("\n", text))
    shown = _NAMED.sub(lambda tag: f"\n{tag[1] or tag[2] or ''}\n", shown)
    return html.unescape(_TAG.sub("", shown))


def visible_of_template(template: str) -> str:
    """The words that a template has whatever fills it in; each value parts them like the end of a line."""
    return visible(_TEMPLATE_TAG.sub("\n", template))


def texts_in(content: Any) -> Iterator[str]:
    """Every text in a content, however deep: a dataclass, a mapping or a list."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for each in content.values():
            yield from texts_in(each)
    elif isinstance(content, list | tuple):
        for each in content:
            yield from texts_in(each)
    elif is_dataclass(content):
        for each in fields(content):
            yield from texts_in(getattr(content, each.name))
