"""Text messages: one template per locale, filled in to one text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.channels.sms.approved_template import ApprovedTemplate
from waypost.channels.sms.length import MOST_PARTS, sms_length
from waypost.channels.sms.rich_card import MOST_BUTTONS, Button, RichCard
from waypost.contacts.channels import Address
from waypost.content.link_rewriting import LinkRewriter
from waypost.content.render import Filler

MAINLAND_SIGNATURE: Final = "mainland:signature"
MAINLAND_TEMPLATE: Final = "mainland:template"
MAINLAND_TEXT: Final = "mainland:text"
MAINLAND_VALUE: Final = "mainland:value:"
RCS: Final = "rcs:"
MAINLAND_CHINA: Final = "+86"
_NARROW: Final = "\u202f"
"""The narrow space of CLDR's times ("4:05 AM"): the only character of such a text that GSM-7 does not have, and a part more."""


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """An SMS ready to send. ``approved`` is the template that numbers of mainland China get in its place, ``card`` what RCS shows."""

    text: str
    approved: ApprovedTemplate | None = None
    card: RichCard | None = None


class Sms(ChannelPlugin[RenderedSms]):
    """Text messages. The template is ``text``; ``mainland:…`` are those of the approved one, if the message has it."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedSms:
        """See ChannelPlugin."""
        return RenderedSms(
            text=filler.required(filler.text(templates["text"]).strip().replace(_NARROW, " ")),
            approved=_approved(templates, filler),
            card=_card(templates, filler),
        )

    def tracks(self, to: Address) -> bool:
        """See ChannelPlugin. Mainland China's carriers take no personal links: Aliyun refuses links as variables, others any short link."""
        return not to.text.startswith(MAINLAND_CHINA)

    def tracked(self, content: RenderedSms, links: LinkRewriter) -> RenderedSms:
        """See ChannelPlugin. A text that would take more parts, each of which is paid for, keeps its links."""
        text = links.shortened(content.text)
        if sms_length(text).parts > sms_length(content.text).parts:
            links.forget()
            text = content.text
        return replace(content, text=text, card=_tracked(content.card, links) if content.card else None)

    def parts(self, content: RenderedSms) -> tuple[int, str]:
        """See ChannelPlugin."""
        length = sms_length(content.text)
        return length.parts, length.encoding

    def over_limit(self, content: RenderedSms) -> str:
        """See ChannelPlugin."""
        length = sms_length(content.text)
        if length.parts <= MOST_PARTS:
            return content.card.over_limit() if content.card else ""
        return f"takes {length.parts} SMS parts ({length.encoding}); at most {MOST_PARTS} can be sent"


def _approved(templates: Mapping[str, str], filler: Filler) -> ApprovedTemplate | None:
    if MAINLAND_TEMPLATE not in templates:
        return None
    return ApprovedTemplate(
        signature=templates[MAINLAND_SIGNATURE],
        code=templates[MAINLAND_TEMPLATE],
        text=templates[MAINLAND_TEXT],
        values={
            name.removeprefix(MAINLAND_VALUE): filler.text(template).strip()
            for name, template in templates.items()
            if name.startswith(MAINLAND_VALUE)
        },
    )


def _card(templates: Mapping[str, str], filler: Filler) -> RichCard | None:
    if f"{RCS}text" not in templates:
        return None
    filled = {
        name.removeprefix(RCS): filler.text(template).strip()
        for name, template in templates.items()
        if name.startswith(RCS)
    }
    return RichCard(
        filler.required(filled["text"]),
        filled["title"],
        filled["picture"],
        tuple(
            Button(filler.required(label), filled[f"button.{number}.url"], filled[f"button.{number}.reply"])
            for number in range(MOST_BUTTONS)
            if (label := filled.get(f"button.{number}.label"))
        ),
        int(filled["seconds"]),
    )


def _tracked(card: RichCard, links: LinkRewriter) -> RichCard:
    """The card with its links replaced; they cost no parts."""
    buttons = tuple(replace(each, url=links.shortened(each.url)) for each in card.buttons)
    return replace(card, text=links.shortened(card.text), buttons=buttons)


CHANNEL: Final = Sms("sms")
