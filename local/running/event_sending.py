"""Sends one event, and before it what is known of the contact, and reports what the API answered. Called by ``waypost send-event``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from local.loopback import Answer
from local.problems import LocalError

_LISTS: Final = ("tags", "remove_tags", "groups", "leave_groups")
"""Traits that are lists of names; a text is split at its commas."""


class Sender(Protocol):
    """Posts calls to the webhooks."""

    def identify(self, user_id: str, traits: Mapping[str, Any], *, at: datetime) -> Answer: ...

    def track(self, user_id: str, event: str, properties: Mapping[str, Any], *, at: datetime) -> Answer: ...


class Outcome(StrEnum):
    """How the API took what was sent; its word in ``--json``."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNINGS = "accepted with warnings"


@dataclass(frozen=True, slots=True)
class SentEvent:
    """What the API answered to the event; ``warnings`` are those of the contact's traits too, as ``field: reason``."""

    outcome: Outcome
    status: int
    answer: Mapping[str, Any]
    warnings: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "outcome": self.outcome.value,
            "status": self.status,
            "answer": dict(self.answer),
            "warnings": list(self.warnings),
        }


def send_event(
    sender: Sender,
    user_id: str,
    event: str,
    *,
    properties: Mapping[str, Any],
    traits: Mapping[str, Any],
    at: datetime,
) -> SentEvent:
    """Send the traits, if there are any, then the event.

    Raises LocalError when the API refuses one of them, saying what was stored until then; a refusal of the traits keeps the event
    from being sent, so that the corrected command sends it once.
    """
    warnings: list[str] = []
    if traits:
        content = _accepted(
            sender.identify(user_id, traits, at=at),
            refused="what was to be known of the contact was refused and the event was not sent",
        )
        warnings += _warnings(content)
    answer = sender.track(user_id, event, properties, at=at)
    known = ", but what was to be known of the contact was accepted" if traits else ""
    content = _accepted(answer, refused=f"the event was refused{known}")
    warnings += _warnings(content)
    outcome = Outcome.ACCEPTED_WITH_WARNINGS if warnings else Outcome.ACCEPTED
    return SentEvent(outcome, answer.status, content, warnings)


def _accepted(answer: Answer, *, refused: str) -> dict[str, Any]:
    """The content of an answer that accepts. Raises LocalError otherwise: ``refused`` and the reasons."""
    content = _content(answer)
    if answer.status < 300 and content.get("accepted"):
        return content
    reasons = [f"{each['field']}: {each['reason']}" for each in content.get("errors", [])] or _warnings(content)
    if not reasons:
        reasons = [answer.body.decode(errors="replace")]
    status = f" with {answer.status}" if answer.status >= 300 else ""
    raise LocalError(f"{refused}{status}: {'; '.join(reasons)}", "correct it and send it again")


def _content(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; empty when there is none, as from a gateway that refuses."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _warnings(content: Mapping[str, Any]) -> list[str]:
    return [f"{each['field']}: {each['reason']}" for each in content.get("warnings", [])]


def texts_of(texts: Sequence[str], option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping, each value as it stands. Raises LocalError for one without a name."""
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise LocalError(f"{option} {text!r} is not NAME=VALUE", f"for example {option} state=shop-7")
        found[name] = value
    return found


def values_of(texts: Sequence[str], option: str) -> dict[str, Any]:
    """``NAME=VALUE`` texts as a mapping; a value that reads as JSON is taken as JSON, a dotted name goes into a mapping.

    Raises LocalError for a text without a name or a value, and for two that do not fit into one mapping.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        *outer, last = name.split(".")
        if not (all(outer) and last and separator):
            raise LocalError(f"{option} {text!r} is not NAME=VALUE", "for example -p coupon=WELCOME10")
        inside: Any = found
        for each in outer:
            inside = inside.setdefault(each, {}) if isinstance(inside, dict) else None
        if not isinstance(inside, dict) or last in inside:
            raise LocalError(f"{option} {text!r} gives {name} a second value", "write each name once")
        inside[last] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def traits_of(*, traits: Sequence[str], tags: Sequence[str], consents: Sequence[str]) -> dict[str, Any]:
    """What the options say of the contact, as the traits of an identify call. Raises LocalError."""
    found = values_of(traits, "--trait")
    for name in _LISTS:
        if name in found and not isinstance(found[name], list):
            found[name] = [each.strip() for each in str(found[name]).split(",")]
    if tags:
        found["tags"] = [*found.get("tags", []), *tags]
    if consents:
        given = found.setdefault("consent", {})
        if not isinstance(given, dict):
            raise LocalError(f"--trait consent={given!r} names no channel", "write --consent email")
        given |= dict(_consent(each) for each in consents)
    return found


def _consent(text: str) -> tuple[str, bool]:
    """``email``, ``email=true`` or ``email=false`` as channel and answer."""
    channel, separator, answer = text.partition("=")
    match answer if separator else "true":
        case "true" | "yes" if channel:
            return channel, True
        case "false" | "no" if channel:
            return channel, False
        case _:
            raise LocalError(f"--consent {text!r} is not CHANNEL or CHANNEL=false", "write --consent email")
