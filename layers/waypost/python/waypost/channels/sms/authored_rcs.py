"""``rcs`` in ``message.yaml``: what phones with RCS get in place of the text message. Used by ``authored``."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from waypost.channels.authored_contract import LocaleName, Source, UnusableFile
from waypost.channels.sms.channel import RCS
from waypost.channels.sms.rich_card import MOST_BUTTONS, MOST_LABEL, MOST_SECONDS, MOST_TITLE
from waypost.content.templates import TEXT
from waypost.durations import parse_duration


def _within(text: str) -> str:
    if parse_duration(text).total_seconds() > MOST_SECONDS:
        raise ValueError("should be two days at most")
    return text


_Words = dict[LocaleName, Annotated[str, Field(min_length=1)]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RcsButton(_Strict):
    """A button: its label by language, and the ``url`` that it opens or the ``reply`` that it sends."""

    label: dict[LocaleName, Annotated[str, Field(min_length=1, max_length=MOST_LABEL)]]
    url: str = ""
    reply: Annotated[str, Field(max_length=MOST_LABEL)] = ""


class Rcs(_Strict):
    """The card: ``text`` by language, left out where it is the text message's; ``within`` is how long it may take to arrive."""

    within: Annotated[str, AfterValidator(_within)] = "1h"
    title: dict[LocaleName, Annotated[str, Field(min_length=1, max_length=MOST_TITLE)]] = Field(default_factory=dict)
    text: _Words = Field(default_factory=dict)
    picture: Annotated[str, Field(pattern=r"^(https|s3)://\S+$")] | None = None
    buttons: Annotated[list[RcsButton], Field(max_length=MOST_BUTTONS)] = Field(default_factory=list)


def rcs_templates(source: Source, text: str) -> dict[str, str]:
    """The templates of the card in one language, checked. Raises UnusableFile."""
    rcs: Rcs | None = source.fields["rcs"]
    if rcs is None:
        return {}
    found = {
        "text": rcs.text.get(source.locale, text),
        "title": _in(rcs.title, source, "title") if rcs.title else "",
        "picture": rcs.picture or "",
        "seconds": str(int(parse_duration(rcs.within).total_seconds())),
        **dict(_buttons(rcs, source)),
    }
    for name, template in found.items():
        source.templates.check(source.manifest, f"rcs.{name}", template, TEXT)
    return {f"{RCS}{name}": template for name, template in found.items()}


def _buttons(rcs: Rcs, source: Source) -> Iterator[tuple[str, str]]:
    for number, button in enumerate(rcs.buttons):
        field = f"buttons[{number}]"
        if bool(button.url) == bool(button.reply):
            raise UnusableFile(
                source.manifest, f"rcs.{field}", "should have a url that it opens, or a reply that it sends"
            )
        if button.url and not button.url.startswith("https://"):
            raise UnusableFile(source.manifest, f"rcs.{field}.url", "should be an https address")
        yield f"button.{number}.label", _in(button.label, source, f"{field}.label")
        yield f"button.{number}.url", button.url
        yield f"button.{number}.reply", button.reply


def _in(words: dict[str, str], source: Source, field: str) -> str:
    if source.locale not in words:
        raise UnusableFile(source.manifest, f"rcs.{field}.{source.locale}", f"is missing: there is {source.path.name}")
    return words[source.locale]


FIELD: Final = (Rcs | None, Field(default=None))
