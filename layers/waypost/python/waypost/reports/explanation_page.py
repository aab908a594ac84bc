"""The page and the text that explain why messages were (not) sent. Used by explain_contact and ``waypost why``.

A page is one file in all languages; it names the contact by its id alone.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel, declared_channels
from waypost.pages.rendering import render
from waypost.pages.texts import LANGUAGES, Texts, gettext_noop, texts
from waypost.reports.journey_picture import OUTCOMES, local
from waypost.reports.message_explanation import Absence, ExplainedDecision, ExplainedMessage, Explanation

MOST_SHOWN: Final = 100
"""Messages in a page, the latest ones."""

STATES: Final = {
    **OUTCOMES,
    "accepted": gettext_noop("sent"),
    "delivered": gettext_noop("delivered"),
    "bounced": gettext_noop("bounced"),
    "complained": gettext_noop("reported as unwanted"),
}


def explanation_page(explanation: Explanation, *, now: datetime, language: str) -> str:
    """The explanation as a page, the latest message first; ``language`` is the one shown first."""
    return render(
        "message_explanation",
        language=language,
        contact_id=explanation.contact_id,
        zone=explanation.zone.key,
        translations=[_translation(explanation, now, texts(each)) for each in LANGUAGES],
    )


def _translation(explanation: Explanation, now: datetime, words: Texts) -> dict[str, Any]:
    zone, latest = explanation.zone, reversed(explanation.messages[-MOST_SHOWN:])
    return {
        "language": words.language,
        "gettext": words.gettext,
        "at": local(now, zone, words),
        "messages": [_message(each, zone, words) for each in latest],
        "absence": _absence(explanation.absence, zone, words) if explanation.absence else None,
    }


def _message(message: ExplainedMessage, zone: ZoneInfo, words: Texts) -> dict[str, Any]:
    return {
        "name": message.message,
        "step": message.step,
        "key": message.message_key,
        "state": words.gettext(STATES[message.state]),
        "reason": message.reason,
        "is_sent": bool(message.decisions) and message.decisions[-1].outcome == "sent",
        "next": local(message.next_possible_at, zone, words) if message.next_possible_at else "",
        "help": words.gettext(message.what_would_help),
        "decisions": [_decision(each, zone, words) for each in message.decisions],
    }


def _decision(decision: ExplainedDecision, zone: ZoneInfo, words: Texts) -> dict[str, Any]:
    return {
        "at": local(decision.at, zone, words),
        "outcome": words.gettext(OUTCOMES[decision.outcome]),
        "channel": _channel(decision.channel, words),
        "reason": decision.reason,
        "next": local(decision.next_possible_at, zone, words) if decision.next_possible_at else "",
        "policy": decision.policy,
        "guards": [
            {"title": words.gettext(each.title), "saw": each.saw, "decided": each.decided} for each in decision.guards
        ],
        "elsewhere": [
            {
                "channel": _channel(each.channel, words),
                "reason": each.reason,
                "help": words.gettext(each.what_would_help),
            }
            for each in decision.elsewhere
        ],
    }


def _absence(absence: Absence, zone: ZoneInfo, words: Texts) -> dict[str, str]:
    return {
        "journey": absence.journey,
        "message": absence.message,
        "reason": absence.reason,
        "detail": absence.detail,
        "next": local(absence.next_possible_at, zone, words) if absence.next_possible_at else "",
        "help": words.gettext(absence.what_would_help),
    }


def _channel(name: str | None, words: Texts) -> str:
    known = declared_channels().get(Channel(name or ""))
    return known.names[words.language] if known else name or ""


def explanation_text(explanation: Explanation) -> Iterator[str]:
    """The explanation as lines of text, the oldest message first."""
    for message in explanation.messages:
        yield f"{message.message} ({message.step}), {message.message_key}: {message.state}"
        for decision in message.decisions:
            yield f"  {decision.local_time}  {decision.outcome}: {decision.reason}" + _on(decision.channel)
            for guard in decision.guards:
                mark = "✗" if guard.decided else "✓"
                yield f"    {mark} {guard.guard}" + (f": {guard.saw}" if guard.saw else "")
            for other in decision.elsewhere:
                yield f"    not on {other.channel}: {other.reason}. {other.what_would_help}"
            if decision.policy:
                yield f"    sending policy {decision.policy}"
        yield from _way_out(message.next_possible_at, message.what_would_help, explanation.zone)
    if absence := explanation.absence:
        yield f"{absence.journey} {absence.message}".rstrip() + f": {absence.reason} {absence.detail}".rstrip()
        yield from _way_out(absence.next_possible_at, absence.what_would_help, explanation.zone)


def _on(channel: str | None) -> str:
    return f" ({channel})" if channel else ""


def _way_out(next_possible_at: datetime | None, what_would_help: str, zone: ZoneInfo) -> Iterator[str]:
    if next_possible_at:
        yield f"  next: {next_possible_at.astimezone(zone).isoformat(timespec='minutes')}"
    if what_would_help:
        yield f"  what would help: {what_would_help}"
