"""A hop of the data: the function of one folder under functions/, with its role and log group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack, aws_cloudwatch, aws_iam, aws_logs
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledging import acknowledge, acknowledge_wildcard
from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.egress import Egress, calls_providers
from infra.constructs.layers import Layers
from infra.deployment import Deployment
from waypost.authoring.functions import NOT_DEPLOYED, FunctionFolder
from waypost.errors import InvalidInput

_LATEST_RUNTIME = (
    "The deployer chooses the runtime; the default is one version behind so that every wheel exists for it"
)
_TRACING = "X-Ray takes trace segments without naming a resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What all hops of a stage share; ``egress`` is the network of those that call providers, None without a fixed address."""

    deployment: Deployment
    layers: Layers
    alarms: Alarms
    egress: Egress | None = None

    @property
    def log_retention(self) -> aws_logs.RetentionDays:
        """How long logs are kept."""
        return (
            aws_logs.RetentionDays.THREE_MONTHS if self.deployment.is_production else aws_logs.RetentionDays.ONE_MONTH
        )


class Hop(Construct):
    """The function of a folder. It may do what ``allow`` says and nothing else.

    ``settings`` are the fields of ``waypost.settings.Settings`` that the function reads. The caller of the function has the
    alarm for its failures: the API for its answers, a machine for its executions, the undelivered calls for what is
    called without waiting. A hop that a queue or a stream calls has ``alarm_on_errors``.
    """

    def __init__(
        self,
        scope: Construct,
        function: FunctionFolder,
        *,
        platform: Platform,
        settings: Mapping[str, str],
    ) -> None:
        super().__init__(scope, function.placeholder)
        deployment, manifest = platform.deployment, function.manifest
        self.folder = function.name
        self.timeout_seconds = manifest.timeout_seconds
        name = deployment.function_name(function.name)
        self.log_group = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = aws_iam.Role(self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        network: Mapping[str, Any] = {}
        if platform.egress is not None and calls_providers(manifest):
            platform.egress.open_to(self.role)
            network = platform.egress.network
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=manifest.purpose,
            code=lambda_.Code.from_asset(str(function.path), exclude=list(NOT_DEPLOYED)),
            handler="handler.handle",
            runtime=platform.layers.runtime,
            architecture=platform.layers.architecture,
            layers=platform.layers.versions,
            role=self.role,
            log_group=self.log_group,
            memory_size=manifest.memory,
            reserved_concurrent_executions=deployment.reserved_concurrency.get(function.name),
            timeout=Duration.seconds(manifest.timeout_seconds),
            tracing=lambda_.Tracing.PASS_THROUGH,  # of a machine whose execution is traced; see the construct Traces
            logging_format=lambda_.LoggingFormat.JSON,
            **network,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            # no START, END and REPORT of an invocation that went well; one that ran out of time or memory is a warning
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            environment={
                "POWERTOOLS_SERVICE_NAME": function.name,
                "POWERTOOLS_METRICS_NAMESPACE": deployment.metrics_namespace,
                "WAYPOST_STAGE": deployment.stage,
                **{f"WAYPOST_{field.upper()}": value for field, value in settings.items()},
            },
        )
        acknowledge(self.function, "AwsSolutions-L1", because=_LATEST_RUNTIME)
        acknowledge_wildcard(self.role, "*", because=_TRACING)

    @property
    def arn(self) -> str:
        """The ARN of the function."""
        return self.function.function_arn

    def must_have_time(self, *, at_least: int = 0, at_most: int = 900, because: str) -> None:
        """Raise InvalidInput unless the timeout, in seconds, is what the caller of the function needs."""
        if not at_least <= self.timeout_seconds <= at_most:
            limits = f"at least {at_least}s" if self.timeout_seconds < at_least else f"at most {at_most}s"
            raise InvalidInput(
                f"functions/{self.folder}/function.yaml: timeout",
                f"expected {limits}, got {self.timeout_seconds}s: {because}",
            )

    def alarm_on_errors(self, alarms: Alarms) -> None:
        """Raise an alarm when the function fails: a queue or a stream hands the same out again for hours, in silence."""
        alarms.watch(
            self,
            "Errors",
            self.function.metric_errors(period=FIVE_MINUTES),
            because=f"{self.folder} raised an error; its log group tells which",
        )

    def alarm_on_count(self, metric: str, *, platform: Platform, because: str) -> None:
        """Raise an alarm when the function has counted any of ``metric`` within an hour."""
        platform.alarms.watch(self, metric, self.counted(metric, platform=platform), because=because)

    def counted(self, metric: str, *, platform: Platform) -> aws_cloudwatch.Metric:
        """What the function counts under this name, by the hour."""
        return aws_cloudwatch.Metric(
            namespace=platform.deployment.metrics_namespace,
            metric_name=metric,
            dimensions_map={"service": self.folder},
            period=Duration.hours(1),
            statistic="Sum",
        )

    def allow(
        self,
        *actions: str,
        on: str | Sequence[str],
        wildcard: str | None = None,
        conditions: Mapping[str, Any] | None = None,
    ) -> None:
        """Let the function do ``actions`` on these ARNs; ``wildcard`` gives the reason for an ARN that holds a ``*``."""
        resources = [on] if isinstance(on, str) else list(on)
        self.role.add_to_policy(
            aws_iam.PolicyStatement(actions=list(actions), resources=resources, conditions=conditions)
        )
        for resource in resources:
            if wildcard is not None and "*" in str(Stack.of(self).resolve(resource)):
                acknowledge_wildcard(self.role, resource, because=wildcard)
