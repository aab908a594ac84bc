"""Which executions X-Ray records: a share of those that machines start, and with them what their functions do."""

from typing import Final

from aws_cdk import aws_xray
from constructs import Construct

from infra.deployment import Deployment

_PRIORITY: Final = 1000
"""Before the account's default rule, which takes one request a second and 5 % of the rest."""


class Traces(Construct):
    """The sampling rule of this deployment's machines; none where nothing is traced.

    A trace costs five times what a hop's execution costs. What the queue, the API and schedules call is never traced:
    Lambda samples those by a rate of its own that cannot be set, so functions only pass on what a machine has decided.
    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Traces")
        if deployment.trace_rate == 0:
            return
        aws_xray.CfnSamplingRule(
            self,
            "Rule",
            sampling_rule=aws_xray.CfnSamplingRule.SamplingRuleProperty(
                rule_name=deployment.name,
                version=1,
                priority=_PRIORITY,
                fixed_rate=deployment.trace_rate,
                reservoir_size=0,
                service_name=f"{deployment.name}-*",
                service_type="*",
                host="*",
                http_method="*",
                url_path="*",
                resource_arn="*",
            ),
        )
