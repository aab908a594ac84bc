"""A hop of the data: the function of one folder under functions/, with its role and log group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack, aws_iam, aws_logs
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.acknowledging import acknowledge, acknowledge_wildcard
from infra.constructs.alarms import FIVE_MINUTES, Alarms
from infra.constructs.layers import Layers
from infra.deployment import Deployment
from waypost.errors import InvalidInput

_LATEST_RUNTIME = (
    "The deployer chooses the runtime; the default is one version behind so that every wheel exists for it"
)
_TRACING = "X-Ray takes trace segments without naming a resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What all hops of a stage share."""

    deployment: Deployment
    layers: Layers
    alarms: Alarms

    @property
    def log_retention(self) -> aws_logs.RetentionDays:
        """How long logs are kept."""
        return (
            aws_logs.RetentionDays.THREE_MONTHS if self.deployment.is_production else aws_logs.RetentionDays.ONE_MONTH
        )


class Hop(Construct):
    """The function of ``functions/<folder>``. It may do what ``allow`` says and nothing else.

    ``settings`` are the fields of ``waypost.settings.Settings`` that the function reads. Whoever calls the function has the
    alarm for its failures: the API for its answers, a machine for its executions, the undelivered calls for what is
    called without waiting. A hop that a queue or a stream calls asks for ``alarm_on_errors``.
    """

    def __init__(
        self,
        scope: Construct,
        folder: str,
        *,
        platform: Platform,
        purpose: str,
        settings: Mapping[str, str],
        timeout: Duration | None = None,
        memory_mb: int = 512,
    ) -> None:
        super().__init__(scope, folder.title().replace("_", ""))
        deployment = platform.deployment
        source = deployment.root / "functions" / folder
        if not (source / "handler.py").is_file():
            raise InvalidInput(f"functions/{folder}/handler.py", "is missing; every hop has its folder")

        self.folder = folder
        name = deployment.function_name(folder)
        self.log_group = aws_logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = aws_iam.Role(self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=purpose,
            code=lambda_.Code.from_asset(str(source), exclude=["__pycache__", "event.json"]),
            handler="handler.handle",
            runtime=platform.layers.runtime,
            architecture=platform.layers.architecture,
            layers=platform.layers.versions,
            role=self.role,
            log_group=self.log_group,
            memory_size=memory_mb,
            timeout=timeout or Duration.seconds(30),
            tracing=lambda_.Tracing.ACTIVE,
            environment={
                "POWERTOOLS_SERVICE_NAME": folder,
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

    def alarm_on_errors(self, alarms: Alarms) -> None:
        """Raise an alarm when the function fails: a queue or a stream hands the same out again for hours, in silence."""
        alarms.watch(
            self,
            "Errors",
            self.function.metric_errors(period=FIVE_MINUTES),
            because=f"{self.folder} raised an error; its log group tells which",
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
