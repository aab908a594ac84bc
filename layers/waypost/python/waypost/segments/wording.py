"""Conditions in words, English and Chinese. Used by explanations."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from waypost.segments.vocabulary import (
    CALENDAR_WORDS,
    COUNT_WORDS,
    MEASURES,
    WINDOW_WORDS,
    Rule,
    expand_where,
    names_of,
)

Language = Literal["en", "zh-CN"]

_OPERATORS: Final[Mapping[str, tuple[str, str]]] = {
    "equals": ("is {}", "是 {}"),
    "not_equals": ("is not {}", "不是 {}"),
    "in": ("is one of {}", "是其中之一：{}"),
    "not_in": ("is none of {}", "不是其中任何一个：{}"),
    "at_least": ("is at least {}", "不小于 {}"),
    "at_most": ("is at most {}", "不大于 {}"),
    "more_than": ("is more than {}", "大于 {}"),
    "less_than": ("is less than {}", "小于 {}"),
    "between": ("is from {} to {}", "在 {} 到 {} 之间"),
    "contains": ("contains {}", "包含 {}"),
    "contains_any": ("contains one of {}", "包含其中之一：{}"),
    "contains_all": ("contains all of {}", "全部包含：{}"),
    "contains_none": ("contains none of {}", "都不包含：{}"),
    "starts_with": ("starts with {}", "以 {} 开头"),
    "ends_with": ("ends with {}", "以 {} 结尾"),
    "matches": ("matches /{}/", "匹配 /{}/"),
    "length": ("has a length of {}", "长度为 {}"),
    "size": ("has {} elements", "有 {} 个元素"),
    "age": ("is an age of {}", "年龄为 {}"),
    "anniversary": ("has its anniversary {}", "周年日：{}"),
    "equals_trigger": ("is the {} of the journey's trigger", "与旅程触发事件的 {} 相同"),
}
_EXISTS: Final = {True: ("is there", "有值"), False: ("is missing", "没有值")}
_EMPTY: Final = {True: ("is empty", "为空"), False: ("is not empty", "不为空")}
_WINDOWS: Final[Mapping[str, tuple[str, str]]] = {
    "within": ("in the last {}", "最近 {} 内"),
    "within_next": ("in the next {}", "今后 {} 内"),
    "older_than": ("longer than {} ago", "早于 {} 之前"),
    "last_days": ("in the last {} days", "最近 {} 天（含今天）"),
    "next_days": ("in the next {} days", "今后 {} 天（含今天）"),
    "period": ("{}", "{}"),
    "on": ("on {}", "在 {}"),
    "before": ("before {}", "早于 {}"),
    "after": ("after {}", "晚于 {}"),
    "between": ("from {} to {}", "从 {} 到 {}"),
    "days_since": ("{} days ago", "{} 天前"),
    "days_until": ("in {} days", "{} 天后"),
    "weekday": ("on {}", "在 {}"),
    "month": ("in month {}", "在 {} 月"),
    "time_of_day": ("between {} and {} o'clock", "在 {} 到 {} 之间"),
}
_COUNTS: Final[Mapping[str, tuple[str, str]]] = {
    "at_least": ("at least {}", "至少 {}"),
    "at_most": ("at most {}", "至多 {}"),
    "exactly": ("exactly {}", "正好 {}"),
    "equals": ("exactly {}", "正好 {}"),
    "more_than": ("more than {}", "多于 {}"),
    "less_than": ("less than {}", "少于 {}"),
    "between": ("from {} to {}", "{} 到 {}"),
}
_JOINTS: Final = {"any_of": (" or ", " 或 "), "all_of": (" and ", " 和 "), "none_of": (" or ", " 或 ")}
_NONE: Final = ("none of: {}", "都不：{}")
_UNITS: Final = {
    "times": ("times", "次"), "days": ("days", "个不同的日子"), "weeks": ("weeks", "个不同的周"), "months": ("months", "个不同的月"),
    "days_in_a_row": ("days in a row", "天连续"),
}  # fmt: skip
_MEASURES: Final = {
    "sum": ("sum of {}", "{} 之和"), "average": ("average of {}", "{} 的平均值"), "smallest": ("smallest {}", "最小的 {}"),
    "largest": ("largest {}", "最大的 {}"), "distinct": ("different values of {}", "{} 的不同值"),
    "repeated": ("most events of one {}", "同一 {} 的最多次数"), "most_frequent": ("most frequent {}", "最常见的 {}"),
}  # fmt: skip
_JOURNEYS: Final = {
    "entered": ("has entered the journey {}", "进入过旅程 {}"), "active": ("is in the journey {} now", "正在旅程 {} 中"),
    "ended": ("has been through the journey {}", "已走完旅程 {}"), "never_entered": ("has never entered the journey {}", "从未进入旅程 {}"),
}  # fmt: skip
_ANNIVERSARIES: Final = {
    "next_days": ("in the next {} days", "在今后 {} 天内"), "last_days": ("in the last {} days", "在最近 {} 天内"),
    "in_days": ("in {} days", "在 {} 天后"),
}  # fmt: skip
_MORE: Final = ("of_journey", "of_last", "occurrence", "where", "having", "followed_by", "not_followed_by")
_NESTS: Final = {
    "all": ("all of these hold", "以下全部成立"), "any": ("at least one of these holds", "以下至少一项成立"), "not": ("this does not hold", "以下不成立"),
}  # fmt: skip
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "tag": ("has the tag {}", "有标签 {}"), "group": ("is in the group {}", "在群组 {}"), "segment": ("is in the segment {}", "在人群 {}"),
    "lifecycle": ("is in the stage {}", "处于阶段 {}"), "points": ("has {} points", "积分 {}"), "created": ("was first seen {}", "首次出现 {}"),
    "now": ("it is there {}", "当地时间 {}"), "locale": ("reads {}", "语言为 {}"), "region": ("lives in {}", "在 {}"), "consent": ("{} for {}", "对 {1} 的授权：{0}"),
    "suppressed": ("is suppressed on {}", "在 {} 上被停发"), "reachable": ("can be reached on {}", "可通过 {} 触达"),
    "address": ("has an address on {}", "有 {} 地址"), "identity": ("is known by {}", "有身份标识 {}"),
    "bucket": ("falls into {} to {} % of {}", "落入 {2} 的 {0}%–{1}%"), "holdout": ("is in the hold-out of {} ({} %)", "属于对照组 {}（{}%）"),
    "followed_by": ("followed by {}", "之后有 {}"), "not_followed_by": ("not followed by {}", "之后没有 {}"), "where": ("where {}", "且 {}"),
    "having": ("which has {}", "且其 {}"), "of_journey": ("of the journey {}", "来自旅程 {}"), "of_last": ("of the last {} messages", "最近 {} 条消息中"),
    "occurrence": ("time: {}", "第几次：{}"), "wanted": ("wanted {}", "要求 {}"), "missing": ("is missing", "缺失"), "since": ("since {}", "自 {}"),
    "same": ("of the same {}", "（相同 {}）"), "in_time": ("within {}", "在 {} 内"), "last": ("last {}", "最近一次 {}"), "nothing": ("no such event", "没有这样的事件"), "anything": ("anything", "任何事件"),
}  # fmt: skip


def say(word: str, language: Language, *values: Any) -> str:
    """A fixed phrase with values in it."""
    return _pick(_WORDS[word], language).format(*(shown(value) for value in values))


def _pick(words: tuple[str, str], language: Language) -> str:
    return words[0 if language == "en" else 1]


def shown(value: Any) -> str:
    """A value as people read it; a long one is cut."""
    if isinstance(value, (list, tuple, set, frozenset)):
        text = ", ".join(shown(each) for each in list(value)[:10]) + (", …" if len(value) > 10 else "")
    elif isinstance(value, Mapping):
        text = ", ".join(f"{name}: {shown(each)}" for name, each in list(value.items())[:10])
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = f"{value:.10g}"
    else:
        text = str(value)
    return text if len(text) <= 200 else text[:199] + "…"


def label(rule: Rule, language: Language) -> str:  # noqa: PLR0911 - one branch per key word
    """The condition as a sentence without its subject."""
    match rule:
        case {"all": _} | {"any": _} | {"not": _}:
            return _pick(_NESTS[next(word for word in _NESTS if word in rule)], language)
        case {"attribute": name} | {"property": name} | {"metric": name}:
            return f"{name} {_comparison(rule, language)}"
        case {"event": _} | {"engagement": _}:
            return behaviour(rule, language)
        case {"points": wanted}:
            return say("points", language, number_test(wanted, language))
        case {"created": times} | {"now": times}:
            return say("created" if "created" in rule else "now", language, times_of(times, language))
        case {"bucket": part}:
            return say("bucket", language, part["from"], part["to"], part["salt"])
        case {"holdout": part}:
            return say("holdout", language, part["salt"], part["percent"])
        case {"consent": channel}:
            topic = f"{channel}/{rule['topic']}" if rule.get("topic") else channel
            return _with_times(say("consent", language, rule.get("is") or "granted", topic), rule, language)
        case {"journey": names}:
            state = _pick(_JOURNEYS[rule.get("is") or "entered"], language).format(_names(names, language))
            outcome = f" ({_names(rule['outcome'], language)})" if rule.get("outcome") else ""
            return _with_times(state + outcome, rule, language)
        case _:
            word = next(word for word in _WORDS if word in rule)
            more = ", ".join(shown(rule[each]) for each in ("topic", "reason", "account") if rule.get(each) is not None)
            text = say(word, language, _names(rule[word], language)) + (f" ({more})" if more else "")
            return _with_times(text, rule, language)


def _names(value: Any, language: Language) -> str:
    grouping = next(iter(value)) if isinstance(value, Mapping) else "any_of"
    names = names_of(value)
    text = _pick(_JOINTS[grouping], language).join(names[:10]) + (" …" if len(names) > 10 else "")
    return _pick(_NONE, language).format(text) if grouping == "none_of" else text


def _comparison(rule: Rule, language: Language) -> str:
    word = next(each for each in rule if each not in {"attribute", "property", "metric", "ignore_case"})
    wanted = rule[word]
    if word == "exists":
        return _pick(_EXISTS[wanted], language)
    if word == "is_empty":
        return _pick(_EMPTY[wanted], language)
    if word in {"length", "size", "age"}:
        return _pick(_OPERATORS[word], language).format(number_test(wanted, language))
    if word == "anniversary":
        return _pick(_OPERATORS[word], language).format(_anniversary(wanted, language))
    if word in _OPERATORS:
        values = wanted if word == "between" else [wanted]
        return _pick(_OPERATORS[word], language).format(*(shown(each) for each in values))
    return times_of(rule, language)


def _anniversary(wanted: Any, language: Language) -> str:
    if not isinstance(wanted, Mapping):
        return shown(wanted).replace("_", " ")
    [(word, days)] = wanted.items()
    return _pick(_ANNIVERSARIES[word], language).format(days)


def number_test(wanted: Any, language: Language) -> str:
    """A comparison of a number."""
    if not isinstance(wanted, Mapping):
        return shown(wanted)
    return ", ".join(
        _pick(_COUNTS[word], language).format(*map(shown, limit if isinstance(limit, (list, tuple)) else [limit]))
        for word, limit in wanted.items()
    )


def times_of(rule: Rule, language: Language) -> str:
    """The window and the calendar words of a condition."""
    found = []
    for word in (*WINDOW_WORDS, *CALENDAR_WORDS):
        wanted = rule.get(word)
        if wanted is None:
            continue
        if word in {"days_since", "days_until"}:
            values = [number_test(wanted, language)]
        elif word in {"between", "time_of_day"}:
            values = [shown(each) for each in wanted]
        else:
            values = [shown(wanted).replace("_", " ") if word == "period" else shown(wanted)]
        found.append(_pick(_WINDOWS[word], language).format(*values))
    return ", ".join(found)


def _with_times(text: str, rule: Rule, language: Language) -> str:
    times = times_of(rule, language)
    return f"{text} {times}" if times else text


def behaviour(rule: Rule, language: Language) -> str:
    """What somebody did: the event, its filters, its window, how often."""
    what = rule.get("event") or f"{shown(rule['engagement'])} {rule.get('channel') or ''}".strip()
    parts = [say("anything", language) if what == "*" else shown(what)]
    given = {word: rule[word] for word in _MORE if rule.get(word) is not None}
    for word, value in given.items():
        if word in {"where", "having"}:
            shown_value = _filter(expand_where(value), language)
        else:
            shown_value = _following(value, language) if word.endswith("followed_by") else value
        parts.append(say(word, language, shown_value))
    if times := times_of(rule, language):
        parts.append(times)
    if wanted := wanted_of(rule, language):
        parts.append(wanted)
    return ", ".join(parts)


def _following(rule: Rule, language: Language) -> str:
    more = []
    if rule.get("same") is not None:
        names = rule["same"]
        more.append(say("same", language, " = ".join(*names.items()) if isinstance(names, Mapping) else names))
    if rule.get("within") is not None:
        more.append(say("in_time", language, rule["within"]))
    plain = {key: value for key, value in rule.items() if key not in {"same", "within"}}
    return " ".join([behaviour(plain, language), *more])


def wanted_of(rule: Rule, language: Language) -> str:
    """What a count or a measure of events is compared with; "" where once is enough."""
    measure = next((word for word in MEASURES if rule.get(word) is not None), None)
    limits = {word: rule[word] for word in COUNT_WORDS if rule.get(word) is not None}
    if measure == "most_frequent":
        return (
            f"{_pick(_MEASURES[measure], language).format(rule[measure])}: {shown(rule.get('equals', rule.get('in')))}"
        )
    if measure is not None:
        return f"{_pick(_MEASURES[measure], language).format(rule[measure])}: {number_test(limits, language)}"
    return f"{number_test(limits, language)} {unit(rule, language)}" if limits else ""


def unit(rule: Rule, language: Language, number: Any = None) -> str:
    """What is counted."""
    words = _pick(_UNITS[rule.get("count") or "times"], language)
    return words.replace("times", "time").replace("days", "day").replace("weeks", "week") if number == 1 else words


def measure_of(rule: Rule, language: Language) -> str:
    """What is measured of a property; "" where events are counted."""
    measure = next((word for word in MEASURES if rule.get(word) is not None), None)
    return "" if measure is None else _pick(_MEASURES[measure], language).format(rule[measure])


def _filter(rule: Rule, language: Language) -> str:
    match rule:
        case {"all": inner}:
            return ", ".join(_filter(each, language) for each in inner)
        case {"any": inner}:
            return " / ".join(_filter(each, language) for each in inner)
        case {"not": inner}:
            return f"✗({_filter(inner, language)})"
        case _:
            return label(rule, language)
