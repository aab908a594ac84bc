"""The journey machines: one state machine for each folder under statemachines/journeys/."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from constructs import Construct

from infra.constructs.hop import Hop, Platform
from infra.constructs.state_machine import machine_logs, machine_role, state_machine
from waypost.authoring.discovery import JourneyFolder

_DISCOVERED = "Journeys are discovered from folders; their machines share this prefix"


class JourneyMachines(Construct):
    """``prefix`` is the ARN of a journey's machine without the journey's name, ``executions`` that of its executions.

    ``arns`` maps names to ARNs. The machines of operations have the same prefix, so it says only: one of this stage.

    Hops are given the prefix before the machines exist, because machines call hops; ``add`` makes the machines.
    """

    def __init__(self, scope: Construct, *, platform: Platform) -> None:
        super().__init__(scope, "Journeys")
        self._platform = platform
        self.prefix, self.executions = (
            Stack.of(self).format_arn(
                service="states",
                resource=resource,
                resource_name=platform.deployment.state_machine_name(""),
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for resource in ("stateMachine", "execution")
        )
        self.arns: dict[str, str] = {}
        self._logs = machine_logs(self, platform=platform, kind="journeys")

    def startable_by(self, hop: Hop) -> None:
        """Let a hop start journeys."""
        hop.allow("states:StartExecution", on=f"{self.prefix}*", wildcard=_DISCOVERED)

    def answerable_by(self, hop: Hop) -> None:
        """Let a hop answer the tokens of waiting journeys."""
        hop.allow("states:SendTaskSuccess", "states:SendTaskFailure", on=f"{self.prefix}*", wildcard=_DISCOVERED)

    def add(self, folder: JourneyFolder, *, tasks: Mapping[str, Hop]) -> None:
        """Make the machine of a journey. It may call the ``tasks`` that its definition names, and nothing else."""
        named = {name: hop.arn for name, hop in tasks.items() if name in folder.functions}
        journey = Construct(self, folder.name)
        machine = state_machine(
            journey,
            platform=self._platform,
            name=self._platform.deployment.state_machine_name(folder.name),
            definition=folder.definition,
            substitutions=named,
            role=machine_role(journey, calls=named),
            logs=self._logs,
            failed=f"An execution of the journey {folder.name} failed; its graph in the console shows where",
        )
        self.arns[folder.name] = machine.state_machine_arn
