"""What each kind of step of a journey uses on AWS, from the counted journey; forecasts multiply it. Run by hand.

``python -m benchmarks.step_usage`` counts again (two minutes) and writes ``local/forecast/step_usage.json``.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks import journey_cost
from benchmarks.journey_cost import JOURNEY, STEPS, TRACES, JourneyCost, divided, summed
from local.forecast.step_usage import STEP_USAGE
from local.project.current_project import current_project


def step_usage(cost: JourneyCost) -> dict[str, dict[str, float]]:
    """The billed quantities of an entry or a Pause with the hop behind it, a send, an update, an end, an event, and a notice."""
    calls = {
        "send": ("sends", "send_message"),
        "update": ("updates", "update_contact"),
        "end": ("closing", "close_enrolment"),
    }
    found = {
        "hop": divided(_of(cost, STEPS, TRACES, "pauses"), _stops(cost)),
        "event": divided(_of(cost, "events", "archive"), _invocations(cost, "receive_webhook")),
        "notice": cost.per_notice(),
    }
    for step, (part, function) in calls.items():
        found[step] = divided(_of(cost, part), _invocations(cost, function))
    return {
        step: {name: float(f"{amount:.4g}") for name, amount in used.items() if amount} for step, used in found.items()
    }


def _stops(cost: JourneyCost) -> float:
    """The entries, and the Pauses at which a contact was parked; some of the last ones have no hop behind them."""
    return len(cost.enrolled) + _invocations(cost, "pause_journey") - cost.hops  # a hop asks once as it begins


def _of(cost: JourneyCost, *parts: str) -> dict[str, float]:
    return summed(passage.usage.parts().get(part, {}) for passage in cost.enrolled for part in parts)


def _invocations(cost: JourneyCost, function: str) -> float:
    return sum(passage.usage.invocations.get(function, 0) for passage in cost.enrolled)


def write(cost: JourneyCost, today: datetime) -> Mapping[str, Any]:
    """Write the file that forecasts read, and give its content."""
    content = {"measured": f"{today:%Y-%m-%d}", "journey": JOURNEY, "steps": step_usage(cost)}
    STEP_USAGE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return content


if __name__ == "__main__":
    counted = journey_cost.measure(current_project().out / "bench" / "cloud", progress=print)
    print(json.dumps(write(counted, datetime.now(UTC)), indent=2))
