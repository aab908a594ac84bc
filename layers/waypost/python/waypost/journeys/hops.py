"""Start the hop that an enrolment gives out. Used by whatever ends a Pause, and by the sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.machine_versions import journey_and_version
from waypost.journeys.ports import Machines
from waypost.sending.held_journeys import HeldJourneys

OVER: Final = ": over?"
"""How the name of the Choice ends that the synth puts behind a Pause."""

RESULT_BEHIND: Final = "$states.input.answer.result"
INPUT_BEHIND: Final = "$states.input.input"
"""What that Choice reads where the author's Pause reads ``$states.result`` and ``$states.input``."""


def start_hop(machines: Machines, enrolment: Enrolment) -> None:
    """Start the execution of the hop that the stored row names.

    In this order, row first: a start that is lost is found by the sweep, one that is doubled finds its hop taken.
    """
    name = ids.execution_name(enrolment.journey, enrolment.hop.id)
    machines.start(enrolment.machine, name, enrolment.execution_input())


@dataclass(frozen=True, slots=True)
class HeldMachines:
    """Machines that start no hop of a journey that is held: its row lies untaken, and the sweep starts it once the journey goes on."""

    machines: Machines
    held: HeldJourneys

    def start(self, machine: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """See Machines."""
        if not self.held.keeps(journey_and_version(machine)[0]):
            self.machines.start(machine, name, execution_input)
