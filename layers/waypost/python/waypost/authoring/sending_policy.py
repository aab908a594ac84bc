"""The sending policy, ``statemachines/sending.yaml``, checked. Used by discovery, which publishes it."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import time
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from waypost.authoring.problems import Authored
from waypost.channels.authored_contract import wrong_locale
from waypost.contacts.channels import CHANNELS, Channel
from waypost.sending.judge import all_guards
from waypost.sending.policy import Between, Setting

_LOCAL_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


_SPELLED_TIME: Final = re.compile(r"(\d{1,2})(?:[:.：h]?([0-5]\d))?(?::[0-5]\d)?\s*([ap]\.?m\.?)?")


def local_time(text: str) -> str:
    """Pydantic's view of a local wall-clock time, ``HH:MM``."""
    if not _LOCAL_TIME.fullmatch(text):
        meant = _meant_time(text)
        raise ValueError(
            f"expected a local time such as 09:00 or 21:30, got {text!r}" + (f"; write {meant!r}" if meant else "")
        )
    return text


def _as_time(value: Any) -> Any:
    """A number, which YAML reads where an author left out the minutes, fails as the text it was."""
    return local_time(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _meant_time(text: str) -> str:
    """The time that another spelling probably means: ``9:00``, ``9am``, ``21.30``; else empty."""
    found = _SPELLED_TIME.fullmatch(text.strip().lower())
    if found is None:
        return ""
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3] or ""
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else ""


def _locale(text: str) -> str:
    if reason := wrong_locale(text):
        raise ValueError(reason)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected an IANA time zone such as Asia/Shanghai, got {text!r}") from None
    return text


LocalTime = Annotated[str, BeforeValidator(_as_time), AfterValidator(local_time)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Locale = Annotated[str, AfterValidator(_locale)]


class SendingRules(Authored):
    """How and when messages may go out; what the file leaves out keeps its default.

    The settings of the guards are fields of ``SENDING_RULES``, which is made of their declarations.
    """

    default_time_zone: TimeZone = "Asia/Shanghai"
    default_locale: Locale = "zh-CN"
    send_within_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 72

    def published_defaults(self) -> dict[str, str]:
        """The form every function reads."""
        return {"time_zone": self.default_time_zone, "locale": self.default_locale}

    def published(self) -> dict[str, Any]:
        """The form the sender reads."""
        settings = {each.name: _published(getattr(self, each.name, each.default)) for each in guard_settings()}
        return {**settings, "send_within_hours": self.send_within_hours}


def guard_settings() -> list[Setting[Any]]:
    """The settings of all guards."""
    return [setting for guard in all_guards() for setting in guard.settings]


def _authored(form: Any) -> Any:
    """The form of a setting as pydantic checks it; what comes out of the check is the guard's own type."""
    if form is time:
        return Annotated[LocalTime, AfterValidator(time.fromisoformat)]
    if form is Channel:
        return Literal[CHANNELS]
    if isinstance(form, type) and is_dataclass(form):
        return _authored_dataclass(form)
    base, arguments = get_origin(form), get_args(form)
    if base is Annotated:
        bounds = [Field(ge=each.least, le=each.most) for each in form.__metadata__ if isinstance(each, Between)]
        return Annotated[_authored(arguments[0]), *bounds]
    if base in {Union, UnionType}:
        return Union[tuple(_authored(each) for each in arguments)]  # noqa: UP007 - its members are not known here
    return base[tuple(_authored(each) for each in arguments)] if base is not None else form


def _authored_dataclass(form: type[Any]) -> Any:
    types = get_type_hints(form, include_extras=True)
    names = [each.name for each in fields(form)]
    model = create_model(  # type: ignore[call-overload]  # its fields are not known here
        form.__name__,
        __base__=Authored,
        **{
            each.name: (
                _authored(types[each.name]),
                Field(default=... if each.default is MISSING else each.default, alias=each.metadata.get("authored")),
            )
            for each in fields(form)
        },
    )
    return Annotated[model, AfterValidator(lambda checked: form(**{name: getattr(checked, name) for name in names}))]


def _published(value: Any) -> Any:
    """A setting as JSON."""
    match value:
        case time():
            return value.isoformat("minutes")
        case Mapping():
            return {name: _published(each) for name, each in value.items()}
        case _ if is_dataclass(value):
            return {each.name: _published(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value


SENDING_RULES: Final[type[SendingRules]] = create_model(
    "SendingRules",
    __base__=SendingRules,
    **{each.name: (_authored(each.form), Field(default=each.default)) for each in guard_settings()},  # type: ignore[call-overload]
)
"""All of ``sending.yaml``."""
