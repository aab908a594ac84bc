"""The state machine of one folder, with its role and alarm. Used for journeys and operations."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import RemovalPolicy, aws_iam, aws_logs, aws_stepfunctions
from constructs import Construct

from infra.constructs.acknowledging import acknowledge, acknowledge_wildcard
from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.hop import Platform

_LOG_DELIVERY = "Log delivery and X-Ray take no resource"
_HISTORY_IS_KEPT = (
    "Step Functions keeps the whole history of an execution for 90 days; logging it again doubles the cost"
)


def machine_logs(scope: Construct, *, platform: Platform, kind: str) -> aws_logs.LogGroup:
    """Where all machines of a kind (``journeys``) log their errors."""
    return aws_logs.LogGroup(
        scope,
        "Logs",
        log_group_name=f"/aws/vendedlogs/states/{platform.deployment.name}-{kind}",
        retention=platform.log_retention,
        removal_policy=RemovalPolicy.DESTROY,
    )


def machine_role(scope: Construct, name: str = "Role", *, calls: Mapping[str, str]) -> aws_iam.Role:
    """The role of machines that may call these functions, given as placeholder → ARN, and nothing else."""
    role = aws_iam.Role(scope, name, assumed_by=aws_iam.ServicePrincipal("states.amazonaws.com"))
    if calls:
        role.add_to_policy(aws_iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(calls.values())))
    return role


def state_machine(
    scope: Construct,
    *,
    platform: Platform,
    name: str,
    definition: Mapping[str, Any],
    substitutions: Mapping[str, str],
    role: aws_iam.Role,
    logs: aws_logs.LogGroup,
    failed: str,
    comment: str | None = None,
) -> aws_stepfunctions.StateMachine:
    """The Standard machine; ``failed`` is what its alarm says."""
    machine = aws_stepfunctions.StateMachine(
        scope,
        "Machine",
        state_machine_name=name,
        comment=comment,
        state_machine_type=aws_stepfunctions.StateMachineType.STANDARD,
        definition_body=aws_stepfunctions.DefinitionBody.from_string(json.dumps(definition, ensure_ascii=False)),
        definition_substitutions=dict(substitutions) or None,
        role=role,
        tracing_enabled=True,
        logs=aws_stepfunctions.LogOptions(
            destination=logs, level=aws_stepfunctions.LogLevel.ERROR, include_execution_data=False
        ),
    )
    acknowledge(machine, "AwsSolutions-SF1", because=_HISTORY_IS_KEPT)
    acknowledge_wildcard(role, "*", because=_LOG_DELIVERY)
    platform.alarms.watch(scope, "Failed", machine.metric_failed(period=FIVE_MINUTES), because=failed)
    return machine
