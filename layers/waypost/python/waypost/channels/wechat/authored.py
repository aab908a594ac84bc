"""A WeChat message as authored: ``wechat`` in ``message.yaml`` names its kind, ``wechat.<locale>.yaml`` has its texts."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile, yaml_texts
from waypost.channels.wechat.channel import CHANNEL, FIELD, IMAGE, UNTIL, RenderedWeChat
from waypost.channels.wechat.fields import name_problem, value_problem
from waypost.content.templates import TEXT

AppId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
_Template = Annotated[str, Field(min_length=1, max_length=100)]
_Page = Annotated[str, Field(default="", max_length=1_024)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _PageOf(_Strict):
    app_id: AppId
    page: _Page


class TemplateMessage(_Strict):
    """About a service that the person asked for. ``url`` or the page of a mini program is what a tap opens."""

    kind: Literal["template"]
    account: AppId
    template: _Template
    url: _Page
    mini_program: _PageOf | None = None


class SubscriptionNotice(_Strict):
    """One for each time that the person agreed to the template in this official account."""

    kind: Literal["subscription"]
    account: AppId
    template: _Template
    url: _Page
    mini_program: _PageOf | None = None


class MiniProgramMessage(_Strict):
    """One for each time that the person agreed to the template in this mini program. ``page`` is what a tap opens there."""

    kind: Literal["mini_program"]
    account: AppId
    template: _Template
    page: _Page


class CustomerServiceMessage(_Strict):
    """An answer while the conversation is open: text, or a card with a title that opens ``url``."""

    kind: Literal["customer_service"]
    account: AppId
    url: _Page


class ReplyMessage(_Strict):
    """The answer to what somebody wrote or did, at once: text, a picture, or a card with a title that opens ``url``."""

    kind: Literal["reply"]
    account: AppId
    url: _Page


_Variant = TemplateMessage | SubscriptionNotice | MiniProgramMessage | CustomerServiceMessage | ReplyMessage
_CARD: Final = ("title", "description", "picture")
_OF_A_REPLY: Final = {"until": f"{{{{ event.properties.{UNTIL} | default('') }}}}"}


class AuthoredWeChat(AuthoredChannel):
    """The kind of the message and what it opens for all locales, and its texts by locale."""

    kind = "yaml"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {
        "wechat": (Annotated[_Variant, Field(discriminator="kind")] | None, Field(default=None))
    }

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        variant: _Variant | None = source.fields["wechat"]
        if variant is None:
            raise UnusableFile(
                source.manifest,
                "wechat",
                "is missing: {kind: template, account: <app id>, template: <id>} or another kind",
            )
        texts = yaml_texts(source, example="thing1: 您的订单已发货")
        template, url, app_id, page = _opens(source, variant, texts)
        for field, text in (("url", url), ("page", page)):
            source.templates.check(source.manifest, f"wechat.{field}", text, TEXT)
        for name, text in texts.items():
            _check(source, variant, name, text)
        compiled = {
            "kind": variant.kind,
            "account": variant.account,
            "template": template,
            "url": url,
            "app_id": app_id,
            "page": page,
            **(_OF_A_REPLY if variant.kind == "reply" else {}),
            **{f"{FIELD}{name}": text for name, text in texts.items()},
        }
        shown = RenderedWeChat(
            variant.kind,
            variant.account,
            template,
            {name: source.templates.shown(text, TEXT) for name, text in texts.items()},
        )
        if variant.kind in {"customer_service", "reply"} and (reason := CHANNEL.over_limit(shown)):
            raise UnusableFile(source.path, "", reason)
        return compiled

    def answers_at_once(self, variants: Mapping[str, Mapping[str, str]]) -> str:
        """See AuthoredChannel."""
        is_reply = all(templates["kind"] == "reply" for templates in variants.values())
        return "" if is_reply else "is no reply: write wechat: { kind: reply, account: <app id> }"

    def answers_only(self, variants: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        """See AuthoredChannel: what people do in another account is answered by that one."""
        return {"account": next(iter(variants.values()))["account"]}


def _opens(source: Source, variant: _Variant, texts: Mapping[str, str]) -> tuple[str, str, str, str]:
    """The id of the template, and the link, mini program and page that a tap opens. Raises UnusableFile."""
    match variant:
        case TemplateMessage() if source.is_marketing:
            raise UnusableFile(
                source.manifest,
                "kind",
                "a template message may not advertise, or WeChat bans the account: make the message transactional, if it is "
                "about something the person ordered or asked for, or send a subscription notice (wechat: {kind: subscription})",
            )
        case TemplateMessage() | SubscriptionNotice():
            of = variant.mini_program
            return variant.template, variant.url, of.app_id if of else "", of.page if of else ""
        case MiniProgramMessage():
            return variant.template, "", "", variant.page
        case CustomerServiceMessage():
            if ("text" in texts) == ("title" in texts) or (variant.url and "text" in texts):
                raise UnusableFile(source.path, "", "should have a text, or a title for a card that opens 'url'")
            return "", variant.url, "", ""
        case ReplyMessage():
            if len({"text", IMAGE, "title"} & texts.keys()) != 1 or (variant.url and "title" not in texts):
                raise UnusableFile(
                    source.path, "", "should have a text, an image, or a title for a card that opens 'url'"
                )
            if "title" in texts and not variant.url:
                raise UnusableFile(source.manifest, "wechat.url", "is missing: a card opens it")
            return "", variant.url, "", ""
        case _:
            assert_never(variant)


def _check(source: Source, variant: _Variant, name: str, text: str) -> None:
    """One text. Raises UnusableFile."""
    source.templates.check(source.path, name, text, TEXT)
    match variant:
        case TemplateMessage() | SubscriptionNotice() | MiniProgramMessage():
            problem = name_problem(name)
            if not problem and not ("{{" in text or "{%" in text):
                problem = value_problem(name, text)
        case CustomerServiceMessage():
            problem = (
                "" if name in {"text", *_CARD} else f"should be text, or {', '.join(_CARD)} of a card that opens a link"
            )
        case ReplyMessage():
            known = {"text", IMAGE, *_CARD}
            problem = (
                "" if name in known else f"should be text, image, or {', '.join(_CARD)} of a card that opens a link"
            )
        case _:
            assert_never(variant)
    if problem:
        raise UnusableFile(source.path, name, problem)
    if not text:
        raise UnusableFile(source.path, name, "is empty")


AUTHORED: Final = AuthoredWeChat()
