"""The way out with a fixed address, for providers that answer only to addresses they know. Off unless a deployment chooses it.

WeChat gives access tokens, and WeCom answers any call, only to addresses that were listed there; a Lambda outside of a VPC has none.
"""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Annotations, CfnOutput, Stack, aws_ec2, aws_iam
from constructs import Construct

from infra.constructs.acknowledging import acknowledge, acknowledge_wildcard
from infra.deployment import Deployment
from waypost.authoring.functions import FunctionManifest

GATEWAY_AN_HOUR: Final = 0.045
ADDRESS_AN_HOUR: Final = 0.005
HOURS_A_MONTH: Final = 730
A_MONTH: Final = HOURS_A_MONTH * (GATEWAY_AN_HOUR + ADDRESS_AN_HOUR)
"""Dollars in us-east-1, before any traffic. Source: https://aws.amazon.com/vpc/pricing/, NAT gateways and public IPv4 addresses."""
A_GIGABYTE: Final = 0.045

_INTERFACES: Final = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda does in the role of a function to put it into a VPC. Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""


class Egress(Construct):
    """A network whose traffic leaves by one address; the functions that call providers stand in it.

    One gateway in one zone: when the zone fails, messages wait as they do when a provider is unreachable. DynamoDB and S3 are
    reached by gateway endpoints, which cost nothing.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Egress")
        address = aws_ec2.CfnEIP(self, "Address", domain="vpc")
        self._network = aws_ec2.Vpc(
            self,
            "Network",
            vpc_name=deployment.name,
            max_azs=2,
            nat_gateways=1,
            nat_gateway_provider=aws_ec2.NatProvider.gateway(eip_allocation_ids=[address.attr_allocation_id]),
            restrict_default_security_group=False,
            subnet_configuration=[
                aws_ec2.SubnetConfiguration(
                    name="Gateway", subnet_type=aws_ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
                ),
                aws_ec2.SubnetConfiguration(
                    name="Functions", subnet_type=aws_ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20
                ),
            ],
            gateway_endpoints={
                "Tables": aws_ec2.GatewayVpcEndpointOptions(service=aws_ec2.GatewayVpcEndpointAwsService.DYNAMODB),
                "Files": aws_ec2.GatewayVpcEndpointOptions(service=aws_ec2.GatewayVpcEndpointAwsService.S3),
            },
        )
        acknowledge(
            self._network,
            "AwsSolutions-VPC7",
            because="Nothing can call into it, and what calls out is in the logs and traces",
        )
        self._group = aws_ec2.SecurityGroup(
            self,
            "Group",
            vpc=self._network,
            description="Functions call providers and AWS, and are called by no address",
            allow_all_outbound=True,
        )
        CfnOutput(Stack.of(self), "FixedIp", value=address.attr_public_ip, description="The address that providers see")
        Annotations.of(self).add_info(
            f"the fixed address costs about ${A_MONTH:.2f} a month (a NAT gateway and an IPv4 address in us-east-1), and "
            f"${A_GIGABYTE} for each gigabyte that leaves by it"
        )

    @property
    def network(self) -> Mapping[str, Any]:
        """What ``aws_lambda.Function`` takes for a function in the network."""
        return {
            "vpc": self._network,
            "vpc_subnets": aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_WITH_EGRESS),
            "security_groups": [self._group],
        }

    def open_to(self, role: aws_iam.Role) -> None:
        """Let Lambda put the functions of this role into the network."""
        role.add_to_policy(aws_iam.PolicyStatement(actions=list(_INTERFACES), resources=["*"]))
        acknowledge_wildcard(role, "*", because="Interfaces of a function have no name before they are made")


def calls_providers(manifest: FunctionManifest) -> bool:
    """Whether a provider sees the address of the function."""
    return "channels" in manifest.sends or bool(manifest.asks)
