"""Whether a rule of a journey holds for a contact and an event. Used by enrolment, waking and parking."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from waypost.contacts.profile import Contact
from waypost.events.history import EVER, EventHistory, since_under
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.published import EventRule
from waypost.segments.reads import Reads
from waypost.segments.subject import Enrolled, Subject, subject_of

__all__ = ["EventRules", "asks_the_profile", "enrolments_for", "history_for", "holds", "subject_of"]

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


def asks_the_profile(rule: Rule | None) -> bool:
    """Whether the rule can be answered without what lies behind the contact: its events, its passages through journeys."""
    if rule is None:
        return True
    looked_at = _looked_at(json.dumps(rule, sort_keys=True))
    return not (looked_at.history or looked_at.enrolments)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """Asks whether an event is what the goal or an exit of a journey names."""

    default_zone: ZoneInfo
    enrolments: EnrolmentStore
    history: EventHistory

    def fits(
        self,
        rule: EventRule,
        contact: Contact,
        *,
        type: str,  # noqa: A002 - the word of events
        properties: Mapping[str, Any],
        trigger: Mapping[str, Any],
        now: datetime,
    ) -> bool:
        """Whether an event of this type and these properties fits the rule; ``trigger`` are those of the event that started the journey."""
        return rule.event == type and holds(
            rule.where,
            subject_of(
                contact,
                now=now,
                default_zone=self.default_zone,
                properties=properties,
                trigger=trigger,
                history=history_for(rule.where, contact, self.history),
                enrolments=enrolments_for(rule.where, contact, self.enrolments),
            ),
        )
