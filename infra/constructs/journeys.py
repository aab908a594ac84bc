"""The journey machines: one state machine for each folder under statemachines/journeys/."""

import json
from collections.abc import Mapping

from aws_cdk import ArnFormat, RemovalPolicy, Stack, aws_iam, aws_logs, aws_stepfunctions
from constructs import Construct

from infra.constructs.acknowledging import acknowledge, acknowledge_wildcard
from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.hop import Hop, Platform
from waypost.authoring.discovery import JourneyFolder

_DISCOVERED = "Journeys are discovered from folders; their machines share this prefix"
_LOG_DELIVERY = "Log delivery and X-Ray take no resource"
_HISTORY_IS_KEPT = (
    "Step Functions keeps the whole history of an execution for 90 days; logging it again doubles the cost"
)


class JourneyMachines(Construct):
    """``prefix`` is the ARN of a journey's machine without the journey's name; ``arns`` maps names to ARNs.

    Hops are given the prefix before the machines exist, because machines call hops; ``add`` makes the machines.
    """

    def __init__(self, scope: Construct, *, platform: Platform) -> None:
        super().__init__(scope, "Journeys")
        self._platform = platform
        self.prefix = Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=platform.deployment.state_machine_name(""),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.arns: dict[str, str] = {}
        self._logs = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/vendedlogs/states/{platform.deployment.name}-journeys",
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )

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
        role = aws_iam.Role(journey, "Role", assumed_by=aws_iam.ServicePrincipal("states.amazonaws.com"))
        if named:
            role.add_to_policy(
                aws_iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(named.values()))
            )
        machine = aws_stepfunctions.StateMachine(
            journey,
            "Machine",
            state_machine_name=self._platform.deployment.state_machine_name(folder.name),
            state_machine_type=aws_stepfunctions.StateMachineType.STANDARD,
            definition_body=aws_stepfunctions.DefinitionBody.from_string(
                json.dumps(folder.definition, ensure_ascii=False)
            ),
            definition_substitutions=named,
            role=role,
            tracing_enabled=True,
            logs=aws_stepfunctions.LogOptions(
                destination=self._logs, level=aws_stepfunctions.LogLevel.ERROR, include_execution_data=False
            ),
        )
        acknowledge(machine, "AwsSolutions-SF1", because=_HISTORY_IS_KEPT)
        acknowledge_wildcard(role, "*", because=_LOG_DELIVERY)
        self.arns[folder.name] = machine.state_machine_arn
        self._platform.alarms.watch(
            journey,
            "Failed",
            machine.metric_failed(period=FIVE_MINUTES),
            because=f"An execution of the journey {folder.name} failed; its graph in the console shows where",
        )
