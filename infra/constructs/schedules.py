"""The schedules: one for each minute and shard in which pauses end, one for each deferred message, and the hourly sweep."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from aws_cdk import ArnFormat, Aws, RemovalPolicy, Stack, aws_iam, aws_scheduler
from constructs import Construct

from infra.constructs.deferred_messages import DeferredMessages
from infra.constructs.hop import Hop
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment
from waypost.authoring.functions import Caller

CALLED_BY_SCHEDULES: Final[frozenset[Caller]] = frozenset({"every_hour", "schedules"})
_OWN_NAMES = "A schedule is named after its minute and shard or its message, so the name is not known before"


class Schedules(Construct):
    """The group of all schedules and the role in which they call functions.

    ``called`` are the folders of the functions that schedules call. Their ARNs are made from their names, because the
    functions in turn get this role in their environment.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        undelivered: Undelivered,
        deferred: DeferredMessages,
        called: Collection[str],
    ) -> None:
        super().__init__(scope, "Schedules")
        stack = Stack.of(self)

        def function_arn(folder: str) -> str:
            name = deployment.function_name(folder)
            colons = ArnFormat.COLON_RESOURCE_NAME
            return stack.format_arn(service="lambda", resource="function", resource_name=name, arn_format=colons)

        self.resume_journey_arn = function_arn("resume_journey")
        self.dead_letters_arn = undelivered.queue.queue_arn
        self._group = aws_scheduler.ScheduleGroup(
            self, "Group", schedule_group_name=deployment.name, removal_policy=RemovalPolicy.DESTROY
        )
        self.group = self._group.schedule_group_name
        group_arn = stack.format_arn(service="scheduler", resource="schedule-group", resource_name=deployment.name)
        self._schedule_arns = stack.format_arn(
            service="scheduler", resource="schedule", resource_name=f"{deployment.name}/*"
        )
        may_call = aws_iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[function_arn(folder) for folder in sorted(called)],
        )
        may_keep = aws_iam.PolicyStatement(
            actions=["sqs:SendMessage"], resources=[self.dead_letters_arn, deferred.queue.queue_arn]
        )
        self._role = aws_iam.Role(
            self,
            "Role",
            description="In this role schedules call functions and put deferred messages into their queue",
            assumed_by=aws_iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group_arn}},
            ),
            inline_policies={"CallFunctions": aws_iam.PolicyDocument(statements=[may_call, may_keep])},
        )
        self.role_arn = self._role.role_arn

    def open_to(self, hop: Hop, *actions: str) -> None:
        """Let a hop do these actions (``CreateSchedule``); what it books acts in the group's role."""
        hop.allow(*(f"scheduler:{action}" for action in actions), on=self._schedule_arns, wildcard=_OWN_NAMES)
        if not {"CreateSchedule", "UpdateSchedule"}.isdisjoint(actions):
            hop.allow(
                "iam:PassRole",
                on=self.role_arn,
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            )

    def call_every_hour(self, hop: Hop) -> None:
        """Call the hop at every full hour."""
        schedule = aws_scheduler.CfnSchedule(
            hop,
            "EveryHour",
            name=hop.folder.replace("_", "-"),
            group_name=self.group,
            schedule_expression="cron(0 * * * ? *)",
            flexible_time_window=aws_scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=aws_scheduler.CfnSchedule.TargetProperty(
                arn=hop.arn,
                role_arn=self.role_arn,
                dead_letter_config=aws_scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters_arn),
                # the next hour's call does the same work
                retry_policy=aws_scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=3
                ),
            ),
        )
        schedule.node.add_dependency(self._group)

    def start(
        self,
        scope: Construct,
        machine_arn: str,
        *,
        name: str,
        minute: str,
        hour: str,
        weekday: str | None = None,
        zone: str,
        input_: Mapping[str, Any],
    ) -> None:
        """Start a machine at this minute of this hour (``*``: every hour) of every day in the zone, or of this day of the week."""
        days = "* * ?" if weekday is None else f"? * {weekday[:3].upper()}"
        role = aws_iam.Role(
            scope,
            f"{name}Role",
            description=f"In this role the schedule {name} starts its machine",
            assumed_by=aws_iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
        )
        role.add_to_policy(aws_iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine_arn]))
        role.add_to_policy(aws_iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.dead_letters_arn]))
        schedule = aws_scheduler.CfnSchedule(
            scope,
            f"{name}Schedule",
            name=name,
            group_name=self.group,
            schedule_expression=f"cron({int(minute)} {hour if hour == '*' else int(hour)} {days} *)",
            schedule_expression_timezone=zone,
            flexible_time_window=aws_scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=aws_scheduler.CfnSchedule.TargetProperty(
                arn=machine_arn,
                role_arn=role.role_arn,
                input=json.dumps(dict(input_)),
                dead_letter_config=aws_scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters_arn),
                retry_policy=aws_scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=3
                ),
            ),
        )
        schedule.node.add_dependency(self._group)
