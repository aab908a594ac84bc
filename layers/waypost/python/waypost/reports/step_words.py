"""What a step of a journey does, and on what condition a way is taken, in the words of its reader. Used by pictures and tables.

Names of messages, events, attributes and variables stay as they were written; so does what is computed and has no words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, assert_never

from waypost.errors import InvalidInput
from waypost.pages.texts import Texts, gettext_noop
from waypost.reports.journey_graph import Step
from waypost.staff.human_task import in_language

if TYPE_CHECKING:
    from waypost.segments.condition import Condition

_SPANS: Final[Mapping[str, tuple[str, str]]] = {
    "d": (gettext_noop("1 day"), gettext_noop("{count} days")),
    "h": (gettext_noop("1 hour"), gettext_noop("{count} hours")),
    "m": (gettext_noop("1 minute"), gettext_noop("{count} minutes")),
    "s": (gettext_noop("1 second"), gettext_noop("{count} seconds")),
}
_UPDATES: Final[Mapping[str, str]] = {
    "add_tags": gettext_noop("adds the tag {names}"),
    "remove_tags": gettext_noop("removes the tag {names}"),
    "set": gettext_noop("sets {names}"),
    "join_groups": gettext_noop("adds to the group {names}"),
    "leave_groups": gettext_noop("removes from the group {names}"),
    "earn_points": gettext_noop("gives {names} points"),
    "spend_points": gettext_noop("takes {names} points"),
    "lifecycle": gettext_noop("moves to the stage {names}"),
}
_STAFF: Final[Mapping[str, str]] = {
    "linked": gettext_noop("the member whom the event names"),
    "managers": gettext_noop("the managers above the member"),
    "everyone_who_added": gettext_noop("everybody who added the contact"),
    "first_who_added": gettext_noop("who added the contact first"),
}
_TARGETS: Final[Mapping[str, str]] = {
    "member": gettext_noop("to the member {name}"),
    "department": gettext_noop("to the department {name}"),
    "queue": gettext_noop("to one of the queue {name}"),
}
_TASKS: Final[Mapping[str, str]] = {
    "EvaluateSegment": gettext_noop("question"),
    "IssueCoupon": gettext_noop("coupon"),
    "AssignTask": gettext_noop("task for staff"),
}
_SPAN: Final = re.compile(r"(\d+)([dhms])")
_EXPRESSION: Final = re.compile(r"^\{%(?P<inner>.*)%\}$", re.DOTALL)
_FROM_STEP: Final = re.compile(r"\bstates\.(?:input|result|context\.Execution\.Input)\.(?:Payload\.)?")
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")|(?P<sign>!=|<=|>=|[=<>])|(?P<bracket>[()\[\],])|(?P<word>[\w.\-]+))""",
    re.UNICODE,
)
_JOINED: Final = re.compile(r"""(?:'[^'&]*'|"[^"&]*"|[\w.]+)(?:\s*&\s*(?:'[^'&]*'|"[^"&]*"|[\w.]+))+""")
"""Texts and names that are joined into one text."""
_SIGNS: Final = {"!=": "≠", "<=": "≤", ">=": "≥"}
_WORDS: Final[Mapping[str, str]] = {
    "and": gettext_noop("and"),
    "or": gettext_noop("or"),
    "in": gettext_noop("is one of"),
    "not": gettext_noop("not"),
    "exists": gettext_noop("is there:"),
    "true": gettext_noop("yes"),
    "false": gettext_noop("no"),
}


def task_caption(function: str, words: Texts) -> str:
    """The name of a task that is neither Send, Pause nor Update."""
    return words.gettext(_TASKS.get(function, gettext_noop("task")))


def step_in_words(step: Step, words: Texts) -> str:
    """What the step sends, waits for, changes or asks; "" for one that only leads on."""
    match step.kind:
        case "send":
            return " ".join(part for part in (step.about, _notified(step.payload, words)) if part)
        case "pause":
            return wait_in_words(step.payload, words)
        case "update":
            return _joined(_changes(step.payload, words), words)
        case "task":
            return _task(step, words)
        case "choice" | "parallel" | "map" | "pass" | "succeed" | "fail":
            return ""
        case _:
            assert_never(step.kind)


def wait_in_words(payload: Mapping[str, Any], words: Texts) -> str:
    """When a Pause is over: ``2 days``, ``day 3, 10:00``, ``next workday, 10:00 or order_placed``."""
    until = payload.get("until")
    parts = []
    if "for" in payload:
        parts.append(span_in_words(str(payload["for"]), words))
    elif isinstance(until, Mapping):
        parts.append(_until(until, words))
    elif until is not None:
        parts.append(condition_in_words(str(until), words))
    match payload.get("or"):
        case None:
            pass
        case {"event": event, **rest}:
            parts.append(event_in_words(str(event), rest.get("where"), words))
        case other:
            parts.append(condition_in_words(str(other), words))
    return f" {words.gettext('or')} ".join(parts)


