"""A WhatsApp message as authored: ``whatsapp`` in ``message.yaml`` names its kind, ``whatsapp.<locale>.yaml`` has its texts.

Source of what Meta refuses: https://developers.facebook.com/docs/whatsapp/message-templates/guidelines and
https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates/components
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile, yaml_texts
from waypost.channels.reply_words import way_out_problem
from waypost.channels.whatsapp.channel import (
    CHANNEL,
    MOST_BODY,
    MOST_HEADER,
    MOST_URL,
    VALUE,
    RenderedWhatsApp,
    variables_of,
)
from waypost.content.templates import TEXT

_MOST_FOOTER: Final = 60
_MOST_BUTTON: Final = 25
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_AT_AN_END: Final = re.compile(r"^\s*\$\{|\}\s*$")
_ADJACENT: Final = re.compile(r"\}\s*\$\{")
_LINK: Final = re.compile(r"https://[^\s${}]+(\$\{[^{}]*\})?")
_FILLED_IN: Final = re.compile(r"\{\{|\{%")
_LONGEST: Final = {
    "header": MOST_HEADER,
    "body": MOST_BODY,
    "footer": _MOST_FOOTER,
    "button": _MOST_BUTTON,
    "url": MOST_URL,
}
_MAY_VARY: Final = ("header", "body", "url")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Template(_Strict):
    """A template as Meta approved it, in the language of each locale's file; ``variables`` are what fills it in.

    Where Meta counts the variables (``positional``), the first one declared that a part has is its ``{{1}}``.
    """

    kind: Literal["template"]
    template: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    category: Literal["marketing", "utility"]
    parameters: Literal["positional", "named"] = "positional"
    variables: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict
    )


class Text(_Strict):
    """A text, within a day of what the person wrote."""

    kind: Literal["text"]


_Variant = Template | Text


class AuthoredWhatsApp(AuthoredChannel):
    """The kind of the message and what fills it in for all locales, and the texts by locale, as Meta approved them."""

    kind = "yaml"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {
        "whatsapp": (Annotated[_Variant, Field(discriminator="kind")] | None, Field(default=None))
    }

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        variant: _Variant | None = source.fields["whatsapp"]
        match variant:
            case None:
                raise UnusableFile(
                    source.manifest,
                    "whatsapp",
                    "is missing: {kind: template, template: <its name>, category: marketing or utility} or {kind: text}",
                )
            case Text():
                return _text(source)
            case Template():
                return _template(source, variant)
            case _:
                assert_never(variant)

    def hints(self, templates: Mapping[str, str]) -> Iterator[str]:
        """See AuthoredChannel."""
        if templates["kind"] == "template" and "://" in templates["body"]:
            yield "the body has a link, which counts no clicks: let a variable bring it, or the button"


def _text(source: Source) -> dict[str, str]:
    """Raises UnusableFile."""
    if source.is_marketing:
        raise UnusableFile(
            source.manifest,
            "whatsapp.kind",
            "marketing goes out by an approved template: write {kind: template, category: marketing, template: <its name>}",
        )
    texts = yaml_texts(source, example="text: Your parcel is on its way")
    _only(source, texts, {"text"})
    text = texts.get("text", "")
    if not text:
        raise UnusableFile(source.path, "text", "is missing")
    source.templates.check(source.path, "text", text, TEXT)
    if reason := CHANNEL.over_limit(RenderedWhatsApp("text", source.templates.shown(text, TEXT))):
        raise UnusableFile(source.path, "text", reason)
    return {"kind": "text", "body": text}


def _template(source: Source, variant: Template) -> dict[str, str]:
    """Raises UnusableFile."""
    if source.is_marketing != (variant.category == "marketing"):
        needed = "marketing" if source.is_marketing else "utility"
        kind = "marketing" if source.is_marketing else "transactional"
        raise UnusableFile(
            source.manifest, "whatsapp.category", f"a {kind} message needs a template of the category {needed}"
        )
    texts = yaml_texts(source, example="body: Hi ${name}, your order is on its way.")
    _only(source, texts, {*_LONGEST, "language"})
    language = texts.pop("language", source.locale.replace("-", "_"))
    if not _LANGUAGE.fullmatch(language):
        raise UnusableFile(source.path, "language", f"should be Meta's code, such as en_US or zh_CN, not {language!r}")
    parts = {part: texts.get(part, "") for part in _LONGEST}
    for part, text in parts.items():
        for reason in _problems(part, text):
            raise UnusableFile(source.path, part, reason)
    if bool(parts["button"]) != bool(parts["url"]):
        raise UnusableFile(source.path, "url" if parts["button"] else "button", "is missing: a button opens a url")
    _check_variables(source, variant, parts)
    shown = RenderedWhatsApp(
        "template",
        parts["body"],
        header=parts["header"],
        url=parts["url"],
        values={name: source.templates.shown(each, TEXT) for name, each in variant.variables.items()},
    )
    if reason := CHANNEL.over_limit(shown):
        raise UnusableFile(source.path, "", reason)
    if source.is_marketing:
        language_of_readers = source.locale.split("-", maxsplit=1)[0]
        words = "\n".join(parts[part] for part in ("body", "footer"))
        if reason := way_out_problem(language_of_readers, words, message="a marketing template"):
            raise UnusableFile(source.path, "footer", reason)
    return {
        "kind": "template",
        "name": variant.template,
        "language": language,
        "parameters": variant.parameters,
        **parts,
        **{f"{VALUE}{name}": each for name, each in variant.variables.items()},
    }


def _only(source: Source, texts: Mapping[str, str], known: set[str]) -> None:
    for name in texts:
        if name not in known:
            raise UnusableFile(source.path, name, f"should be one of {', '.join(sorted(known))}")


def _problems(part: str, text: str) -> Iterator[str]:
    """Why Meta would not approve this part of a template."""
    if _FILLED_IN.search(text):
        yield "stands as it was approved: write ${name}, and under variables of message.yaml what fills it in"
    if len(text) > _LONGEST[part]:
        yield f"has {len(text):,} characters; at most {_LONGEST[part]:,} are taken"
    used = variables_of(text)
    if used and part not in _MAY_VARY:
        yield "can have no variable"
    yield from (
        f"has ${{{name}}} more than once: a variable may stand in it once"
        for name in dict.fromkeys(used)
        if used.count(name) > 1
    )
    match part:
        case "body":
            yield from _of_the_body(text)
        case "header" if len(used) > 1 or "\n" in text:
            yield "can have one variable and one line"
        case "url" if text and not _LINK.fullmatch(text):
            yield "should be an https address, with one variable at most, at its end"
        case _:
            pass


def _of_the_body(text: str) -> Iterator[str]:
    if not text:
        yield "is missing"
    if _AT_AN_END.search(text):
        yield "begins or ends with a variable, which Meta refuses: put words before and after it"
    if _ADJACENT.search(text):
        yield "has two variables side by side: put words between them"


def _check_variables(source: Source, variant: Template, parts: Mapping[str, str]) -> None:
    """Every variable of a part has a value for everybody, and every value its place. Raises UnusableFile."""
    used = {name for text in parts.values() for name in variables_of(text)}
    if missing := sorted(used - variant.variables.keys()):
        raise UnusableFile(
            source.manifest, f"whatsapp.variables.{missing[0]}", f"is missing: {source.path.name} has ${{{missing[0]}}}"
        )
    for name, template in variant.variables.items():
        field = f"whatsapp.variables.{name}"
        if name not in used:
            raise UnusableFile(source.manifest, field, f"{source.path.name} has no ${{{name}}}")
        source.templates.check(source.manifest, field, template, TEXT)
        if not source.templates.shown(template, TEXT).strip():
            raise UnusableFile(
                source.manifest,
                field,
                "is empty for a contact of whom nothing is known: give it a default, | default('…')",
            )


AUTHORED: Final = AuthoredWhatsApp()
