"""Turns what a shop or a CRM posts into events, as its mapping file says. Called by the receiver.

A mapping is a list of rules. A rule has conditions (``when``) and says, for a body that meets them, which events it is:
``type``, ``contact``, ``properties``, ``profile``, ``occurred_at``, ``id``, each out of values. A value is a path, or a mapping
with one of ``path``, ``first_of``, ``join``, ``constant``, ``each``, and what to do with what is found (``as``, ``map``,
``prefix``, ``default``). The result has the form of our own webhooks (``webhook_body``), which checks and cleans it.
``docs/integrations.md`` has the whole language; ``waypost.authoring.sources`` checks the files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from waypost.clock import format_instant
from waypost.contacts.identity.rules import load_identity_rules
from waypost.intake.sender_schemes import Scheme
from waypost.published_sections import published_section

MOST_EVENTS: Final = 500
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")
_YES: Final = frozenset({"true", "yes", "1", "on", "y", "是"})
_NO: Final = frozenset({"false", "no", "0", "off", "n", "否", ""})
_MOST_DIGITS: Final = 30

Mapped = dict[str, Any]
"""One event in the form of ``webhook_body.WebhookEvent``."""


class UnusableValueError(ValueError):
    """What was found cannot be read as the mapping says; ``args`` has the field and the reason, never the value."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """The mapping of one source; ``rules`` in their published form."""

    source: str
    scheme: Scheme
    rules: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_dict(cls, source: str, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        signature = value["signature"]
        return cls(source, Scheme(signature["scheme"], signature.get("options", {})), tuple(value["rules"]))

    def events(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[list[Mapped], list[tuple[str, str]]]:
        """The events of a body, and what could not be used of it, as pairs of place and reason."""
        given = {"body": body, "header": headers}
        found: list[Mapped] = []
        unusable: list[tuple[str, str]] = []
        for number, rule in enumerate(self.rules):
            for index, scope in enumerate(_items(rule, given)):
                if not all(_holds(condition, _look_up(path, scope)) for path, condition in rule["when"].items()):
                    continue
                where = f"rules[{number}]" + (f" of item {index}" if rule["each"] else "")
                event, problems = _event(rule, scope, where)
                unusable += problems
                if event is not None and len(found) < MOST_EVENTS:
                    found.append(event)
        return found, unusable


def _items(rule: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The scopes of a rule: the body itself, or once for each element of a list in it."""
    if rule["each"] is None:
        yield given
        return
    elements = _look_up(rule["each"], given)
    for element in elements if isinstance(elements, list) else []:
        yield {**given, "item": element}


def _event(
    rule: Mapping[str, Any], scope: Mapping[str, Any], where: str
) -> tuple[Mapped | None, list[tuple[str, str]]]:
    """The event that the rule makes of this scope; None when it has no type or names no contact."""
    unusable: list[tuple[str, str]] = []

    def read(value: Any, place: str) -> Any:
        names = place == "id" or place.startswith("contact.")
        try:
            return _value(value, scope, f"{where}.{place}", names=names)
        except UnusableValueError as error:
            unusable.append((error.where, error.reason))
            return None

    def read_all(values: Mapping[str, Any], place: str) -> dict[str, Any]:
        found = {name: read(value, f"{place}.{name}") for name, value in values.items()}
        return {name: value for name, value in found.items() if value is not None}

    kind = read(rule["type"], "type")
    contact = {name: str(value) for name, value in read_all(rule["contact"], "contact").items() if value != ""}
    if not isinstance(kind, str) or not kind:
        return None, unusable
    if not contact:
        return None, [*unusable, (f"{where}.contact", "identifies no contact; the event is left out")]
    event: Mapped = {"type": kind, "contact": contact}
    for name in ("properties", "profile"):
        event[name] = read_all(rule[name], name)
    for name in ("occurred_at", "id"):
        if rule[name] is not None and (value := read(rule[name], name)) is not None:
            event[name] = value if name == "occurred_at" else str(value)
    return event, unusable


def _value(value: Any, scope: Mapping[str, Any], where: str, *, names: bool = False) -> Any:
    """The value as the mapping says; one that ``names`` a contact or an event is no prefix before a placeholder."""
    if isinstance(value, str):
        return _look_up(value, scope)
    options: Mapping[str, Any] = value
    if "constant" in options:
        return options["constant"]
    if "join" in options:
        parts = [_value(part, scope, where, names=names) for part in options["join"]]
        is_whole = all(part is not None for part in parts)
        return options.get("with", "-").join(map(_as_text, parts)) if is_whole else options.get("default")
    if "each" in options:
        elements = _look_up(options["each"], scope)
        inner = ({**scope, "item": element} for element in elements) if isinstance(elements, list) else ()
        found = [{name: _value(each, item, where) for name, each in options["values"].items()} for item in inner]
        return found or None
    if "first_of" in options:
        candidates = (_value(option, scope, where) for option in options["first_of"])
        usable = (each for each in candidates if each not in (None, "") and not (names and _is_placeholder(each)))
        return _finished(next(usable, None), options, where, names=names)
    return _finished(_look_up(options["path"], scope), options, where, names=names)


