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
        meant = _meant(text)
        raise ValueError(
            f"expected a duration such as 45s, 30m, 3h or 2d, got {text!r}" + (f"; write {meant}" if meant else "")
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_SECONDS: Final = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds", "秒"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分钟"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "时", "小时"), 3_600),
    **dict.fromkeys(("d", "day", "days", "天", "日"), 86_400),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "周", "星期"), 7 * 86_400),
    **dict.fromkeys(("mo", "month", "months", "个月"), 30 * 86_400),
}
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([^\W\d_]*)\s*,?\s*(?:and\s+)?")
_ISO: Final = re.compile(r"p(?:[0-9]+[wd])*(?:t(?:[0-9]+[hms])+)?")


def _meant(text: object) -> str:
    """The duration that another spelling probably means: ``1w``, ``PT2H``, ``90 min``, a number of seconds; else empty."""
    spelled = str(text).strip().lower()
    if _ISO.fullmatch(spelled):
        spelled = spelled.replace("p", "").replace("t", "")
    parts = list(_PART.finditer(spelled))
    if not parts or "".join(part[0] for part in parts) != spelled or any(part[2] not in _SECONDS for part in parts):
        return ""
    seconds = round(sum(float(part[1]) * _SECONDS[part[2]] for part in parts))
    unit, size = next((each for each in (("d", 86_400), ("h", 3_600), ("m", 60)) if seconds % each[1] == 0), ("s", 1))
    return f"{seconds // size}{unit}" if 0 < seconds // size < 10**9 else ""
