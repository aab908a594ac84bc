"""A fixed address for those who need one: only what calls providers leaves by it, and other stages pay nothing."""

import pytest

from infra.constructs.egress import A_MONTH, calls_providers
from tests.infra.rights import granted
from tests.infra.template import Synthesizer, Template
from waypost.authoring.functions import discover_functions
from waypost.errors import InvalidInput

FUNCTIONS = discover_functions()
PAID = ("EC2::NatGateway", "EC2::EIP", "EC2::VPC")


@pytest.fixture(scope="module")
def fixed(synthesized: Synthesizer) -> Template:
    """A stage with a fixed address."""
    return synthesized(fixed_ip="yes")


def test_a_stage_has_no_network_unless_it_chooses_a_fixed_address(template: Template) -> None:
    assert not [kind for kind in PAID if template.all(kind)]
    assert not [folder for folder, each in template.functions().items() if "VpcConfig" in each]


def test_what_calls_providers_leaves_by_one_gateway_and_its_address(fixed: Template) -> None:
    [gateway] = fixed.all("EC2::NatGateway").values()
    [address] = fixed.all("EC2::EIP")
    assert gateway["AllocationId"] == {"Fn::GetAtt": [address, "AllocationId"]}
    inside = {folder for folder, each in fixed.functions().items() if "VpcConfig" in each}
    assert inside == {folder for folder, each in FUNCTIONS.items() if calls_providers(each.manifest)}
    assert {"send_message", "send_deferred", "receive_callback", "ask_task_results", "make_codes"} <= inside
    subnets = {str(each["VpcConfig"]["SubnetIds"]) for each in fixed.functions().values() if "VpcConfig" in each}
    [routed] = {route["NatGatewayId"]["Ref"] for route in fixed.all("EC2::Route").values() if "NatGatewayId" in route}
    assert routed in fixed.all("EC2::NatGateway")
    assert len(subnets) == 1


def test_tables_and_files_are_reached_past_the_gateway(fixed: Template) -> None:
    services = {str(each["ServiceName"]) for each in fixed.all("EC2::VPCEndpoint").values()}
    assert len(services) == 2
    assert {each.get("VpcEndpointType", "Gateway") for each in fixed.all("EC2::VPCEndpoint").values()} == {"Gateway"}


def test_only_what_stands_in_the_network_may_have_interfaces_made(fixed: Template) -> None:
    for folder, function in fixed.functions().items():
        has = any(right.startswith("ec2:CreateNetworkInterface") for right in granted(fixed, folder))
        assert has == ("VpcConfig" in function), folder


def test_nothing_can_call_into_the_network(fixed: Template) -> None:
    assert not [each for each in fixed.all("EC2::SecurityGroup").values() if each.get("SecurityGroupIngress")]


def test_the_address_is_an_output_and_its_price_is_known(fixed: Template) -> None:
    assert "FixedIp" in fixed.content["Outputs"]
    assert round(A_MONTH, 2) == 36.5


def test_another_choice_is_refused(synthesized: Synthesizer) -> None:
    with pytest.raises(InvalidInput, match="fixed_ip"):
        synthesized(fixed_ip="maybe")
