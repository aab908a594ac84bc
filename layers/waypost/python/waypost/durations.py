"""Durations as authors write them: ``45s``, ``30m``, ``3h``, ``2d``. Used by rules, manifests and the Pause task."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd])")


def parse_duration(text: str) -> timedelta:
    """``text`` as a time span greater than zero. Raises ValueError that shows the accepted forms.

    A day is 24 hours here; only Pause's ``until`` knows calendar days.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f"expected a duration such as 45s, 30m, 3h or 2d, got {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
