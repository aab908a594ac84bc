"""WeChat messages: of one account, in one of five kinds, each with its own right to be sent.

- ``template``: about a service that the person asked for; never marketing
- ``subscription``: one message of an official account for each time that the person agreed to this template
- ``mini_program``: the same in a mini program
- ``customer_service``: free text or a link, for a while after the person wrote or did something
- ``reply``: text, a picture or a link, in the answer to WeChat's own call that says what the person wrote or did
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, TypeGuard, assert_never, cast, get_args

from waypost.channels.contract import CREDIT, ChannelPlugin, GivenRight
from waypost.channels.wechat.fields import value_problem
from waypost.contacts.channels import Address
from waypost.contacts.profile import Contact
from waypost.content.message import PublishedMessage
from waypost.content.render import Filler
from waypost.events.envelope import Event

Kind = Literal["template", "subscription", "mini_program", "customer_service", "reply"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MOST_BYTES: Final = 2_048
"""Of a customer-service message or a reply, in UTF-8. Source: error 45002 in the return codes of the official account."""
MOST_PAGE: Final = 1_024
"""Characters of a link or page."""
LONGEST_TEMPLATE_ID: Final = 100
ANSWERED_WITHIN: Final = timedelta(seconds=20)
"""Within how long of what happened WeChat takes a reply: it calls four times and waits five seconds each time.

Source: https://developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html"""
UNTIL: Final = "answered_until"
"""The property of the event that a reply answers: when WeChat takes it no more, in seconds since 1970."""
IMAGE: Final = "image"
"""The field with the media id of a picture."""
FIELD: Final = "field."
"""How a template's field is named among the templates of a variant."""
REPEATABLE: Final = timedelta(minutes=9)
"""How long a template message may be repeated with its ``client_msg_id``: WeChat sends one of an id within ten minutes."""


@dataclass(frozen=True, slots=True)
class RenderedWeChat:
    """A WeChat message ready to send.

    ``fields`` are those of the template ``template``, or ``text`` of a customer-service message or reply, or its ``title``,
    ``description`` and ``picture``, or ``image`` of a reply. ``url`` is what a tap opens, or else ``page`` of the mini program ``app_id``.
    A reply is taken ``until`` then, in seconds since 1970.
    """

    kind: Kind
    account: str
    template: str
    fields: Mapping[str, str]
    url: str = ""
    app_id: str = ""
    page: str = ""
    until: str = ""


_AFTER_A_MESSAGE, _AFTER_AN_ACT = "message", "act"


def _credit(template: str) -> str:
    return f"{CREDIT}{template}"


class WeChat(ChannelPlugin[RenderedWeChat]):
    """WeChat messages. The templates are ``kind``, ``account``, ``template``, ``url``, ``app_id``, ``page`` and ``field.<name>``."""

    def addresses_for(self, message: PublishedMessage, contact: Contact) -> Sequence[Address]:
        """See ChannelPlugin: a person has another openid in each account."""
        account = _of_message(message, "account")
        return [each for each in self.addresses(contact) if account_of(each) == account]

    def rights_for(self, message: PublishedMessage) -> Sequence[str]:
        """See ChannelPlugin."""
        match cast("Kind", _of_message(message, "kind")):
            case "template" | "reply":
                return ()
            case "subscription" | "mini_program":
                return (_credit(_of_message(message, "template")),)
            case "customer_service":
                return (_AFTER_A_MESSAGE, _AFTER_AN_ACT)
            case never:
                assert_never(never)

    def rights_in(self, event: Event) -> Sequence[GivenRight]:
        """See ChannelPlugin. Source: https://developers.weixin.qq.com/doc/service/guide/product/kf/intro.html."""
        openid, template = event.contact.get("openid", ""), event.properties.get("template")
        if not openid:
            return ()
        to = Address(self.name, "openid", openid)
        match event.type:
            case "wechat_subscription_accepted":
                return [GivenRight(address=to, name=_credit(template))] if _is_id(template) else ()
            case "wechat_message_received":
                return [GivenRight(address=to, name=_AFTER_A_MESSAGE, messages=5, within=timedelta(hours=48))]
            case _:  # wechat_followed, wechat_scanned, wechat_menu_clicked
                return [GivenRight(address=to, name=_AFTER_AN_ACT, messages=3, within=timedelta(minutes=1))]

    def repeatable_for(self, message: PublishedMessage) -> timedelta | None:
        """See ChannelPlugin."""
        match cast("Kind", _of_message(message, "kind")):
            case "template":
                return REPEATABLE
            case "reply":  # the person sees one of the answers to WeChat's repeated calls
                return ANSWERED_WITHIN
            case "subscription" | "mini_program" | "customer_service":
                return None
            case never:
                assert_never(never)

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedWeChat:
        """See ChannelPlugin."""
        fields = {
            name.removeprefix(FIELD): filler.required(filler.text(template).strip())
            for name, template in templates.items()
            if name.startswith(FIELD)
        }
        return RenderedWeChat(
            kind=cast("Kind", templates["kind"]),
            account=templates["account"],
            template=templates["template"],
            fields=fields,
            url=filler.text(templates["url"]).strip(),
            app_id=templates["app_id"],
            page=filler.text(templates["page"]).strip(),
            until=filler.text(templates.get("until", "")),
        )

    def words(self, content: RenderedWeChat) -> str:
        """See ChannelPlugin: no reader sees the id of a picture or when a reply ends, in which any word may stand by chance."""
        shown = {name: text for name, text in content.fields.items() if name != IMAGE}
        return super().words(replace(content, fields=shown, until=""))

    def over_limit(self, content: RenderedWeChat) -> str:
        """See ChannelPlugin: of fields also what they may hold."""
        for name in ("url", "page"):
            if (size := len(getattr(content, name))) > MOST_PAGE:
                return f"{name} has {size:,} characters; at most {MOST_PAGE:,} are taken"
        if content.kind not in KINDS:
            return f"the kind {content.kind[:40]!r} is none; at most {len(KINDS)} exist"
        match content.kind:
            case "template" | "subscription" | "mini_program":
                problems = ((name, value_problem(name, value)) for name, value in content.fields.items())
                return next((f"{name} {problem}" for name, problem in problems if problem), "")
            case "customer_service" | "reply":
                size = sum(len(value.encode()) for value in content.fields.values())
                return "" if size <= MOST_BYTES else f"takes {size:,} bytes; at most {MOST_BYTES:,} can be sent"
            case _:
                assert_never(content.kind)


def _is_id(template: object) -> TypeGuard[str]:
    return isinstance(template, str) and 0 < len(template) <= LONGEST_TEMPLATE_ID


def account_of(address: Address) -> str:
    """The account whose openid it is."""
    return address.text.partition(":")[0]


def openid_of(address: Address) -> str:
    """The openid, without its account."""
    return address.text.partition(":")[2]


def _of_message(message: PublishedMessage, name: str) -> str:
    """What every variant of the message has in common."""
    variants = message.variants.get(CHANNEL.name) or {}
    return next((templates.get(name, "") for templates in variants.values()), "")


CHANNEL: Final = WeChat("wechat")
