"""The journey machines: one Express machine for each version of a folder under statemachines/journeys/, started once per hop."""

import hashlib
from collections.abc import Mapping
from typing import Final

from aws_cdk import ArnFormat, CfnDeletionPolicy, CfnResource, NestedStack, RemovalPolicies, Stack, aws_iam
from constructs import Construct

from infra.constructs.hop import Hop, Platform
from infra.constructs.state_machine import machine_logs, machine_role, state_machine
from waypost.authoring.discovery import JourneyFolder
from waypost.journeys.machine_versions import machine_name

SHELVES: Final = 16
"""Nested stacks at most. Of a thousand journeys each holds about 60; another number moves the journeys that are deployed."""
_DISCOVERED = "Journeys and operations are discovered from folders; their machines share this prefix"


class JourneyMachines(Construct):
    """``prefix`` is the ARN of a journey's machine without the journey's name.

    Hops are given the prefix before the machines exist, because machines call hops; ``add`` makes the machines, in nested
    stacks: a stack may have 500 resources, and a template 1 MB.
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
        self._shelves: dict[int, NestedStack] = {}
        self._roles: dict[str, aws_iam.Role] = {}
        self._logs = machine_logs(self, platform=platform, kind="journeys")

    def open_to(self, hop: Hop, *actions: str) -> None:
        """Let a hop start the hops of journeys (``StartExecution``), or answer runs of operations (``SendTaskSuccess``), whose machines share the prefix."""
        hop.allow(*(f"states:{action}" for action in actions), on=f"{self.prefix}*", wildcard=_DISCOVERED)

    def add(self, folder: JourneyFolder, *, tasks: Mapping[str, Hop]) -> None:
        """Make the machine of a journey's hops. It may call the ``tasks`` that its definition names, and nothing else.

        A changed flow is another machine under another name. The former one stays in the account, for the contacts that are
        to finish on it, until ``waypost journey tidy`` removes it.
        """
        named = {name: hop.arn for name, hop in tasks.items() if name in folder.functions}
        machine = state_machine(
            Construct(self._shelf(folder.name), folder.name),
            platform=self._platform,
            name=self._platform.deployment.state_machine_name(machine_name(folder.name, folder.machine_version)),
            definition=folder.definition,
            substitutions=named,
            role=self._role(named),
            logs=self._logs,
            kind="express",
        )
        resource = machine.node.default_child
        assert isinstance(resource, CfnResource)  # noqa: S101 - for the type checker
        resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN

    def _shelf(self, journey: str) -> NestedStack:
        """The nested stack of a journey, by a hash of its name: other journeys that come and go never move it.

        To move a machine, CloudFormation would make it in one nested stack before it deletes it in the other, and its name
        is taken until then.
        """
        number = int.from_bytes(hashlib.sha256(journey.encode()).digest()[:4], "big") % SHELVES
        if number not in self._shelves:
            description = f"Waypost, journeys, part {number} of {SHELVES}"
            self._shelves[number] = NestedStack(self, f"Shelf{number}", description=description)
        return self._shelves[number]

    def _role(self, calls: Mapping[str, str]) -> aws_iam.Role:
        """The role of all journeys that call the same functions: an account may have 1,000 roles.

        It stays when no journey needs it any more: a former version of one may.
        """
        name = "".join(["Role", *sorted(calls)])
        if name not in self._roles:
            role = self._roles[name] = machine_role(self, name, calls=calls)
            RemovalPolicies.of(role).retain_on_update_or_delete()
        return self._roles[name]
