"""Render a page as one self-contained HTML file. Used by every room that shows something to people.

A page holds its style sheet and loads nothing; its policy lets no script run and no other style apply. Values are
escaped by the template engine, whatever their source.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from minijinja import Environment, safe

from waypost.pages.texts import LANGUAGES, texts

_FOLDER: Final = Path(__file__).parent
_HTML: Final = ".html"


def render(template: str, *, language: str, **values: object) -> str:
    """The page ``templates/<template>.html`` in ``language``; ``values`` are what the template names, all of them."""
    words = texts(language)
    return _environment().render_template(
        template + _HTML,
        **values,
        _=words.gettext,
        language=language,
        languages=LANGUAGES,
        style=safe(style_sheet()),
        policy=content_policy(),
    )


def content_policy(**more: str) -> str:
    """A Content-Security-Policy (level 3) that allows the style sheet of the pages and, besides, what ``more`` names.

    ``more`` maps directives, with ``_`` for ``-``, to their sources: ``form_action="'self'"``.
    """
    directives = {
        "default-src": "'none'",
        "style-src": integrity(style_sheet()),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    directives |= {name.replace("_", "-"): sources for name, sources in more.items()}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def served(**more: str) -> dict[str, str]:
    """The headers of a page behind a link that is a secret: it is not cached, framed or indexed, and its address is not passed on."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": content_policy(frame_ancestors="'none'", **more),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }


def integrity(content: str) -> str:
    """The source of an inline style or script in a Content-Security-Policy: its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def markup(content: str) -> object:
    """Markup that was made of escaped texts, such as a drawing, for a template to show as it is."""
    return safe(content)


@cache
def style_sheet() -> str:
    """The one style sheet."""
    return (_FOLDER / "style.css").read_text(encoding="utf-8")


@cache
def drawing_style() -> str:
    """What of the style sheet a drawing needs that is a file of its own: the colours and the rules of drawings."""
    colours, _, rest = style_sheet().partition("* {")
    drawings = rest[rest.index("/* A drawing of a journey") :]
    return colours + drawings[: drawings.find("\n\n") + 1 or None]


@cache
def _environment() -> Environment:
    return Environment(
        loader=_template,
        auto_escape_callback=lambda _name: True,
        undefined_behavior="strict",
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> str:
    return (_FOLDER / "templates" / name).read_text(encoding="utf-8")
