"""The rule language once more, as docs/segments.md tells it, in the plainest way: what the compiled rules are compared with.

Written from the page alone. It asks one event after the other and one day after the other, where the compiled code has bounds.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.segments.naive_values import compare, equal, find, has_times, in_calendar, kind_of, number_passes, span, when
from waypost.segments.compile import Subject

CONCLUSIONS = ("segment_entered", "segment_left", "tag_added", "tag_removed", "lifecycle_changed", "contact_updated",
               "points_earned", "points_spent")  # fmt: skip
ADDRESSES = {"email": "email", "sms": "phone"}
REPORTED = {
    "accepted": ["email"],
    "delivered": ["email", "sms"],
    "opened": ["email"],
    "clicked": ["email", "sms"],
    "bounced": ["email", "sms"],
    "complained": ["email"],
    "failed": ["email", "sms"],
}
MEASURES = ("sum", "average", "smallest", "largest", "distinct", "repeated", "most_frequent")


def naive(rule: Mapping[str, Any], subject: Subject) -> bool:  # noqa: PLR0911, PLR0912, C901 - one return per kind of rule
    """Whether the rule selects the subject."""
    if "all" in rule:
        return False not in [naive(each, subject) for each in rule["all"]]
    if "any" in rule:
        return True in [naive(each, subject) for each in rule["any"]]
    if "not" in rule:
        return naive(rule["not"], subject) is False
    for word, source in (
        ("attribute", subject.attributes), ("property", subject.properties), ("metric", subject.metrics),
    ):  # fmt: skip
        if word in rule:
            return compare(find(source, rule[word]), {key: rule[key] for key in rule if key != word}, subject)
    if "engagement" in rule:
        return _engagement(rule, subject)
    if "event" in rule:
        return _behaviour(rule, subject)
    if "tag" in rule:
        return _membership(rule, rule["tag"], list(subject.tags), subject.tagged_at, subject)
    if "group" in rule:
        return _membership(rule, rule["group"], list(subject.groups), {}, subject)
    if "segment" in rule:
        return _membership(rule, rule["segment"], list(subject.segments), subject.segments, subject)
    if "holds_coupon" in rule:
        return _membership({}, rule["holds_coupon"], _held_pools(subject), {}, subject)
    if "lifecycle" in rule:
        stages = rule["lifecycle"] if isinstance(rule["lifecycle"], list) else [rule["lifecycle"]]
        changes = [
            at
            for kind, at, more in subject.history
            if kind == "lifecycle_changed" and more.get("to") == subject.lifecycle
        ]
        if not has_times(rule):
            return subject.lifecycle in stages
        return subject.lifecycle in stages and changes != [] and when(max(changes), rule, subject)
    if "points" in rule:
        return number_passes(subject.points, rule["points"])
    if "created" in rule:
        return subject.created_at is not None and when(subject.created_at, rule["created"], subject)
    if "now" in rule:
        return when(subject.now, rule["now"], subject)
    return _contact(rule, subject)


def _contact(rule: Mapping[str, Any], subject: Subject) -> bool:  # noqa: PLR0911 - one return per kind of rule
    """What is known of the contact itself."""
    if "consent" in rule:
        topic = rule.get("topic", "*")
        if subject.consents(rule["consent"], topic) != rule.get("is", "granted"):
            return False
        if not has_times(rule):
            return True
        answers = [subject.consent_answers.get(f"{rule['consent']}/{each}") for each in {topic, "*"}]
        given = sorted((each for each in answers if each), key=lambda each: (each.at, not each.granted))
        return given != [] and when(given[-1].at, rule, subject)
    if "suppressed" in rule:
        channels = ADDRESSES if rule["suppressed"] == "any" else [rule["suppressed"]]
        reasons = rule.get("reason")
        wanted = [reasons] if isinstance(reasons, str) else reasons
        return any(
            each in subject.suppressions and (not wanted or subject.suppressions[each] in wanted) for each in channels
        )
    if "reachable" in rule:
        channels = ADDRESSES if rule["reachable"] == "any" else [rule["reachable"]]
        return any(
            bool(subject.attributes.get(ADDRESSES[each]))
            and each not in subject.suppressions
            and subject.consents(each, rule.get("topic", "*")) == "granted"
            for each in channels
        )
    if "address" in rule:
        channels = ADDRESSES if rule["address"] == "any" else [rule["address"]]
        return any(bool(subject.attributes.get(ADDRESSES[each])) for each in channels)
    if "identity" in rule:
        values = subject.identities.get(rule["identity"], [])
        return any(value.split(":")[0] == rule["account"] for value in values) if "account" in rule else bool(values)
    if "locale" in rule:
        wanted = rule["locale"] if isinstance(rule["locale"], list) else [rule["locale"]]
        parts = str(subject.attributes.get("locale", "")).lower().split("-")
        return any(parts[: len(each.split("-"))] == each.lower().split("-") for each in wanted)
    if "journey" in rule:
        return _journey(rule, subject)
    part = rule.get("bucket") or {"salt": rule["holdout"]["salt"], "from": 0, "to": rule["holdout"]["percent"]}
    key = hashlib.blake2b(part["salt"].encode(), digest_size=16).digest()
    drawn = int(hashlib.blake2b(subject.contact_id.encode(), digest_size=8, key=key).hexdigest(), 16)
    return bool(part["from"] * 100 <= drawn * 10_000 // 2**64 < part["to"] * 100)


def _journey(rule: Mapping[str, Any], subject: Subject) -> bool:
    names = rule["journey"] if isinstance(rule["journey"], list) else [rule["journey"]]
    outcomes = rule.get("outcome")
    found = False
    for each in subject.enrolments:
        fits = each.journey in names
        if rule.get("is") == "active":
            fits = fits and each.status != "ended"
        if rule.get("is") == "ended":
            fits = fits and each.status == "ended"
        if outcomes:
            fits = fits and each.outcome in ([outcomes] if isinstance(outcomes, str) else outcomes)
        if fits and (not has_times(rule) or when(each.enrolled_at, rule, subject)):
            found = True
    return not found if rule.get("is") == "never_entered" else found


def _held_pools(subject: Subject) -> list[str]:
    redeemed = [more.get("code") for kind, _, more in subject.history if kind == "coupon_redeemed"]
    return [
        more["pool"]
        for kind, _, more in subject.history
        if kind == "coupon_issued"
        and isinstance(more.get("pool"), str)
        and more.get("code") not in redeemed
        and datetime.fromisoformat(more.get("expires_at", "2000-01-01T00:00:00Z")) > subject.now
    ]


def _membership(
    rule: Mapping[str, Any], names: Any, had: list[str], since: Mapping[str, datetime], subject: Subject
) -> bool:
    if isinstance(names, str):
        names = [names]
    if isinstance(names, Mapping) and "exists" in names:
        return bool(had) is names["exists"]
    [(grouping, wanted)] = names.items() if isinstance(names, Mapping) else [("any_of", names)]
    answers = []
    for name in wanted:
        if has_times(rule):
            answers.append(name in since and when(since[name], rule, subject))
        else:
            answers.append(name in had)
    return {"any_of": True in answers, "all_of": False not in answers, "none_of": True not in answers}[grouping]


# What happened


def _engagement(rule: Mapping[str, Any], subject: Subject) -> bool:
    engagement, journeys = rule["engagement"], rule.get("of_journey")

    def of(kind: str, channels: list[str] | None) -> list[tuple[str, datetime, Mapping[str, Any]]]:
        found = []
        for each, at, more in subject.history:
            journey_fits = not journeys or more.get("journey") in (
                [journeys] if isinstance(journeys, str) else journeys
            )
            if each == kind and journey_fits and (channels is None or more.get("channel") in channels):
                found.append((each, at, more))
        return found

    named = [rule["channel"]] if "channel" in rule else None
    done = of("unsubscribed" if engagement == "unsubscribed" else f"message_{engagement}", named)
    if "of_last" in rule:
        reported = REPORTED.get(engagement, ["email", "sms"])
        arrived = of("message_delivered", named or (None if set(REPORTED["delivered"]) <= set(reported) else reported))
        arrived.sort(key=lambda event: (event[1], str(event[2].get("message_key", ""))))
        last = arrived[-rule["of_last"] :]
        count = len(
            [1 for _, _, more in last if str(more.get("message_key", "")) in [m.get("message_key") for _, _, m in done]]
        )
        return len(last) == rule["of_last"] and _counts(count, rule, "of_last")
    words = {key: rule[key] for key in rule if key not in {"engagement", "channel", "of_journey"}}
    return _behaviour({**words, "event": "*"}, subject, done)


def _is_type(kind: str, wanted: Any) -> bool:
    return kind not in CONCLUSIONS if wanted == "*" else kind == wanted if isinstance(wanted, str) else kind in wanted


def _matching(rule: Mapping[str, Any], subject: Subject, history: Any) -> list[tuple[datetime, Mapping[str, Any]]]:
    found = []
    for kind, at, more in history:
        if not _is_type(kind, rule["event"]):
            continue
        if rule.get("where") and not naive(_written_out(rule["where"]), replace(subject, properties=more)):
            continue
        if not in_calendar(at.astimezone(subject.zone), rule):
            continue
        if rule.get("followed_by") and not _follows(at, more, rule["followed_by"], subject):
            continue
        if rule.get("not_followed_by"):
            after = rule["not_followed_by"]
            if _follows(at, more, after, subject) or ("within" in after and at + span(after["within"]) > subject.now):
                continue
        found.append((at, more))
    return found


def _follows(at: datetime, more: Mapping[str, Any], after: Mapping[str, Any], subject: Subject) -> bool:
    plain = {key: after[key] for key in after if key not in {"within", "same"}}
    for later, properties in _matching(plain, subject, subject.history):
        soon = "within" not in after or later <= at + span(after["within"])
        alike = "same" not in after or _in_common(more, properties, after["same"])
        if later > at and soon and alike:
            return True
    return False


def _in_common(first: Mapping[str, Any], second: Mapping[str, Any], same: Any) -> bool:
    """Whether two events have a value in common; mappings are the same as nothing."""
    [(name, later)] = same.items() if isinstance(same, Mapping) else [(same, same)]
    mine, theirs = find(first, name), find(second, later)
    return any(
        equal(one, other) and not isinstance(one, (list, dict))
        for one in (mine if isinstance(mine, list) else [mine])
        for other in (theirs if isinstance(theirs, list) else [theirs])
    )


def _behaviour(rule: Mapping[str, Any], subject: Subject, among: Any = None) -> bool:  # noqa: PLR0911 - one return per kind of measure
    events = _matching(rule, subject, subject.history if among is None else among)
    if "occurrence" in rule:
        ordered = sorted(events, key=lambda event: event[0])
        index = {"first": 0, "last": len(ordered) - 1}.get(rule["occurrence"])
        index = rule["occurrence"] - 1 if index is None else index
        if not 0 <= index < len(ordered):
            return False
        at, more = ordered[index]
        having = rule.get("having")
        return when(at, {**rule, "weekday": None, "month": None, "time_of_day": None}, subject) and (
            not having or naive(_written_out(having), replace(subject, properties=more))
        )
    events = [(at, more) for at, more in events if when(at, rule, subject)]
    measure = next((word for word in MEASURES if word in rule), None)
    if measure is None:
        return _counts(_number_of(rule.get("count", "times"), events, subject), rule, "count")
    values = [find(more, rule[measure]) for _, more in events]
    if measure in {"distinct", "repeated", "most_frequent"}:
        keys = [(kind_of(one), one) for value in values for one in (value if isinstance(value, list) else [value])]
        keys = [key for key in keys if key[0] in {"bool", "number", "str"}]
        if measure == "distinct":
            return _counts(len(set(keys)), rule, measure)
        if measure == "repeated":
            return _counts(max((keys.count(key) for key in keys), default=0), rule, measure)
        best = [key for key in keys if keys.count(key) == max(keys.count(each) for each in keys)]
        wanted = [rule["equals"]] if "equals" in rule else rule["in"]
        return any(equal(value, each) for _, value in best for each in wanted)
    numbers = [value for value in values if kind_of(value) == "number"]
    if not numbers and measure != "sum":
        return False
    exact = sum((Fraction(each) for each in numbers), Fraction(0))
    outcomes: dict[str, Callable[[], float]] = {
        "sum": lambda: float(exact),
        "average": lambda: float(exact) / len(numbers),
        "smallest": lambda: min(numbers),
        "largest": lambda: max(numbers),
    }
    return _counts(outcomes[measure](), rule, measure)


def _number_of(count: str, events: list[tuple[datetime, Any]], subject: Subject) -> int:
    days = sorted({at.astimezone(subject.zone).date() for at, _ in events})
    if count == "days_in_a_row":
        longest = 0
        for first in days:
            length = 1
            while first + timedelta(days=length) in days:
                length += 1
            longest = max(longest, length)
        return longest
    return {
        "times": len(events),
        "days": len(days),
        "weeks": len({day - timedelta(days=day.weekday()) for day in days}),
        "months": len({day.strftime("%Y-%m") for day in days}),
    }[count]


def _counts(number: Any, rule: Mapping[str, Any], measure: str) -> bool:
    limits = {word: rule[word] for word in ("at_least", "at_most", "exactly", "more_than", "less_than") if word in rule}
    if not limits and measure in {"count", "of_last"}:
        limits = {"at_least": 1}
    return number_passes(number, {("equals" if word == "exactly" else word): limit for word, limit in limits.items()})


def _written_out(where: Mapping[str, Any]) -> Mapping[str, Any]:
    if set(where) & {"all", "any", "not", "attribute", "property", "tag", "event", "consent"}:
        return where
    rules: list[Mapping[str, Any]] = []
    for name, wanted in where.items():
        if isinstance(wanted, Mapping):
            rules += [{"property": name, operator: value} for operator, value in wanted.items()]
        elif isinstance(wanted, list):
            rules.append({"property": name, "in": wanted})
        else:
            rules.append({"property": name, "equals": wanted})
    return {"all": rules}