def span_in_words(span: str, words: Texts) -> str:
    """A duration such as ``2d``; one that is computed as its expression."""
    found = _SPAN.fullmatch(span)
    if found is None:
        return condition_in_words(span, words)
    one, many = _SPANS[found[2]]
    return words.gettext(one) if found[1] == "1" else words.gettext(many, count=found[1])


def event_in_words(event: str, where: Any, words: Texts) -> str:
    """An event, with its condition behind it: ``order_placed (total is at least 50)``."""
    condition = rule_in_words(_written_out(where), words) if where else ""
    return f"{event}{_in_brackets(condition, words)}" if condition else event


def _written_out(where: Any) -> Any:
    """The short form of a Pause, ``{order_id: o-1, total: {at_least: 50}}``, as the rule it stands for; else as it is."""
    if not isinstance(where, Mapping) or len(where) < 2 or "property" in where:
        return where
    return {
        "all": [
            {"property": name, **(value if isinstance(value, Mapping) else {"equals": value})}
            for name, value in where.items()
        ]
    }


def rule_in_words(rule: Any, words: Texts) -> str:
    """A rule as one line: its conditions as explanations say them, joined by and, or, not; what is no rule as it stands."""
    if not isinstance(rule, Mapping):
        return condition_in_words(str(rule), words)
    from waypost.segments.conditions import parse_rule  # noqa: PLC0415 - few pictures have a rule

    try:
        return _rule(parse_rule(rule), words)
    except InvalidInput:
        return condition_in_words(str(dict(rule)), words)


def _rule(condition: "Condition", words: Texts, *, inside: bool = False) -> str:
    from waypost.segments.condition import Combination  # noqa: PLC0415 - the same

    if not isinstance(condition, Combination):
        return condition.say("zh-CN" if words.language == "zh-CN" else "en")
    if condition.word == "not":
        return words.gettext("not ({condition})", condition=_rule(condition.parts[0], words))
    joint = words.gettext("or") if condition.word == "any" else words.gettext("and")
    joined = f" {joint} ".join(_rule(part, words, inside=True) for part in condition.parts)
    return f"({joined})" if inside and len(condition.parts) > 1 else joined


def condition_in_words(expression: str, words: Texts) -> str:
    """A JSONata condition: ``$interest = 'beauty' and $exists($order)`` is ``interest = beauty and is there: (order)``.

    A text that is put together shows its names in ‹›. Whatever is more than comparisons of names and values stays as it is written.
    """
    found = _EXPRESSION.match(expression.strip())
    inner = _FROM_STEP.sub(
        "", re.sub(r"\$(?=[A-Za-z])", "", " ".join((found["inner"] if found else expression).split()))
    )
    if _JOINED.fullmatch(inner):
        return "".join(each[1:-1] if each[0] in "\"'" else f"‹{each}›" for each in re.split(r"\s*&\s*", inner))
    shown, place = list[str](), 0
    while place < len(inner.rstrip()):
        token = _TOKEN.match(inner, place)
        if token is None:
            return inner.strip()
        shown.append(_token(token, words))
        place = token.end()
    return re.sub(r"\s+([)\],])", r"\1", re.sub(r"([(\[])\s+", r"\1", " ".join(shown)))


def _token(token: re.Match[str], words: Texts) -> str:
    match token.lastgroup:
        case "text":
            return token["text"][1:-1]
        case "sign":
            return _SIGNS.get(token["sign"], token["sign"])
        case "word":
            return words.gettext(_WORDS[token["word"]]) if token["word"] in _WORDS else token["word"].replace("_", " ")
        case _:
            return token["bracket"]


def _until(until: Mapping[str, Any], words: Texts) -> str:
    at = str(until.get("at", ""))
    match until:
        case {"day": day}:
            return _at(words.gettext("day {day}", day=_value(day, words)), at, words)
        case {"workday": _}:
            return _at(words.gettext("next workday"), at, words)
        case {"days_later": days}:
            computed = isinstance(days, str)
            span = f"{_value(days, words)} (days)" if computed else span_in_words(f"{days}d", words)
            return _at(words.gettext("{span} later", span=span), at, words)
        case {"anniversary": name}:
            return _at(_around(until, words.gettext("the anniversary of {name}", name=name), words), at, words)
        case {"date": name} | {"property": name}:
            return _at(_around(until, str(name), words), at, words)
        case _:
            return words.gettext("next {time}", time=_value(at, words))


