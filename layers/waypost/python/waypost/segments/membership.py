"""What a contact is, has and belongs to: every condition that is neither a comparison nor behaviour. Used by the compiler."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from waypost.contacts.channels import ADDRESS_ATTRIBUTE, CHANNELS
from waypost.contacts.profile import ALL_TOPICS, Consent
from waypost.errors import InvalidInput
from waypost.segments.buckets import bucket
from waypost.segments.calendar import calendar_test, local, window_of
from waypost.segments.comparing import look_up, number_test
from waypost.segments.generating import Code
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import (
    ANY_CHANNEL,
    CALENDAR_WORDS,
    COUNT_WORDS,
    LIFECYCLE_CHANGED,
    WINDOW_WORDS,
    Rule,
    arrivals_as_event,
    engagement_as_event,
    names_of,
)

Condition = Callable[[Subject], bool]
Holds = Callable[[datetime, Subject], bool]

GROUPINGS: Final = ("any_of", "all_of", "none_of")
JOURNEY_STATES: Final = ("entered", "active", "ended", "never_entered")
BUCKETS: Final = 10_000

_TIME_WORDS: Final = (*WINDOW_WORDS, *CALENDAR_WORDS)


def tag_expression(code: Code, rule: Rule) -> str:
    """The tags as set operations where no time is asked for."""
    return _named(code, rule, "tag", "s.tags") or _call(code, _since(rule, "tag", lambda subject: subject.tagged_at))


def group_expression(code: Code, rule: Rule) -> str:
    """The groups as set operations."""
    found = _named(code, rule, "group", "s.groups")
    if found is None:
        raise InvalidInput("rule.group", "knows no times; ask for the event group_joined")
    return found


def segment_expression(code: Code, rule: Rule) -> str:
    """Membership as it was kept, for segments that were not inlined or that are asked since when."""
    found = _named(code, rule, "segment", "s.segments.keys()")
    return found or _call(code, _since(rule, "segment", lambda subject: subject.segments))


def lifecycle_expression(code: Code, rule: Rule) -> str:
    """The stage, and since when by the last event that says so."""
    stages = code.constant(frozenset(_names(rule, "lifecycle")))
    since = _time_test(rule)
    if since is None:
        return f"(s.lifecycle in {stages})"

    def holds(subject: Subject) -> bool:
        began = [
            at
            for kind, at, properties in subject.history
            if kind == LIFECYCLE_CHANGED and properties.get("to") == subject.lifecycle
        ]
        return bool(began) and since(max(began), subject)

    return f"(s.lifecycle in {stages} and {_call(code, holds)})"


def condition(rule: Rule) -> Condition:  # noqa: C901, PLR0911, PLR0912 - one branch per key word
    """The other conditions as functions. Raises InvalidInput for what is no rule."""
    match rule:
        case {"created": Mapping() as times}:
            since = _time_test(times)
            if since is None:
                raise InvalidInput("rule.created", f"expected one of {', '.join(WINDOW_WORDS)}")
            return lambda subject: subject.created_at is not None and since(subject.created_at, subject)
        case {"now": Mapping() as times}:
            is_time = _time_test(times)
            if is_time is None:
                raise InvalidInput("rule.now", f"expected one of {', '.join(_TIME_WORDS)}")
            return lambda subject: is_time(subject.now, subject)
        case {"locale": _}:
            return _locale(rule)
        case {"region": _}:
            return _region(rule)
        case {"consent": str()}:
            return _consent(rule)
        case {"suppressed": str()}:
            return _suppressed(rule)
        case {"reachable": str()}:
            return _reachable(rule)
        case {"address": str()}:
            return _address(rule)
        case {"identity": str()}:
            return _identity(rule)
        case {"journey": _}:
            return _journey(rule)
        case {"bucket": {"salt": str(salt), "from": start, "to": end}}:
            return _bucket(salt, start, end)
        case {"holdout": {"salt": str(salt), "percent": percent}}:
            return _bucket(salt, 0, percent)
        case _:
            raise InvalidInput("rule", f"not a rule: {rule!r}"[:500])


def _call(code: Code, holds: Condition) -> str:
    return f"{code.constant(holds)}(s)"


def _names(rule: Rule, word: str) -> list[str]:
    value = rule[word]
    names = names_of(value) if isinstance(value, (str, list, tuple)) else [value]
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"rule.{word}", f"expected a name or a list of names, got {value!r}")
    return names


def _grouped(rule: Rule, word: str) -> tuple[str, list[str]]:
    """How many of the names it takes, and the names."""
    value = rule[word]
    if not isinstance(value, Mapping):
        return "any_of", _names(rule, word)
    if len(value) != 1 or next(iter(value)) not in GROUPINGS:
        raise InvalidInput(f"rule.{word}", f"expected one of {', '.join(GROUPINGS)}, got {value!r}")
    [(grouping, names)] = value.items()
    return str(grouping), _names({word: names}, word)


def _named(code: Code, rule: Rule, word: str, source: str) -> str | None:
    """Membership among names without a time, as an expression."""
    if any(rule.get(each) is not None for each in _TIME_WORDS):
        return None
    grouping, names = _grouped(rule, word)
    if len(names) == 1:
        return f"({code.constant(names[0])} {'not in' if grouping == 'none_of' else 'in'} {source})"
    wanted = code.constant(frozenset(names))
    match grouping:
        case "any_of":
            return f"(not {wanted}.isdisjoint({source}))"
        case "all_of":
            return f"({wanted} <= {source})"
        case _:
            return f"{wanted}.isdisjoint({source})"


def _since(rule: Rule, word: str, source: Callable[[Subject], Mapping[str, datetime]]) -> Condition:
    """Membership since a time: a member of whom nobody knows since when does not count."""
    grouping, names = _grouped(rule, word)
    since = _time_test(rule)

    def is_member(name: str, subject: Subject) -> bool:
        at = source(subject).get(name)
        return at is not None and since is not None and since(at, subject)

    match grouping:
        case "any_of":
            return lambda subject: any(is_member(name, subject) for name in names)
        case "all_of":
            return lambda subject: all(is_member(name, subject) for name in names)
        case _:
            return lambda subject: not any(is_member(name, subject) for name in names)


def _time_test(rule: Rule) -> Holds | None:
    """What the time words of a condition ask of the moment something happened; None when there are none."""
    window, calendar = window_of(rule, of_events=True), calendar_test(rule)
    if window is None and calendar is None:
        return None

    def holds(at: datetime, subject: Subject) -> bool:
        if window is not None:
            start, end = window(subject.now, subject.zone)
            if (start is not None and at < start) or (end is not None and at >= end):
                return False
        return calendar is None or calendar(local(at, subject.zone))

    return holds


def _locale(rule: Rule) -> Condition:
    wanted = [_language(name) for name in _names(rule, "locale")]

    def holds(subject: Subject) -> bool:
        locale = subject.attributes.get("locale")
        if not isinstance(locale, str):
            return False
        spoken = _language(locale)
        return any(spoken == each or spoken.startswith(f"{each}-") for each in wanted)

    return holds


def _language(tag: str) -> str:
    """``zh_CN`` and ``zh-cn`` are ``zh-CN``."""
    return tag.replace("_", "-").casefold()


def _region(rule: Rule) -> Condition:
    """The province or city, however the rule and the profile spell it; a city is in its province too."""
    from waypost.contacts.cleaning.regions import Region, province_of, region  # noqa: PLC0415 - reads a table that few need

    names = _names(rule, "region")
    spelled = frozenset(name.casefold() for name in names)
    wanted = {
        found.code
        for name in names
        for found in (region(name, "province"), region(name, "city"))
        if isinstance(found, Region)
    }

    def holds(subject: Subject) -> bool:
        city, province = subject.attributes.get("city"), subject.attributes.get("province")
        if isinstance(city, str):
            if city.casefold() in spelled:
                return True
            found = region(city, "city")
            if isinstance(found, Region) and (found.code in wanted or province_of(found).code in wanted):
                return True
        if isinstance(province, str):
            inside = region(province, "province")
            return province.casefold() in spelled or (isinstance(inside, Region) and inside.code in wanted)
        return False

    return holds


def _consent(rule: Rule) -> Condition:
    channel, topic, wanted = rule["consent"], rule.get("topic") or ALL_TOPICS, rule.get("is") or "granted"
    since = _time_test(rule)
    if since is None:
        return lambda subject: subject.consents(channel, topic) == wanted
    answered = since  # for the type checker: a closure does not remember what was tested

    def holds(subject: Subject) -> bool:
        answer = deciding_answer(subject.consent_answers, channel, topic)
        return answer is not None and subject.consents(channel, topic) == wanted and answered(answer.at, subject)

    return holds


def deciding_answer(answers: Mapping[str, Consent], channel: str, topic: str) -> Consent | None:
    """The answer that counts for a channel and topic: the newest, a withdrawal where two are of one moment."""
    keys = dict.fromkeys((f"{channel}/{topic}", f"{channel}/{ALL_TOPICS}"))
    given = [answers[key] for key in keys if key in answers]
    return max(given, key=lambda answer: (answer.at, not answer.granted), default=None)


def _suppressed(rule: Rule) -> Condition:
    channel = rule["suppressed"]
    reasons = frozenset(_names(rule, "reason")) if rule.get("reason") is not None else None

    def holds(subject: Subject) -> bool:
        found = subject.suppressions.values() if channel == ANY_CHANNEL else [subject.suppressions.get(channel)]
        return any(reason is not None and (reasons is None or reason in reasons) for reason in found)

    return holds


def _reachable(rule: Rule) -> Condition:
    channel, topic = rule["reachable"], rule.get("topic") or ALL_TOPICS
    channels = [(each, ADDRESS_ATTRIBUTE[each]) for each in CHANNELS if channel in {each, ANY_CHANNEL}]
    if not channels:
        raise InvalidInput("rule.reachable", f"expected one of {', '.join((*CHANNELS, ANY_CHANNEL))}, got {channel!r}")
    return lambda subject: any(
        subject.attributes.get(address)
        and each not in subject.suppressions
        and subject.consents(each, topic) == "granted"
        for each, address in channels
    )


def _address(rule: Rule) -> Condition:
    channel = rule["address"]
    names = [ADDRESS_ATTRIBUTE[each] for each in CHANNELS if channel in {each, ANY_CHANNEL}]
    if not names:
        raise InvalidInput("rule.address", f"expected one of {', '.join((*CHANNELS, ANY_CHANNEL))}, got {channel!r}")
    return lambda subject: any(bool(subject.attributes.get(name)) for name in names)


def _identity(rule: Rule) -> Condition:
    kind, account = rule["identity"], rule.get("account")
    if account is None:
        return lambda subject: bool(subject.identities.get(kind))
    start = f"{account}:"
    return lambda subject: any(value.startswith(start) for value in subject.identities.get(kind, ()))


def _journey(rule: Rule) -> Condition:
    names, state = frozenset(_names(rule, "journey")), rule.get("is") or "entered"
    outcomes = frozenset(_names(rule, "outcome")) if rule.get("outcome") is not None else None
    since = _time_test(rule)
    if state not in JOURNEY_STATES:
        raise InvalidInput("rule.is", f"expected one of {', '.join(JOURNEY_STATES)}, got {state!r}")

    def holds(subject: Subject) -> bool:
        found = any(
            each.journey in names
            and (state not in {"active", "ended"} or (each.status == "ended") is (state == "ended"))
            and (outcomes is None or each.outcome in outcomes)
            and (since is None or since(each.enrolled_at, subject))
            for each in subject.enrolments
        )
        return found is (state != "never_entered")

    return holds


def _bucket(salt: str, start: Any, end: Any) -> Condition:
    for limit in (start, end):
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 <= limit <= 100:
            raise InvalidInput("rule.bucket", f"expected percentages from 0 to 100, got {limit!r}")
    first, after = round(start * BUCKETS / 100), round(end * BUCKETS / 100)
    return lambda subject: first <= bucket(subject.contact_id, salt, BUCKETS) < after


def of_last(rule: Rule) -> Condition:
    """How many of the last messages that arrived somebody opened (clicked, …); false while there were fewer."""
    wanted = rule["of_last"]
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise InvalidInput("rule.of_last", f"expected a number of messages from 1 on, got {wanted!r}")
    rule = {key: value for key, value in rule.items() if key != "of_last"}
    counts = {word: rule[word] for word in COUNT_WORDS if rule.get(word) is not None} or {"at_least": 1}
    if extra := [word for word in rule if word not in {"engagement", "channel", "of_journey", *counts}]:
        raise InvalidInput(f"rule.{extra[0]}", "cannot stand beside of_last")
    passes = number_test(counts)
    arrived = arrivals_as_event(rule)
    done = engagement_as_event({key: value for key, value in rule.items() if key not in COUNT_WORDS})
    is_of, is_done = _filter(arrived), _filter(done)

    def holds(subject: Subject) -> bool:
        messages = sorted(
            (at, message_key(properties) or "")
            for kind, at, properties in subject.history
            if kind in arrived["event"] and is_of(properties)
        )[-wanted:]
        keys = {
            message_key(properties)
            for kind, _, properties in subject.history
            if kind in done["event"] and is_done(properties)
        }
        return len(messages) == wanted and passes(sum(key in keys for _, key in messages))

    return holds


def message_key(properties: Mapping[str, Any]) -> str | None:
    """The message an event is about; None where somebody else's event says none, or something that is no text."""
    key = properties.get("message_key")
    return key if isinstance(key, str) else None


def _filter(event: Rule) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an event is of the journeys and channels that the rule names."""
    wanted = [(each["property"], each.get("in") or [each["equals"]]) for each in event.get("where", {}).get("all", ())]
    return lambda properties: all(look_up(properties, name) in values for name, values in wanted)
