"""What each kind of step uses on AWS, as ``benchmarks.step_usage`` counted it on the embedded cloud. Used by forecasts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

STEP_USAGE: Final = Path(__file__).with_name("step_usage.json")

Used = Literal["hop", "send", "update", "end", "event", "notice"]
"""The entry or a Pause with the hop behind it, a Send, another task, the end of a passage, an event that is routed, a provider's notice."""
USED: Final[tuple[Used, ...]] = get_args(Used)


@dataclass(frozen=True, slots=True)
class StepUsage:
    """The billed quantities of each, counted on the day ``measured`` in the passages of ``journey``."""

    measured: str
    journey: str
    steps: Mapping[Used, Mapping[str, float]]


@cache
def step_usage() -> StepUsage:
    """The shipped figures."""
    content: dict[str, Any] = json.loads(STEP_USAGE.read_text(encoding="utf-8"))
    return StepUsage(content["measured"], content["journey"], {each: content["steps"][each] for each in USED})
