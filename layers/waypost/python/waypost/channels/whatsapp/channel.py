"""WhatsApp messages: a template that Meta approved, or a text while the person's conversation is open.

Sources: https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates and
https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Literal, assert_never, cast, get_args

from waypost.channels.contract import ChannelPlugin, GivenRight, words_of
from waypost.contacts.channels import Address
from waypost.content.link_rewriting import LinkRewriter
from waypost.content.message import PublishedMessage
from waypost.content.render import Filler
from waypost.events.envelope import Event

Kind = Literal["template", "text"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MOST_TEXT: Final = 4_096
MOST_BODY: Final = 1_024
MOST_HEADER: Final = 60
MOST_URL: Final = 2_000
"""Characters that Meta takes of a text, and of the parts of a template once they are filled in."""
WINDOW: Final = timedelta(hours=24)
"""How long after a person wrote anything but a template may be sent."""
MOST_IN_WINDOW: Final = 50
"""Texts in one window. Meta has no such limit: it bounds what is kept of an address."""
VALUE: Final = "value."
"""How a template's variable is named among the templates of a message."""

_CONVERSATION: Final = "conversation"
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")


def variables_of(text: str) -> list[str]:
    """The names of ``${name}`` in a part of a template, in their order."""
    return _VARIABLE.findall(text)


@dataclass(frozen=True, slots=True)
class RenderedWhatsApp:
    """A WhatsApp message ready to send.

    A template has a ``name`` and a ``language`` at Meta; ``header``, ``body``, ``footer``, ``button`` and ``url`` are its parts as
    they were approved, with ``${name}`` for each of ``values``; ``named`` says that Meta knows the variables by their names.
    A text has nothing but ``body``.
    """

    kind: Kind
    body: str
    name: str = ""
    language: str = ""
    named: bool = False
    header: str = ""
    footer: str = ""
    button: str = ""
    url: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def filled(self, part: str) -> str:
        """A part with its variables filled in."""
        return _VARIABLE.sub(lambda found: self.values.get(found[1], found[0]), part)

    @property
    def shown(self) -> str:
        """What is read on the phone, part after part."""
        parts = (self.header, self.body, self.footer, self.button, self.url)
        return "\n".join(self.filled(part) for part in parts if part)


class WhatsApp(ChannelPlugin[RenderedWhatsApp]):
    """WhatsApp messages. The templates are ``kind`` and those of ``RenderedWhatsApp``; ``value.<name>`` are the values."""

    def rights_for(self, message: PublishedMessage) -> Sequence[str]:
        """See ChannelPlugin: an approved template needs no open conversation."""
        variants = message.variants.get(self.name) or {}
        kind = next((templates["kind"] for templates in variants.values()), "template")
        match cast("Kind", kind):
            case "template":
                return ()
            case "text":
                return (_CONVERSATION,)
            case never:
                assert_never(never)

    def rights_in(self, event: Event) -> Sequence[GivenRight]:
        """See ChannelPlugin: whatever a person writes opens the conversation for a day."""
        phone = event.contact.get("phone", "")
        if not phone:
            return ()
        to = Address(self.name, "phone", phone)
        return [GivenRight(address=to, name=_CONVERSATION, messages=MOST_IN_WINDOW, within=WINDOW)]

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedWhatsApp:
        """See ChannelPlugin. A value is one line: Meta refuses line breaks, tabs and more than four blanks in a row."""
        if templates["kind"] == "text":
            return RenderedWhatsApp("text", filler.required(filler.text(templates["body"]).strip()))
        return RenderedWhatsApp(
            "template",
            templates["body"],
            name=templates["name"],
            language=templates["language"],
            named=templates["parameters"] == "named",
            header=templates["header"],
            footer=templates["footer"],
            button=templates["button"],
            url=templates["url"],
            values={
                name.removeprefix(VALUE): filler.required(" ".join(filler.text(template).split()))
                for name, template in templates.items()
                if name.startswith(VALUE)
            },
        )

    def tracked(self, content: RenderedWhatsApp, links: LinkRewriter) -> RenderedWhatsApp:
        """See ChannelPlugin: the links of a text and of values. What stands in an approved part stays as it was approved."""
        if content.kind == "text":
            return replace(content, body=links.shortened(content.body))
        in_url = set(variables_of(content.url))
        values = {name: value if name in in_url else links.shortened(value) for name, value in content.values.items()}
        return replace(content, values=values)

    def words(self, content: RenderedWhatsApp) -> str:
        """See ChannelPlugin: the parts as they are read."""
        return words_of(content.shown)

    def over_limit(self, content: RenderedWhatsApp) -> str:
        """See ChannelPlugin."""
        limits = {"body": MOST_TEXT} if content.kind == "text" else _LIMITS
        for part, most in limits.items():
            if (size := len(content.filled(getattr(content, part)))) > most:
                return f"{part} has {size:,} characters; at most {most:,} are taken"
        return ""


_LIMITS: Final = {"header": MOST_HEADER, "body": MOST_BODY, "url": MOST_URL}

CHANNEL: Final = WhatsApp("whatsapp")
