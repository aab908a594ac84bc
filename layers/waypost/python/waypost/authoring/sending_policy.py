"""The sending policy, ``statemachines/sending.yaml``, checked. Used by discovery, which publishes it."""

from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, create_model

from waypost.authoring.problems import Authored
from waypost.channels.authored_contract import wrong_locale
from waypost.policies.policy_form import checked_form
from waypost.policies.policy_form import published as published_setting
from waypost.sending.policy import SEND_WITHIN_HOURS
from waypost.sending.policy_in_force import all_settings


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


TimeZone = Annotated[str, AfterValidator(_zone)]
Locale = Annotated[str, AfterValidator(_locale)]


class SendingRules(Authored):
    """How and when messages may go out; what the file leaves out keeps its default.

    The settings of the guards are fields of ``SENDING_RULES``, which is made of their declarations.
    """

    default_time_zone: TimeZone = "Asia/Shanghai"
    default_locale: Locale = "zh-CN"
    send_within_hours: Annotated[int, Field(ge=SEND_WITHIN_HOURS.least, le=SEND_WITHIN_HOURS.most)] = 72

    def published_defaults(self) -> dict[str, str]:
        """The form every function reads."""
        return {"time_zone": self.default_time_zone, "locale": self.default_locale}

    def published(self) -> dict[str, Any]:
        """The form the sender reads."""
        settings = {each.name: published_setting(getattr(self, each.name, each.default)) for each in all_settings()}
        return {**settings, "send_within_hours": self.send_within_hours}


SENDING_RULES: Final[type[SendingRules]] = create_model(
    "SendingRules",
    __base__=SendingRules,
    **{  # type: ignore[call-overload]
        each.name: (checked_form(each.form, Authored), Field(default=each.default))
        for each in all_settings()
        if not each.operated
    },
)
"""All of ``sending.yaml``."""
