"""The operation machines: one state machine for each folder under statemachines/operations/, started in the console."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, NestedStack, Stack, aws_iam, aws_stepfunctions
from constructs import Construct

from infra.constructs.acknowledging import acknowledge_wildcard
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform
from infra.constructs.schedules import Schedules
from infra.constructs.state_machine import machine_logs, machine_role, state_machine
from waypost.authoring.operations import FILES_BUCKET, OperationFolder, OperationSchedule
from waypost.errors import InvalidInput

_OWN_CHILDREN = "The executions of a map are named by Step Functions, after the machine itself"
_WORK = "work/"
_ANY_FILE = "The input of a machine names the file of a run to read"


class OperationMachines(NestedStack):
    """The nested stack of all operations; the functions that only they call are made in it too."""

    def __init__(self, scope: Construct, *, platform: Platform, files: Files, schedules: Schedules, zone: str) -> None:
        super().__init__(scope, "Operations", description="Waypost, operations and their functions")
        self._platform = platform
        self._files = files
        self._schedules = schedules
        self._zone = zone
        self._logs = machine_logs(self, platform=platform, kind="operations")

    def add(self, folder: OperationFolder, *, tasks: Mapping[str, Hop]) -> None:
        """Make the machine of an operation. It may call the ``tasks`` that its definition names, and nothing else.

        Raises InvalidInput when it names a function that there is not.
        """
        if missing := [name for name in folder.functions if name not in tasks]:
            raise InvalidInput(
                f"statemachines/operations/{folder.name}/definition.asl.yaml",
                f"names ${{{missing[0]}}}; expected one of {', '.join(sorted(tasks))} or {FILES_BUCKET}",
            )
        named = {name: tasks[name].arn for name in folder.functions}
        scope = Construct(self, folder.name)
        role = machine_role(scope, calls=named)
        substitutions = dict(named)
        if folder.uses_files:
            self._let_at_files(role, folder.file_actions)
            substitutions[FILES_BUCKET] = self._files.name
        name = self._platform.deployment.state_machine_name(folder.name)
        if folder.has_distributed_map:
            self._let_start_children(role, name)
        machine = state_machine(
            scope,
            platform=self._platform,
            name=name,
            comment=folder.manifest.description.strip(),
            definition=folder.definition,
            substitutions=substitutions,
            role=role,
            logs=self._logs,
        )
        for schedule, when in folder.manifest.schedules.items():
            self._start_by_itself(scope, machine, name=f"{folder.name}-{schedule}", when=when)

    def _let_at_files(self, role: aws_iam.Role, actions: Sequence[str]) -> None:
        """What the definition does with the bucket itself, and under ``work/`` only."""
        objects = f"{self._files.arn}/{_WORK}*"
        on_objects = [f"s3:{action}" for action in actions if action != "ListBucket"]
        if on_objects:
            role.add_to_policy(aws_iam.PolicyStatement(actions=on_objects, resources=[objects]))
            acknowledge_wildcard(role, objects, because=_ANY_FILE)
        if "ListBucket" in actions:
            role.add_to_policy(
                aws_iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[self._files.arn],
                    conditions={"StringLike": {"s3:prefix": [f"{_WORK}*"]}},
                )
            )

    def _let_start_children(self, role: aws_iam.Role, name: str) -> None:
        """What a distributed map needs. Source: Step Functions Developer Guide, "IAM policies for Distributed Map"."""
        stack, colons = Stack.of(self), ArnFormat.COLON_RESOURCE_NAME
        machine = stack.format_arn(service="states", resource="stateMachine", resource_name=name, arn_format=colons)
        children = stack.format_arn(
            service="states", resource="execution", resource_name=f"{name}/*", arn_format=colons
        )
        role.add_to_policy(aws_iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine]))
        role.add_to_policy(
            aws_iam.PolicyStatement(actions=["states:DescribeExecution", "states:StopExecution"], resources=[children])
        )
        role.add_to_policy(aws_iam.PolicyStatement(actions=["states:RedriveExecution"], resources=[children]))
        acknowledge_wildcard(role, children, because=_OWN_CHILDREN)

    def _start_by_itself(
        self, scope: Construct, machine: aws_stepfunctions.StateMachine, *, name: str, when: OperationSchedule
    ) -> None:
        hour, minute = ("*", "0") if when.every == "hour" else (when.at or "03:00").split(":")
        self._schedules.start(
            scope,
            machine.state_machine_arn,
            name=name,
            minute=minute,
            hour=hour,
            weekday=when.on,
            zone=self._zone,
            input_=when.input,
        )
