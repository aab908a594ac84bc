"""Whether a rule of a journey holds for a contact and an event. Used by enrolment, waking and parking."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from waypost.contacts.profile import Contact
from waypost.events.history import EVER, EventHistory, since_under
from waypost.journeys.ports import EnrolmentStore
from waypost.segments.reads import Reads
from waypost.segments.subject import Enrolled, Subject, subject_of

__all__ = ["enrolments_for", "history_for", "holds", "subject_of"]

Rule = Mapping[str, Any]


def holds(rule: Rule | None, subject: Subject) -> bool:
    """Whether the rule selects the subject; no rule selects everybody."""
    return rule is None or _compiled(json.dumps(rule, sort_keys=True))(subject)


@lru_cache(maxsize=4096)
def _compiled(rule: str) -> Callable[[Subject], bool]:
    from waypost.segments.compile import compile_rule  # noqa: PLC0415 - the language loads with the first rule

    return compile_rule(json.loads(rule))


@lru_cache(maxsize=4096)
def _looked_at(rule: str) -> Reads:
    from waypost.segments.dependencies import reads  # noqa: PLC0415 - the language loads with the first rule

    return reads(json.loads(rule))


def history_for(
    rule: Rule | None, contact: Contact, history: EventHistory
) -> list[tuple[str, datetime, Mapping[str, Any]]]:
    """The events the rule asks about; nothing is read for a rule that asks about none."""
    if rule is None or not _looked_at(json.dumps(rule, sort_keys=True)).history:
        return []
    events = since_under(contact.partitions, history, EVER)
    return [(event.type, event.occurred_at, event.properties) for event in events]


def enrolments_for(rule: Rule | None, contact: Contact, enrolments: EnrolmentStore) -> list[Enrolled]:
    """The passages through journeys the rule asks about; nothing is read for a rule that asks about none."""
    if rule is None or not _looked_at(json.dumps(rule, sort_keys=True)).enrolments:
        return []
    return [
        Enrolled(each.journey, each.status, each.outcome, each.enrolled_at)
        for owner in contact.partitions
        for each in enrolments.of_contact(owner)
    ]