def _around(until: Mapping[str, Any], date: str, words: Texts) -> str:
    """So much before or after a date, or on it."""
    for unit, letter in (("days", "d"), ("hours", "h"), ("minutes", "m")):
        count = until.get(unit, 0)
        if isinstance(count, str):
            computed = f"{_value(count, words)} ({unit})"
            return words.gettext("{span} after {date}", span=computed, date=date)
        if count:
            span = span_in_words(f"{abs(count)}{letter}", words)
            after, before = gettext_noop("{span} after {date}"), gettext_noop("{span} before {date}")
            return words.gettext(before if count < 0 else after, span=span, date=date)
    return date


def _at(day: str, at: str, words: Texts) -> str:
    return words.gettext("{day}, {time}", day=day, time=_value(at, words)) if at else day


def _changes(payload: Mapping[str, Any], words: Texts) -> Iterator[str]:
    for name, text in _UPDATES.items():
        if name in payload:
            yield words.gettext(text, names=_names(payload[name], words))


def _names(given: Any, words: Texts) -> str:
    if isinstance(given, Mapping):
        return _joined([f"{name} = {_value(value, words)}" for name, value in given.items()], words)
    if isinstance(given, list | tuple):
        return _joined([_value(each, words) for each in given], words)
    return _value(given, words)


def _notified(payload: Mapping[str, Any], words: Texts) -> str:
    """To whom a notice goes; "" for a message to the contact."""
    target = _target(payload, words)
    if not target or "otherwise" not in payload:
        return target
    otherwise = words.gettext("else to one of the queue {name}", name=_value(payload["otherwise"], words))
    return _joined([target, otherwise], words)


def _target(payload: Mapping[str, Any], words: Texts) -> str:
    if payload.get("to") in _STAFF:
        return words.gettext("to {staff}", staff=words.gettext(_STAFF[payload["to"]]))
    for name, text in _TARGETS.items():
        if name in payload:
            return words.gettext(text, name=_value(payload[name], words))
    return ""


def _task(step: Step, words: Texts) -> str:
    match step.about, step.payload:
        case "EvaluateSegment", {"segment": segment}:
            return rule_in_words({"segment": segment}, words)
        case "EvaluateSegment", {"rule": rule}:
            return rule_in_words(rule, words)
        case "IssueCoupon", {"pool": pool}:
            return _value(pool, words)
        case "AssignTask", payload:
            return _staff_task(payload, words)
        case function, payload:
            given = [f"{name} = {_value(value, words)}" for name, value in payload.items() if name != "occurrence"]
            return f"{function}{_in_brackets(_joined(given, words), words)}" if given else function


def _staff_task(payload: Mapping[str, Any], words: Texts) -> str:
    """What is to be done, by whom, until when, and who hears of it when it is not: the title in the reader's language."""
    title = payload.get("title", "")
    parts = [
        in_language(title, words.language) if isinstance(title, Mapping) else condition_in_words(str(title), words),
        _notified(payload, words),
    ]
    if "within" in payload:
        parts.append(words.gettext("within {span}", span=span_in_words(str(payload["within"]), words)))
    elif "working_hours" in payload:
        parts.append(words.gettext("within {count} working hours", count=_value(payload["working_hours"], words)))
    match payload.get("escalate"):
        case {"to": "managers"}:
            parts.append(words.gettext("then {staff} are notified", staff=words.gettext(_STAFF["managers"])))
        case {"queue": name}:
            parts.append(words.gettext("then one of the queue {name} is notified", name=_value(name, words)))
        case {"member": name}:
            parts.append(words.gettext("then {name} is notified", name=_value(name, words)))
        case _:
            pass
    return _joined([each for each in parts if each], words)


def _value(value: Any, words: Texts) -> str:
    match value:
        case bool():
            return words.gettext(_WORDS["true" if value else "false"])
        case str():
            return condition_in_words(value, words) if _EXPRESSION.match(value.strip()) else value
        case Mapping() | list() | tuple():
            return _names(value, words)
        case _:
            return str(value)


def _joined(parts: Iterator[str] | Sequence[str], words: Texts) -> str:
    return ("、" if words.language == "zh-CN" else ", ").join(parts)


def _in_brackets(text: str, words: Texts) -> str:
    return f"（{text}）" if words.language == "zh-CN" else f" ({text})"


def is_notice(step: Step) -> bool:
    """Whether a step that sends tells members of staff, not the contact."""
    return step.kind == "send" and not {"to", *_TARGETS}.isdisjoint(step.payload)
