"""WeCom messages, of three kinds.

- ``customer``: a task for the member who wrote last with the customer, who sends it with one tap; to an external_userid
- ``welcome``: to a customer whom a member has just added, at once and by itself; to the external_userid
- ``app``: from the company's app to a member of staff; to the member's userid

Sources: https://developer.work.weixin.qq.com/document/path/92135, .../92599 and .../90236
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Literal, assert_never, cast, get_args

from waypost.channels.contract import ChannelPlugin
from waypost.contacts.channels import Address
from waypost.contacts.profile import Contact
from waypost.content.message import PublishedMessage
from waypost.content.render import Filler

Kind = Literal["customer", "welcome", "app"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MOST_TEXT: Final[Mapping[Kind, int]] = {"customer": 4_000, "welcome": 4_000, "app": 2_048}
"""Bytes of a text, in UTF-8."""
MOST_OF_A_CARD: Final[Mapping[str, int]] = {"title": 128, "description": 512, "picture": 2_048, "image": 2_048}
"""Bytes of what a card or a picture of its own takes, in UTF-8."""
MOST_URL: Final = 2_048
FIELD: Final = "field."
"""How a text is named among the templates of a variant."""
DUPLICATE_WITHIN: Final = timedelta(minutes=10)
"""For how long WeCom is asked to deliver the same app message once."""
REPEATABLE: Final = timedelta(minutes=9)
"""How long the call of an app message may be repeated."""
_CUSTOMER: Final = re.compile(r"w[mo][A-Za-z0-9_-]{20,}")
"""An external_userid. A member's userid is chosen by the company and is shorter by far."""


@dataclass(frozen=True, slots=True)
class RenderedWeCom:
    """A WeCom message ready to send: ``text``, or a card of ``title``, ``description`` and ``picture`` that opens ``url``.

    A message to a customer may have both, and an ``image``. ``code`` is that of a welcome, and ``until`` when it ends, in seconds since 1970.
    """

    kind: Kind
    fields: Mapping[str, str]
    url: str = ""
    code: str = field(default="", repr=False)
    until: str = ""


class WeCom(ChannelPlugin[RenderedWeCom]):
    """WeCom messages. The templates are ``kind``, ``url``, ``field.<name>`` and of a welcome ``code`` and ``until``."""

    def addresses_for(self, message: PublishedMessage, contact: Contact) -> Sequence[Address]:
        """See ChannelPlugin: what is for members goes to no customer, nor the other way round."""
        is_for_customers = _kind_of(message) != "app"
        return [each for each in self.addresses(contact) if is_customer(each) is is_for_customers]

    def repeatable_for(self, message: PublishedMessage) -> timedelta | None:
        """See ChannelPlugin."""
        return REPEATABLE if _kind_of(message) == "app" else None

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedWeCom:
        """See ChannelPlugin."""
        fields = {
            name.removeprefix(FIELD): filler.required(filler.text(template).strip())
            for name, template in templates.items()
            if name.startswith(FIELD)
        }
        return RenderedWeCom(
            kind=cast("Kind", templates["kind"]),
            fields=fields,
            url=filler.text(templates["url"]).strip(),
            code=filler.text(templates.get("code", "")),
            until=filler.text(templates.get("until", "")),
        )

    def words(self, content: RenderedWeCom) -> str:
        """See ChannelPlugin: nobody reads the code of a welcome, in which any word may stand by chance."""
        return super().words(replace(content, code="", until=""))

    def over_limit(self, content: RenderedWeCom) -> str:
        """See ChannelPlugin."""
        if content.kind not in KINDS:
            return f"the kind {content.kind[:40]!r} is none; at most {len(KINDS)} exist"
        if (size := len(content.url.encode())) > MOST_URL:
            return f"url takes {size:,} bytes; at most {MOST_URL:,} are taken"
        limits = {"text": MOST_TEXT[content.kind], **MOST_OF_A_CARD}
        for name, value in content.fields.items():
            if (size := len(value.encode())) > limits[name]:
                return f"{name} takes {size:,} bytes; at most {limits[name]:,} are taken"
        return ""


def is_customer(address: Address) -> bool:
    """Whether the address is a customer's, not a member's."""
    return _CUSTOMER.fullmatch(address.text) is not None


def _kind_of(message: PublishedMessage) -> Kind:
    """What every variant of the message has in common."""
    variants = message.variants.get(CHANNEL.name) or {}
    kind = cast("Kind", next((templates.get("kind", "customer") for templates in variants.values()), "customer"))
    match kind:
        case "customer" | "welcome" | "app":
            return kind
        case _:
            assert_never(kind)


CHANNEL: Final = WeCom("wecom")
