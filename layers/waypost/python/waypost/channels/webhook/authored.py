"""A webhook message as authored: ``webhook.<locale>.json``, an object whose texts are templates."""

import json
from collections.abc import Iterator
from typing import Any, Final

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile
from waypost.channels.webhook.channel import CHANNEL, RenderedWebhook
from waypost.content.templates import TEXT


class AuthoredWebhook(AuthoredChannel):
    """A webhook message is one JSON object per locale."""

    kind = "json"

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel. A problem names the member by its path (``order.lines.0.name``)."""
        try:
            content = json.loads(source.text, object_pairs_hook=_each_once, parse_constant=_refuse_constant)
        except _UnclearError as error:
            raise UnusableFile(source.path, error.field, error.reason) from None
        except json.JSONDecodeError as error:
            raise UnusableFile(source.path, "", f"is no JSON: {error.msg} in line {error.lineno}") from None
        except RecursionError:
            raise UnusableFile(source.path, "", "is nested too deeply") from None
        if not isinstance(content, dict) or not content:
            raise UnusableFile(source.path, "", 'must be a JSON object such as {"text": "{{ contact.name }}"}')
        for path, text in _texts(content, ""):
            source.templates.check(source.path, path, text, TEXT)
        shown = RenderedWebhook(_shown(content, source))
        if reason := CHANNEL.over_limit(shown):
            raise UnusableFile(source.path, "", reason)
        return {"content": json.dumps(content, ensure_ascii=False, separators=(",", ":"))}


class _UnclearError(ValueError):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _UnclearError(name, "is there twice in one object")
        found[name] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise _UnclearError("", f"{name} is no JSON")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in the value with its path."""
    match value:
        case str():
            yield path, value
        case list():
            for index, each in enumerate(value):
                yield from _texts(each, f"{path}.{index}" if path else str(index))
        case dict():
            for name, each in value.items():
                yield from _texts(each, f"{path}.{name}" if path else name)
        case _:
            pass


def _shown(value: Any, source: Source) -> Any:
    match value:
        case str():
            return source.templates.shown(value, TEXT)
        case list():
            return [_shown(each, source) for each in value]
        case dict():
            return {name: _shown(each, source) for name, each in value.items()}
        case _:
            return value


AUTHORED: Final = AuthoredWebhook()
