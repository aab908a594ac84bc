"""Values, numbers, names and times in words, English and Chinese. Used by the conditions to explain themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from waypost.segments.calendar import local
from waypost.segments.vocabulary import CALENDAR_WORDS, WINDOW_WORDS, Rule

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
    "equals_property": ("is the {} of the event", "与事件的 {} 相同"),
    "contains_property": ("contains the {} of the event", "包含事件的 {}"),
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
    "time_of_day": ("between {} and {}", "在 {} 到 {} 之间"),
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
_PERIODS: Final[Mapping[str, str]] = {
    "today": "今天", "yesterday": "昨天", "tomorrow": "明天", "this_week": "本周", "last_week": "上周", "next_week": "下周",
    "this_month": "本月", "last_month": "上月", "next_month": "下月", "this_quarter": "本季度", "last_quarter": "上季度",
    "this_year": "今年", "last_year": "去年", "next_year": "明年",
}  # fmt: skip
_JOINTS: Final = {"any_of": (" or ", " 或 "), "all_of": (" and ", " 和 "), "none_of": (" or ", " 或 ")}
_NONE: Final = ("none of: {}", "都不：{}")
_ANNIVERSARIES: Final = {
    "next_days": ("in the next {} days", "在今后 {} 天内"), "last_days": ("in the last {} days", "在最近 {} 天内"),
    "in_days": ("in {} days", "在 {} 天后"),
}  # fmt: skip


def phrase(language: Language, english: str, chinese: str, *values: Any) -> str:
    """The phrase of the language with the values in it."""
    return pick((english, chinese), language).format(*(shown(value) for value in values))


def pick(words: tuple[str, str], language: Language) -> str:
    """The English or the Chinese one."""
    return words[0 if language == "en" else 1]


def missing(language: Language) -> str:
    """What is written where there is no value."""
    return phrase(language, "is missing", "缺失")


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


MOST_SKIPPED: Final = 3
"""Values of one kind that an explanation shows."""


def no_numbers_in_words(values: Sequence[Any], language: Language) -> str:
    """What is no number where numbers are compared: ``"150" is no number``; the first few of them."""
    texts = list(dict.fromkeys(f'"{each}"' if isinstance(each, str) else shown(each) for each in values))
    text = ", ".join(texts[:MOST_SKIPPED]) + (", …" if len(texts) > MOST_SKIPPED else "")
    return phrase(language, "{} counts as nothing, it is no number", "{} 不是数字，不计入", text)


def moment_in_words(at: datetime, zone: ZoneInfo) -> str:
    """An instant where the contact lives: ``2026-11-01 12:30 +08:00``."""
    there = local(at, zone)
    offset = there.strftime("%z")
    return f"{there:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:5]}"


def names_in_words(names: Sequence[str], grouping: str, language: Language) -> str:
    """``a or b``, ``a and b``, ``none of: a or b``; the first ten of them."""
    text = pick(_JOINTS[grouping], language).join(names[:10]) + (" …" if len(names) > 10 else "")
    return pick(_NONE, language).format(text) if grouping == "none_of" else text


def comparison_in_words(operator: str, wanted: Any, language: Language) -> str:
    """An operator of an attribute, a property or a metric, and what it is compared with."""
    if operator == "exists":
        return pick(_EXISTS[wanted], language)
    if operator == "is_empty":
        return pick(_EMPTY[wanted], language)
    if operator in {"length", "size", "age"}:
        return pick(_OPERATORS[operator], language).format(number_in_words(wanted, language))
    if operator == "anniversary":
        return pick(_OPERATORS[operator], language).format(_anniversary(wanted, language))
    if operator in _OPERATORS:
        values = wanted if operator == "between" else [wanted]
        return pick(_OPERATORS[operator], language).format(*(shown(each) for each in values))
    return times_in_words({operator: wanted}, language)


def _anniversary(wanted: Any, language: Language) -> str:
    if not isinstance(wanted, Mapping):
        return _period(wanted, language)
    [(word, days)] = wanted.items()
    return pick(_ANNIVERSARIES[word], language).format(days)


def _period(name: str, language: Language) -> str:
    return name.replace("_", " ") if language == "en" else _PERIODS[name]


def number_in_words(wanted: Any, language: Language) -> str:
    """A comparison of a number."""
    if not isinstance(wanted, Mapping):
        return shown(wanted)
    return ", ".join(
        pick(_COUNTS[word], language).format(*map(shown, limit if isinstance(limit, (list, tuple)) else [limit]))
        for word, limit in wanted.items()
    )


def times_in_words(words: Rule, language: Language) -> str:
    """The window and the calendar words among the words of a condition; "" when there are none."""
    found = []
    for word in (*WINDOW_WORDS, *CALENDAR_WORDS):
        wanted = words.get(word)
        if wanted is None:
            continue
        if word in {"days_since", "days_until"}:
            values = [number_in_words(wanted, language)]
        elif word in {"between", "time_of_day"}:
            values = [shown(each) for each in wanted]
        else:
            values = [_period(wanted, language) if word == "period" else shown(wanted)]
        found.append(pick(_WINDOWS[word], language).format(*values))
    return ", ".join(found)


def value_in_words(name: str, value: Any, language: Language) -> str:
    """A value of the subject under its name."""
    return f"{name} {missing(language)}" if value is None else f"{name} = {shown(value)}"
