"""The time of a journey that a test contact lives faster than the clock. Kept with its enrolment."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from waypost.codec import JsonForm

USUAL_PACE: Final = 1_440
"""A day of the journey takes a minute."""
LARGEST_PACE: Final = 10_080
"""A week takes a minute, which is the step of the timers; nothing gets faster beyond that."""


@dataclass(frozen=True, slots=True)
class ShortenedTime(JsonForm):
    """``pace`` is how many times shorter every wait is. ``ahead`` is how far the journey's time has run ahead of the clock.

    Between its Pauses the journey's time runs as the clock does. Over a Pause it moves on by the whole wait, however late the timer
    is, so that the next step happens at the hour and on the day that its definition names.
    """

    pace: int
    ahead: timedelta = timedelta(0)
