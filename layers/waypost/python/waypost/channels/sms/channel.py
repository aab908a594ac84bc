"""Text messages: one template per locale, filled in to one text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.channels.sms.approved_template import ApprovedTemplate
from waypost.channels.sms.length import MOST_PARTS, sms_length
from waypost.content.render import Filler

MAINLAND_SIGNATURE: Final = "mainland:signature"
MAINLAND_TEMPLATE: Final = "mainland:template"
MAINLAND_TEXT: Final = "mainland:text"
MAINLAND_VALUE: Final = "mainland:value:"


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """An SMS ready to send. ``approved`` is the template that numbers of mainland China get in its place."""

    text: str
    approved: ApprovedTemplate | None = None


class Sms(ChannelPlugin[RenderedSms]):
    """Text messages. The template is ``text``; ``mainland:…`` are those of the approved one, if the message has it."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedSms:
        """See ChannelPlugin."""
        return RenderedSms(
            text=filler.required(filler.text(templates["text"]).strip()), approved=_approved(templates, filler)
        )

    def over_limit(self, content: RenderedSms) -> str:
        """See ChannelPlugin."""
        length = sms_length(content.text)
        if length.parts <= MOST_PARTS:
            return ""
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


CHANNEL: Final = Sms("sms")
