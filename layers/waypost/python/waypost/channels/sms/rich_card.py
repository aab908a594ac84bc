"""A text message as RCS shows it: a card with a picture and buttons, or a text with buttons. Used by the channel and its provider.

Source: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_RcsMessageContent.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MOST_TITLE: Final = 200
MOST_OF_A_CARD: Final = 2_000
MOST_TEXT: Final = 3_072
MOST_LABEL: Final = 25
MOST_URL: Final = 2_048
MOST_BUTTONS: Final = 4
MOST_SECONDS: Final = 172_800
"""How long the text message may be held back for a card that has not arrived."""


@dataclass(frozen=True, slots=True)
class Button:
    """What a tap does: it opens ``url``, or else answers with ``reply``."""

    label: str
    url: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class RichCard:
    """``picture`` is an https or S3 address, or empty. What has not arrived after ``seconds`` goes out as a text message."""

    text: str
    title: str
    picture: str
    buttons: tuple[Button, ...]
    seconds: int

    def over_limit(self) -> str:
        """Why RCS would not take it; "" when it would. Names the part, never its value."""
        most_text = MOST_OF_A_CARD if self._is_card else MOST_TEXT
        sizes = [("title", self.title, MOST_TITLE), ("text", self.text, most_text), ("picture", self.picture, MOST_URL)]
        for number, button in enumerate(self.buttons, start=1):
            sizes += [(f"label of button {number}", button.label, MOST_LABEL)]
            sizes += [(f"address of button {number}", button.url or button.reply, MOST_URL)]
        for name, value, most in sizes:
            if len(value) > most:
                return f"rcs: the {name} has {len(value):,} characters; at most {most:,} are taken"
        return ""

    @property
    def content(self) -> dict[str, Any]:
        """The card as AWS takes it."""
        buttons = [_suggestion(button, number) for number, button in enumerate(self.buttons, start=1)]
        if not self._is_card:
            suggested = {"Suggestions": buttons} if buttons else {}
            return {"Content": {"TextMessage": {"Body": self.text}}, **suggested}
        card: dict[str, Any] = {"Description": self.text}
        if self.title:
            card["Title"] = self.title
        if self.picture:
            card["Media"] = {"FileUrl": self.picture, "Height": "MEDIUM"}
        if buttons:
            card["Suggestions"] = buttons
        return {"Content": {"RichCard": {"CardOrientation": "VERTICAL", "CardContent": card}}}

    @property
    def _is_card(self) -> bool:
        return bool(self.title or self.picture)


def _suggestion(button: Button, number: int) -> Mapping[str, Any]:
    if button.url:
        return {"OpenUrl": {"Text": button.label, "PostbackData": f"button-{number}", "Url": button.url}}
    return {"Reply": {"Text": button.label, "PostbackData": button.reply}}
