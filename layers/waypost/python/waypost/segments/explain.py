"""Why a contact is in a segment or not: the rule as a tree, with the values that decided. Used by the command line and tasks.

Every condition is decided by the same compiled code that decides membership; only the words around it are made here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from waypost.contacts.channels import ADDRESS_ATTRIBUTE, CHANNELS
from waypost.contacts.profile import ALL_TOPICS
from waypost.segments import behaviour
from waypost.segments.buckets import bucket
from waypost.segments.calendar import age_at, day_of, local
from waypost.segments.comparing import look_up
from waypost.segments.compile import compile_rule, matching
from waypost.segments.membership import BUCKETS, deciding_answer, message_key
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import (
    ANY_CHANNEL,
    KEY_WORDS,
    LIFECYCLE_CHANGED,
    WINDOW_WORDS,
    Rule,
    arrivals_as_event,
    engagement_as_event,
    expand_where,
    names_of,
)
from waypost.segments.wording import Language, label, measure_of, say, shown, unit, wanted_of


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule and what became of it: ``label`` says the rule, ``values`` what decided it ("" for all, any, not)."""

    label: str
    holds: bool
    values: str = ""
    children: tuple["Explanation", ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "label": self.label,
            "holds": self.holds,
            "values": self.values,
            "children": [child.to_dict() for child in self.children],
        }

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The tree as text, a line each: ✓ or ✗, what the rule says, and the values that decided."""
        values = f"  [{self.values}]" if self.values else ""
        yield f"{'  ' * indent}{'✓' if self.holds else '✗'} {self.label}{values}"
        for child in self.children:
            yield from child.lines(indent + 1)


def explain(rule: Mapping[str, Any] | None, subject: Subject, *, language: Language = "en") -> Explanation:
    """The rule asked of the subject, condition by condition. Raises InvalidInput for what is not a rule.

    ``subject`` needs the history and the enrolments that ``reads(rule)`` names.
    """
    if rule is None:
        return Explanation("everybody" if language == "en" else "所有人", holds=True)
    compile_rule(rule)  # says what is wrong with any part before a part is explained
    return _explained(expand_where(rule, KEY_WORDS), subject, language)


def _explained(rule: Rule, subject: Subject, language: Language) -> Explanation:
    match rule:
        case {"all": rules}:
            children = tuple(_explained(each, subject, language) for each in rules)
            return Explanation(label(rule, language), all(each.holds for each in children), children=children)
        case {"any": rules}:
            children = tuple(_explained(each, subject, language) for each in rules)
            return Explanation(label(rule, language), any(each.holds for each in children), children=children)
        case {"not": inner}:
            child = _explained(inner, subject, language)
            return Explanation(label(rule, language), not child.holds, children=(child,))
        case _:
            return Explanation(label(rule, language), compile_rule(rule)(subject), _values(rule, subject, language))


def moment(at: datetime, zone: ZoneInfo) -> str:
    """An instant where the contact lives: ``2026-11-01 12:30 +08:00``."""
    there = local(at, zone)
    offset = there.strftime("%z")
    return f"{there:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"


def _values(rule: Rule, subject: Subject, language: Language) -> str:  # noqa: C901, PLR0911, PLR0912 - one branch per key word
    zone = subject.zone
    match rule:
        case {"attribute": name}:
            return _value(rule, name, look_up(subject.attributes, name), subject, language)
        case {"property": name}:
            return _value(rule, name, look_up(subject.properties, name), subject, language)
        case {"metric": name}:
            return _value(rule, name, look_up(subject.metrics, name), subject, language)
        case {"engagement": _, "of_last": int()}:
            return _of_last(rule, subject, language)
        case {"engagement": _}:
            return _events(engagement_as_event(rule), subject, language)
        case {"event": _}:
            return _events(rule, subject, language)
        case {"tag": names}:
            return _named(names, subject.tags, subject.tagged_at, subject, language)
        case {"group": names}:
            return _named(names, subject.groups, {}, subject, language)
        case {"segment": names}:
            return _named(names, subject.segments, subject.segments, subject, language)
        case {"lifecycle": _}:
            began = [
                at for kind, at, p in subject.history if kind == LIFECYCLE_CHANGED and p.get("to") == subject.lifecycle
            ]
            since = f", {say('since', language, moment(max(began), zone))}" if began else ""
            return f"lifecycle = {subject.lifecycle or '–'}{since}"
        case {"points": _}:
            return f"points = {subject.points}"
        case {"created": _}:
            return moment(subject.created_at, zone) if subject.created_at else say("missing", language)
        case {"now": _}:
            return f"{moment(subject.now, zone)} {local(subject.now, zone):%a}"
        case {"locale": _}:
            return _value({}, "locale", subject.attributes.get("locale"), subject, language)
        case {"region": _}:
            return ", ".join(
                _value({}, each, subject.attributes.get(each), subject, language) for each in ("city", "province")
            )
        case {"consent": channel}:
            return _consent(channel, rule.get("topic") or ALL_TOPICS, subject)
        case {"suppressed": _}:
            return shown(subject.suppressions) or "–"
        case {"reachable": channel}:
            return "; ".join(_reach(each, rule.get("topic") or ALL_TOPICS, subject) for each in _channels(channel))
        case {"address": channel}:
            return ", ".join(
                f"{ADDRESS_ATTRIBUTE[each]} = {shown(subject.attributes.get(ADDRESS_ATTRIBUTE[each]) or '–')}"
                for each in _channels(channel)
            )
        case {"identity": kind}:
            return f"{kind} = {shown(subject.identities.get(kind, ())) or '–'}"
        case {"journey": names}:
            return _journeys(names_of(names), subject)
        case {"bucket": part} | {"holdout": part}:
            return f"{bucket(subject.contact_id, part['salt'], BUCKETS) * 100 / BUCKETS:.2f} %"
        case _:
            return ""


def _value(rule: Rule, name: str, value: Any, subject: Subject, language: Language) -> str:
    if value is None:
        return f"{name} {say('missing', language)}"
    text = f"{name} = {shown(value)}"
    day = day_of(value, subject.zone)
    if day is not None and "age" in rule:
        return f"{text} ({age_at(day, local(subject.now, subject.zone).date())})"
    if day is not None and any(word in rule for word in WINDOW_WORDS):
        return f"{text} (now {moment(subject.now, subject.zone)})"
    if "equals_trigger" in rule:
        return f"{text}; trigger: {shown(look_up(subject.trigger, rule['equals_trigger']))}"
    return text


def _events(rule: Rule, subject: Subject, language: Language) -> str:
    """How many events matched, what was wanted, when the last one was."""
    events = matching(rule)(subject)
    if rule.get("occurrence") is not None:
        return _occurrence(rule["occurrence"], events, subject, language)
    found = behaviour.measured(rule, subject, events)
    what = measure_of(rule, language)
    got = f"{what} = {shown(found) if found is not None else '–'}" if what else f"{found} {unit(rule, language, found)}"
    wanted = (
        wanted_of({key: value for key, value in rule.items() if key != "count"}, language)
        .removesuffix(" times")
        .removesuffix(" 次")
    )
    parts = [got]
    if wanted and not what:
        parts.append(say("wanted", language, wanted))
    last = f"; {say('last', language, moment(events[-1][0], subject.zone))}" if events else ""
    return ", ".join(parts) + last


def _occurrence(which: Any, events: list[behaviour.Happened], subject: Subject, language: Language) -> str:
    place = {"first": 0, "last": -1}.get(which, which - 1 if isinstance(which, int) else 0)
    if len(events) <= max(place, 0):
        return say("nothing", language)
    at, properties = events[place]
    more = f", {shown(properties)}" if properties else ""
    return f"{moment(at, subject.zone)}{more}"


def _of_last(rule: Rule, subject: Subject, language: Language) -> str:
    kept = {word: rule[word] for word in ("channel", "of_journey") if word in rule}
    arrived = matching(arrivals_as_event(rule))(subject)[-rule["of_last"] :]
    done = matching(engagement_as_event({**kept, "engagement": rule["engagement"]}))(subject)
    keys = {message_key(properties) for _, properties in done}
    count = sum((message_key(properties) or "") in keys for _, properties in arrived)
    return f"{count} / {len(arrived)}, {say('wanted', language, wanted_of(rule, language) or 'at least 1')}"


def _named(names: Any, had: Any, since: Mapping[str, datetime], subject: Subject, language: Language) -> str:
    """Which of the names the contact has, with since when."""
    found = [name for name in names_of(names) if name in had]
    shown_names = [
        f"{name} ({say('since', language, moment(since[name], subject.zone))})" if name in since else name
        for name in found
    ]
    return shown(shown_names) or "–"


def _consent(channel: str, topic: str, subject: Subject) -> str:
    answer = deciding_answer(subject.consent_answers, channel, topic)
    state = subject.consents(channel, topic)
    return f"{channel}: {state}" + (f", {moment(answer.at, subject.zone)} ({answer.source})" if answer else "")


def _reach(channel: Any, topic: str, subject: Subject) -> str:
    address = "✓" if subject.attributes.get(ADDRESS_ATTRIBUTE[channel]) else "✗"
    suppressed = subject.suppressions.get(channel)
    return f"{channel}: address {address}, {subject.consents(channel, topic)}" + (
        f", {suppressed}" if suppressed else ""
    )


def _channels(channel: str) -> list[Any]:
    return [each for each in CHANNELS if channel in {each, ANY_CHANNEL}]


def _journeys(names: list[str], subject: Subject) -> str:
    found = sorted((each for each in subject.enrolments if each.journey in names), key=lambda each: each.enrolled_at)
    return (
        ", ".join(
            f"{each.journey} {each.status}{f' ({each.outcome})' if each.outcome else ''} {moment(each.enrolled_at, subject.zone)}"
            for each in found[-5:]
        )
        or "–"
    )
