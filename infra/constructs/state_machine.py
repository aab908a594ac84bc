"""The state machine of one folder, with its role, and the log and alarm of all of its kind. Used for journeys and operations."""

import json
from collections.abc import Mapping
from typing import Any, Literal, assert_never

from aws_cdk import RemovalPolicy, aws_iam, aws_logs, aws_stepfunctions
from constructs import Construct

from infra.constructs.acknowledging import acknowledge, acknowledge_wildcard
from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.hop import Platform
from infra.partition import in_partition

_LOG_DELIVERY = "Log delivery and X-Ray take no resource"
_HISTORY_IS_KEPT = (
    "Step Functions keeps the whole history of an execution for 90 days; logging it again doubles the cost"
)

_ROW_SAYS_IT = "The enrolment's row has the trail of the contact; logging every state of every hop multiplies the cost"
_FAILED = ("ExecutionFailed",)
_CUT_SHORT = ("ExecutionTimedOut", "ExecutionAborted")
_NOT_TRACED = "This deployment chose the trace rate 0"
_TYPES = {
    "standard": aws_stepfunctions.StateMachineType.STANDARD,
    "express": aws_stepfunctions.StateMachineType.EXPRESS,
}


def machine_logs(scope: Construct, *, platform: Platform, kind: str) -> aws_logs.LogGroup:
    """Where all machines of a kind (``journeys``) log their errors, with an alarm for those that failed and one for those that were cut short.

    A metric of each machine would cost an alarm of each; the log has the same for all, and bills nothing while it counts nothing.
    It also has the machines of former versions, in which contacts still stand.
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
    """
    name = f"/aws/vendedlogs/states/{platform.deployment.name}-{kind}"
    logs = aws_logs.LogGroup(
        scope,
        "Logs",
        log_group_name=name,
        retention=platform.log_retention,
        removal_policy=RemovalPolicy.DESTROY,
    )
    for alarm, ended, how in (("Failed", _FAILED, "failed"), ("CutShort", _CUT_SHORT, "timed out or was aborted")):
        counted = logs.add_metric_filter(
            alarm,
            filter_pattern=aws_logs.FilterPattern.any(
                *(aws_logs.FilterPattern.string_value("$.type", "=", each) for each in ended)
            ),
            metric_namespace=platform.deployment.metrics_namespace,
            metric_name=f"{alarm}{kind.title()}",
        )
        platform.alarms.watch(
            scope,
            alarm,
            counted.metric(period=FIVE_MINUTES, statistic="Sum"),
            because=f"An execution of the {kind} {how}; execution_arn in the log group {name} says which",
        )
    return logs


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
    kind: Literal["standard", "express"] = "standard",
    comment: str | None = None,
) -> aws_stepfunctions.StateMachine:
    """The machine; the alarms for its executions are those of ``logs``. An ``express`` one may run for five minutes and is billed by request.

    How many of its executions are traced is a matter of the construct Traces.
    """
    is_traced = platform.deployment.trace_rate > 0
    machine = aws_stepfunctions.StateMachine(
        scope,
        "Machine",
        state_machine_name=name,
        comment=comment,
        state_machine_type=_TYPES[kind],
        definition_body=aws_stepfunctions.DefinitionBody.from_string(
            in_partition(json.dumps(definition, ensure_ascii=False), platform.deployment.partition)
        ),
        definition_substitutions=dict(substitutions) or None,
        role=role,
        tracing_enabled=is_traced,
        logs=aws_stepfunctions.LogOptions(
            destination=logs, level=aws_stepfunctions.LogLevel.ERROR, include_execution_data=False
        ),
    )
    match kind:
        case "standard":
            acknowledge(machine, "AwsSolutions-SF1", because=_HISTORY_IS_KEPT)
        case "express":
            acknowledge(machine, "AwsSolutions-SF1", because=_ROW_SAYS_IT)
        case _:
            assert_never(kind)
    if not is_traced:
        acknowledge(machine, "AwsSolutions-SF2", because=_NOT_TRACED)
    acknowledge_wildcard(role, "*", because=_LOG_DELIVERY)
    return machine
