"""The addresses of a contact's devices for push messages, one list in its profile. Used by the profile and by merges."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

ATTRIBUTE: Final = "push_tokens"
"""The attribute (and the key in an event's profile) with a list of ``{token, platform}``, the newest device last."""

MOST: Final = 20
"""Devices of one contact; the least recently reported one is dropped. Apps get a new token with each installation."""

LONGEST_TOKEN: Final = 4096  # the longest that Firebase documents
LONGEST_PLATFORM: Final = 32

PushToken = Mapping[str, str]


def joined(known: Iterable[PushToken], given: Iterable[PushToken]) -> list[dict[str, str]]:
    """The union of both lists: each token once, with the platform reported last, at most ``MOST`` in all."""
    by_token = {each["token"]: dict(each) for each in known}
    for each in given:
        if by_token.get(each["token"]) != dict(each):
            by_token.pop(each["token"], None)
            by_token[each["token"]] = dict(each)
    return list(by_token.values())[-MOST:]


def problem(value: Any) -> str:
    """What is wrong with a value given as push tokens; "" when nothing is."""
    if not isinstance(value, list):
        return 'should be a list of devices, for example [{"token": "…", "platform": "ios"}]'
    wrong = next(filter(None, map(device_problem, value)), "")
    return wrong or ("" if len(value) <= MOST else f"should have at most {MOST} devices")


def device_problem(device: Any) -> str:
    """What is wrong with one device of a list; "" when nothing is."""
    if not isinstance(device, dict) or set(device) != {"token", "platform"} or not all(map(_is_text, device.values())):
        return 'should be a device, for example {"token": "…", "platform": "ios"}'
    if len(device["token"]) > LONGEST_TOKEN or len(device["platform"]) > LONGEST_PLATFORM:
        return f"should have a token of at most {LONGEST_TOKEN} and a platform of at most {LONGEST_PLATFORM} characters"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