def _is_placeholder(found: Any) -> bool:
    return _as_text(found) in load_identity_rules().placeholders


def _finished(found: Any, rest: Mapping[str, Any], where: str, *, names: bool) -> Any:
    """What was found, converted, translated and prefixed; the default where there is nothing."""
    if found is not None and "as" in rest:
        for form in rest["as"]:
            found = _converted(found, form, rest, where)
    if found is not None and "map" in rest:
        found = rest["map"].get(_as_text(found), rest.get("otherwise"))
    if found is None or found == "":
        return rest.get("default")
    if "prefix" not in rest:
        return found
    if names and _is_placeholder(found):
        raise UnusableValueError(where, "is a placeholder that many share, so a prefix makes no id of it")
    return f"{rest['prefix']}{_as_text(found)}"


def _converted(found: Any, form: str, rest: Mapping[str, Any], where: str) -> Any:  # noqa: C901, PLR0911 - one per form
    text = _as_text(found) if not isinstance(found, (dict, list)) else ""
    match form:
        case "text":
            return text or None
        case "trim":
            return text.strip() or None
        case "lower":
            return text.strip().lower() or None
        case "upper":
            return text.strip().upper() or None
        case "number" | "whole":
            return _number(text, where, whole=form == "whole")
        case "boolean":
            if isinstance(found, bool) or text.strip().lower() in _YES | _NO:
                return found if isinstance(found, bool) else text.strip().lower() in _YES
            raise UnusableValueError(where, "should be yes or no")
        case "list":
            return [part for each in re.split(r"[,;，；、]", text) if (part := each.strip())] or None
        case "date":
            return _instant(text, form, rest, where)[:10] if text.strip() else None
        case "instant" | "seconds" | "milliseconds":
            return _instant(text, form, rest, where) if text.strip() else None
        case _:
            raise UnusableValueError(where, f"the mapping has no form {form!r}")


def _number(text: str, where: str, *, whole: bool) -> int | float | None:
    plain = text.strip().replace(",", "")
    if not plain:
        return None
    if len(plain) > _MOST_DIGITS or not re.fullmatch(r"[-+]?\d+(\.\d+)?([eE][-+]?\d{1,2})?", plain):
        raise UnusableValueError(where, "should be a number")
    number = float(plain)
    return int(number) if whole or (number.is_integer() and re.fullmatch(r"[-+]?\d+", plain)) else number


def _instant(text: str, form: str, rest: Mapping[str, Any], where: str) -> str:
    """An instant in our spelling; a time without an offset is one of the declared ``zone``. A date stays a date."""
    plain = text.strip()
    try:
        if form in {"seconds", "milliseconds"}:
            return format_instant(datetime.fromtimestamp(float(plain) / (1 if form == "seconds" else 1000), tz=UTC))
        if form == "date" and re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain):
            return datetime.fromisoformat(plain).strftime("%Y-%m-%d")
        pattern = rest.get("format")
        at = datetime.strptime(plain, pattern) if pattern else datetime.fromisoformat(plain.replace("/", "-"))  # noqa: DTZ007 - the zone follows
        at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(rest.get("zone", "UTC")))
    except (ValueError, OverflowError, OSError):
        raise UnusableValueError(where, "should be a date or a time in the declared form") from None
    return at.strftime("%Y-%m-%d") if form == "date" else format_instant(at)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _look_up(path: str, scope: Mapping[str, Any]) -> Any:
    """The value at ``customer.email``, ``line_items[0].sku``, ``line_items[*].sku``, ``header.x-topic`` or ``item.sku``."""
    root, _, rest = path.partition(".")
    start = root.split("[", maxsplit=1)[0]
    if start in {"header", "item"} and start in scope:
        found: Any = scope[start]
        path = rest if root == start else path.removeprefix(start)
    else:
        found = scope["body"]
        path = rest if root == "body" else path
    return _follow(found, [(name, index) for name, index in _STEP.findall(path)])


def _follow(found: Any, steps: list[tuple[str, str]]) -> Any:
    for position, (name, index) in enumerate(steps):
        if index == "*":
            rest = steps[position + 1 :]
            elements = found if isinstance(found, list) else []
            return [value for each in elements if (value := _follow(each, rest)) is not None]
        if name:
            found = found.get(name) if isinstance(found, Mapping) else None
        else:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else None
    return found


def _holds(condition: Any, found: Any) -> bool:  # noqa: PLR0911 - one return per kind of condition
    match condition:
        case {"exists": wanted}:
            return (found is not None) is wanted
        case {"contains": wanted}:
            return wanted in found if isinstance(found, (list, str)) else False
        case {"not": inner}:
            return not _holds(inner, found)
        case {"starts_with": text}:
            return isinstance(found, str) and found.startswith(text)
        case list():
            return any(_holds(each, found) for each in condition)
        case bool():
            return found is condition
        case _:
            return not isinstance(found, bool) and bool(found == condition)


@cache
def load_source_mappings() -> dict[str, SourceMapping]:
    """What this deployment declares, by source, from the journeys layer."""
    return {name: SourceMapping.from_dict(name, each) for name, each in published_section("sources").items()}
