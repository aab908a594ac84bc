"""The sending policy, ``statemachines/sending.yaml``, checked. Used by discovery, which publishes it."""

import re
from datetime import time
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.problems import Authored

_LOCAL_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def local_time(text: str) -> str:
    """Pydantic's view of a local wall-clock time, ``HH:MM``."""
    if not _LOCAL_TIME.fullmatch(text):
        raise ValueError(f"expected a local time such as 09:00 or 21:30, got {text!r}")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected an IANA time zone such as Asia/Shanghai, got {text!r}") from None
    return text


LocalTime = Annotated[str, AfterValidator(local_time)]
TimeZone = Annotated[str, AfterValidator(_zone)]
LOCALE: Final = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?"
Locale = Annotated[str, Field(pattern=f"^{LOCALE}$")]


class SendingWindow(Authored):
    """The hours of the contact's day in which a channel may be used; the end is outside."""

    start: LocalTime = Field(alias="from")
    end: LocalTime = Field(alias="until")

    @model_validator(mode="after")
    def _is_open(self) -> Self:
        if time.fromisoformat(self.start) == time.fromisoformat(self.end):
            raise ValueError("is never open: 'from' and 'until' are the same")
        return self


class FrequencyCap(Authored):
    """At most ``count`` marketing messages to a contact in any ``hours``."""

    count: Annotated[int, Field(ge=1)]
    hours: Annotated[int, Field(ge=1, le=24 * 90)]


def _daytime() -> dict[Literal["email", "sms"], SendingWindow]:
    return {
        "email": SendingWindow.model_validate({"from": "08:00", "until": "22:00"}),
        "sms": SendingWindow.model_validate({"from": "09:00", "until": "21:00"}),
    }


class SendingRules(Authored):
    """How and when messages may go out; what the file leaves out keeps the value given here."""

    default_time_zone: TimeZone = "Asia/Shanghai"
    default_locale: Locale = "zh-CN"
    windows: dict[Literal["email", "sms"], SendingWindow] = Field(default_factory=_daytime)
    frequency_cap: FrequencyCap | None = FrequencyCap(count=2, hours=24)
    send_within_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 72

    def published_defaults(self) -> dict[str, str]:
        """The form every function reads."""
        return {"time_zone": self.default_time_zone, "locale": self.default_locale}

    def published(self) -> dict[str, Any]:
        """The form the sender reads."""
        return {
            "windows": {channel: [window.start, window.end] for channel, window in self.windows.items()},
            "frequency_cap": None if self.frequency_cap is None else self.frequency_cap.model_dump(mode="json"),
            "send_within_hours": self.send_within_hours,
        }
