"""Whether a rule of a journey holds for a contact and an event. Used by enrolment, waking and parking."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from waypost.contacts.profile import Contact
from waypost.events.history import EventHistory
from waypost.segments.compile import Subject, compile_rule, reads_history

Rule = Mapping[str, Any]

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A contact's events may be older than our record of the contact: the first one always is."""


def holds(rule: Rule | None, subject: Subject) -> bool:
    """Whether the rule selects the subject; no rule selects everybody."""
    return rule is None or _compiled(json.dumps(rule, sort_keys=True))(subject)


@lru_cache(maxsize=4096)
def _compiled(rule: str) -> Callable[[Subject], bool]:
    return compile_rule(json.loads(rule))


def subject_of(
    contact: Contact,
    *,
    now: datetime,
    properties: Mapping[str, Any] | None = None,
    trigger: Mapping[str, Any] | None = None,
    history: Sequence[tuple[str, datetime, Mapping[str, Any]]] = (),
) -> Subject:
    """The contact as rules see it, with the event at hand and the event that started the journey."""
    return Subject(
        attributes=contact.attributes,
        tags=contact.tags,
        consents=contact.consent,
        now=now,
        properties=properties or {},
        trigger=trigger or {},
        history=history,
    )


def history_for(
    rule: Rule | None, contact: Contact, history: EventHistory
) -> list[tuple[str, datetime, Mapping[str, Any]]]:
    """The events the rule asks about; nothing is read for a rule that asks about none."""
    if rule is None or not reads_history(rule):
        return []
    return [(event.type, event.occurred_at, event.properties) for event in history.since(contact.contact_id, EVER)]
