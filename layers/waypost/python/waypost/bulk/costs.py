"""What a bulk run costs, by AWS's list prices. An estimate, never a bill. Used by the runner of slices and what reports its cost."""

from dataclasses import dataclass
from typing import Any, Final, Self

from waypost.codec import JsonForm

PRICES_OF: Final = "us-east-1, on demand, list prices of 2026-11 without free tier"

READ_UNIT: Final = 0.125e-6
"""Dollars per read request unit: https://aws.amazon.com/dynamodb/pricing/on-demand/"""

GB_SECOND: Final = 13.3334e-6
"""Dollars per GB-second on arm64: https://aws.amazon.com/lambda/pricing/"""

CALL: Final = 0.20e-6
"""Dollars per Lambda request: https://aws.amazon.com/lambda/pricing/"""

TRANSITION: Final = 25e-6
"""Dollars per state transition of a standard workflow: https://aws.amazon.com/step-functions/pricing/"""

FILE_WRITTEN: Final = 5e-6
"""Dollars per PUT to S3 Standard: https://aws.amazon.com/s3/pricing/"""

SLICE_GB: Final = 1769 / 1024
"""Memory of the functions that read slices: one whole core. ``functions/build_audience_slice/function.yaml`` gives it."""

TRANSITIONS_PER_CALL: Final = 2
"""Per invocation of a slice: the task, and the choice whether it is done."""

TRANSITIONS_PER_SLICE: Final = 2
"""Per slice, in addition: its start and its end."""


@dataclass(slots=True)
class RunCost(JsonForm):
    """What was used: read units, milliseconds and number of function calls, files written, slices begun."""

    read_units: float = 0.0
    milliseconds: int = 0
    calls: int = 0
    files: int = 0
    slices: int = 0

    def merge(self, other: Self) -> None:
        """Add what another part of the run used."""
        self.read_units += other.read_units
        self.milliseconds += other.milliseconds
        self.calls += other.calls
        self.files += other.files
        self.slices += other.slices

    @property
    def dollars(self) -> float:
        """The list price of all that."""
        transitions = self.calls * TRANSITIONS_PER_CALL + self.slices * TRANSITIONS_PER_SLICE
        return (
            self.read_units * READ_UNIT
            + self.milliseconds / 1000 * SLICE_GB * GB_SECOND
            + self.calls * CALL
            + self.files * FILE_WRITTEN
            + transitions * TRANSITION
        )

    def report(self) -> dict[str, Any]:
        """The report for people: usage, cost in dollars, and the prices it is based on."""
        used = self.to_dict() | {"read_units": round(self.read_units, 1)}
        return used | {"dollars": round(self.dollars, 6), "prices": PRICES_OF}
