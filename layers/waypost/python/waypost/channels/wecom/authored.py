"""A WeCom message as authored: ``wecom`` in ``message.yaml`` names its kind, ``wecom.<locale>.yaml`` has its texts."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, assert_never

from pydantic import BaseModel, ConfigDict, Field

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile, yaml_texts
from waypost.channels.wecom.channel import CHANNEL, FIELD, Kind, RenderedWeCom
from waypost.channels.wecom.welcome import CODE, UNTIL
from waypost.content.templates import TEXT

_CARD: Final = ("title", "description", "picture")
_FROM_WECOM: Final = re.compile(r"https?://([a-z0-9-]+\.)+qpic\.cn/\S+")
"""Where WeCom keeps a picture that was uploaded to it for messages (media/uploadimg); it takes no other."""
_OF_A_WELCOME: Final[Mapping[str, str]] = {
    "code": f"{{{{ event.properties.{CODE} | default('') }}}}",
    "until": f"{{{{ event.properties.{UNTIL} | default('') }}}}",
}


class Variant(BaseModel):
    """``kind``: to a ``customer``, sent by the member who wrote last with them; a ``welcome``; or by the ``app`` to a member."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    url: Annotated[str, Field(default="", max_length=2_048)]


class AuthoredWeCom(AuthoredChannel):
    """The kind of the message and what its card opens for all locales, and its texts by locale."""

    kind = "yaml"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {"wecom": (Variant | None, Field(default=None))}

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        variant: Variant | None = source.fields["wecom"]
        if variant is None:
            raise UnusableFile(source.manifest, "wecom", "is missing: {kind: customer}, {kind: welcome} or {kind: app}")
        texts = yaml_texts(source, example="text: 您好")
        _check_form(source, variant, texts)
        source.templates.check(source.manifest, "wecom.url", variant.url, TEXT)
        for name, text in texts.items():
            source.templates.check(source.path, name, text, TEXT)
        shown = {name: source.templates.shown(text, TEXT) for name, text in texts.items()}
        if reason := CHANNEL.over_limit(RenderedWeCom(variant.kind, shown)):
            raise UnusableFile(source.path, "", reason)
        return {
            "kind": variant.kind,
            "url": variant.url,
            **(_OF_A_WELCOME if variant.kind == "welcome" else {}),
            **{f"{FIELD}{name}": text for name, text in texts.items()},
        }

    def answers_at_once(self, variants: Mapping[str, Mapping[str, str]]) -> str:
        """See AuthoredChannel."""
        is_welcome = all(templates["kind"] == "welcome" for templates in variants.values())
        return "" if is_welcome else "is no welcome: write wecom: { kind: welcome }"


def _check_form(source: Source, variant: Variant, texts: Mapping[str, str]) -> None:
    """Raises UnusableFile for texts that no message of this kind has."""
    for name, text in texts.items():
        if name not in {"text", "image", *_CARD}:
            what = f"should be text, image, or {', '.join(_CARD)} of a card that opens a link"
            raise UnusableFile(source.path, name, what)
        if not text:
            raise UnusableFile(source.path, name, "is empty")
    has_card = any(name in texts for name in _CARD)
    if has_card and not (variant.url and "title" in texts):
        raise UnusableFile(source.path, "title", "and 'url' in message.yaml are both needed for a card")
    if variant.url and not has_card:
        raise UnusableFile(source.path, "title", "is missing: a card opens the url of message.yaml")
    match variant.kind:
        case "app":
            _check_app_message(source, texts, has_card=has_card)
        case "customer" | "welcome":
            if "image" in texts and not _FROM_WECOM.fullmatch(texts["image"]):
                where = "the address that WeCom answers to media/uploadimg (https://wework.qpic.cn/…)"
                raise UnusableFile(source.path, "image", f"should be {where}; the picture of a card may be anywhere")
        case _:
            assert_never(variant.kind)


def _check_app_message(source: Source, texts: Mapping[str, str], *, has_card: bool) -> None:
    """Raises UnusableFile for what an app message has no room for."""
    if ("text" in texts) == has_card:
        raise UnusableFile(source.path, "", "should have a text, or a card; an app message has no room for both")
    if has_card and "description" not in texts:
        raise UnusableFile(source.path, "description", "is missing: the card of an app message needs one")
    for name in ("picture", "image"):
        if name in texts:
            raise UnusableFile(source.path, name, "has no place in an app message")


AUTHORED: Final = AuthoredWeCom()
