"""What readers of an inbox did, as the feed reports it: seen is an opening, and dismissed an event of its own."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from waypost.channels.contract import NoticeReader, Reported
from waypost.channels.inbox.box import Act
from waypost.clock import parse_instant
from waypost.events.message_events import MessageEvent

SOURCE: Final = "waypost.inbox"

_EVENTS: Final[Mapping[Act, MessageEvent]] = {"seen": "message_opened", "dismissed": "message_dismissed"}
_ACTS: Final[Mapping[str, Act]] = {act: act for act in get_args(Act)}


def detail_of(act: Act, tags: Mapping[str, str], *, at: str) -> dict[str, Any]:
    """What the feed says of an act; ``tags`` are those of the message, ``at`` an instant."""
    return {"act": act, "tags": dict(tags), "at": at}


def read_act(detail: Mapping[str, Any]) -> Reported:
    """See NoticeReader. Raises ValueError for an act that is none."""
    act = _ACTS.get(detail["act"])
    if act is None:
        raise ValueError(f"unknown act {detail['act']!r}")
    return Reported(
        event=_EVENTS[act],
        provider_word=act,
        provider_message_id=detail["tags"]["message_key"],
        tags=detail["tags"],
        occurred_at=parse_instant(detail["at"]),
    )


SOURCES: Final[Mapping[str, NoticeReader]] = {SOURCE: read_act}
