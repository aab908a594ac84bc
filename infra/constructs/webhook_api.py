"""The HTTP API: the webhooks of external systems and the unsubscribe page."""

import json

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack, aws_apigatewayv2, aws_apigatewayv2_integrations, aws_logs
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.alarms import FIVE_MINUTES
from infra.constructs.hop import Hop, Platform

_API_GIVES_UP = 30  # seconds

_OWN_PROOF = "The function checks the caller itself: a write key, a signature over the body, or a signed link"
_SECONDS_OF_BURST = 2

_ALLOWED_HEADERS = ("authorization", "content-type", "anonymousid", "x-retry-count", "*")
"""What browsers may send. ``anonymousid``: @rudderstack/analytics-js 3, with every event; ``x-retry-count``:
@segment/analytics-next 1, with every retry. ``*`` stands for what other versions add; it never covers ``authorization``."""

_ACCESS_LOG = {
    # neither addresses nor paths: a path may hold the token of a link
    "request": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


class WebhookApi(Construct):
    """An HTTP API with access logs and throttling; its addresses have no slash at the end.

    ``url`` works from the first deployment on, ``public_url`` stands in links: it is of the deployment's own domain where it has
    one, so that links in sent mail outlive the API.
    """

    def __init__(self, scope: Construct, *, platform: Platform) -> None:
        super().__init__(scope, "Api")
        deployment = platform.deployment
        self._api = aws_apigatewayv2.HttpApi(
            self,
            "Api",
            api_name=deployment.name,
            create_default_stage=False,
            cors_preflight=aws_apigatewayv2.CorsPreflightOptions(  # the SDKs for browsers post from any page
                allow_origins=["*"],
                allow_methods=[aws_apigatewayv2.CorsHttpMethod.POST],
                allow_headers=list(_ALLOWED_HEADERS),
                expose_headers=["retry-after"],
                max_age=Duration.days(1),
            ),
        )
        self.url = self._api.api_endpoint
        self.public_url = f"https://{deployment.public_domain}" if deployment.public_domain else self.url
        logs = aws_logs.LogGroup(
            self,
            "AccessLogs",
            log_group_name=f"/aws/vendedlogs/apis/{deployment.name}",
            retention=platform.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._throttles: dict[str, dict[str, int]] = {}
        self._stage = aws_apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=self._api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=aws_apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=logs.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                ),
                format=json.dumps(_ACCESS_LOG),
            ),
            default_route_settings=aws_apigatewayv2.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=deployment.requests_per_second,
                throttling_burst_limit=_SECONDS_OF_BURST * deployment.requests_per_second,
            ),
        )
        self.outputs: dict[str, str] = {}
        if deployment.public_certificate:
            self.outputs["PublicDomainDns"] = self._connect(deployment.public_domain, deployment.public_certificate)
        platform.alarms.watch(
            self,
            "ServerErrors",
            self._api.metric_server_error(period=FIVE_MINUTES, statistic="Sum"),
            because="A webhook or an unsubscribe page answered with a server error",
        )

    def _connect(self, domain: str, certificate: str) -> str:
        """Answer under a domain of the company; the DNS record that leads there, as a line of a zone file.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
        """
        name = aws_apigatewayv2.CfnDomainName(
            self,
            "Domain",
            domain_name=domain,
            domain_name_configurations=[
                aws_apigatewayv2.CfnDomainName.DomainNameConfigurationProperty(
                    certificate_arn=certificate, endpoint_type="REGIONAL", security_policy="TLS_1_2"
                )
            ],
        )
        mapping = aws_apigatewayv2.CfnApiMapping(
            self, "Mapping", api_id=self._api.api_id, domain_name=name.ref, stage=self._stage.ref
        )
        mapping.node.add_dependency(self._stage)
        return f"{domain}. 300 IN CNAME {name.attr_regional_domain_name}."

    def route(self, hop: Hop, *routes: str, per_second: int) -> None:
        """Send these routes (``POST /v1/identify``) to the hop; each lets in ``per_second`` requests, whatever the others do."""
        hop.must_have_time(at_most=_API_GIVES_UP - 1, because=f"the API gives up after {_API_GIVES_UP} seconds")
        integration = aws_apigatewayv2_integrations.HttpLambdaIntegration(
            hop.node.id, hop.function, scope_permission_to_route=False
        )
        for route in routes:
            method, path = route.split(" ")
            for added in self._api.add_routes(
                path=path, methods=[aws_apigatewayv2.HttpMethod(method)], integration=integration
            ):
                acknowledge(added, "AwsSolutions-APIG4", because=_OWN_PROOF)
                self._stage.node.add_dependency(added)  # a stage cannot have settings for a route before there is one
            self._throttles[route] = {
                "ThrottlingRateLimit": per_second,
                "ThrottlingBurstLimit": _SECONDS_OF_BURST * per_second,
            }
        self._stage.route_settings = dict(self._throttles)
