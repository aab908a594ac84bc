"""Each brand has a configuration set that reports like the deployment's own, and the right to send as its sender."""

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from waypost.channels.email.infra import build
from waypost.channels.infra_contract import ChannelInfra

BRANDS = {
    "harbour": {"name": {"en": "Harbour"}, "sender": "a@mail.harbour.example", "identity": "harbour.example", "tenant": True},
    "my-outlet": {"name": {"en": "Outlet"}, "sender": "b@waypost.example", "identity": "waypost.example"},
}  # fmt: skip


def built(brands: dict[str, Any], **context: str) -> tuple[ChannelInfra, dict[str, Any]]:
    stack = Stack(App(context=context), "Mail")
    found = build(stack, name="waypost-dev", settled=(), brands=brands)
    template = dict(Template.from_stack(stack).to_json())
    return found, template


def named(template: dict[str, Any], kind: str, name: str) -> list[str]:
    return sorted(
        each["Properties"][name]
        for each in template.get("Resources", {}).values()
        if each["Type"] == f"AWS::SES::{kind}"
    )


@pytest.fixture(scope="module")
def mail() -> tuple[ChannelInfra, dict[str, Any]]:
    return built(BRANDS, email_identity_owner="stack")


def test_each_brand_has_its_configuration_set_which_reports(mail: tuple[ChannelInfra, dict[str, Any]]) -> None:
    infra, template = mail
    sets = ["waypost-dev", "waypost-dev-harbour", "waypost-dev-my-outlet"]
    assert named(template, "ConfigurationSet", "Name") == sets
    destinations = [each for each in template["Resources"].values() if each["Type"].endswith("EventDestination")]
    assert len(destinations) == len(sets)
    [notices] = infra.notices
    assert notices.pattern.detail is not None
    assert notices.pattern.detail["mail"]["tags"]["ses:configuration-set"] == sets
    assert len(infra.outputs["EmailConfigurationSetMyOutlet"]) > 0


def test_a_domain_of_a_brand_is_verified_once(mail: tuple[ChannelInfra, dict[str, Any]]) -> None:
    infra, template = mail
    assert named(template, "EmailIdentity", "EmailIdentity") == ["harbour.example", "waypost.example"]
    assert {name for name in infra.outputs if name.endswith("Dmarc")} == {"EmailDnsDmarc", "EmailHarbourDnsDmarc"}
    assert infra.outputs["EmailIdentityHarbour"] == "harbour.example"


def test_the_sender_may_use_every_identity_and_configuration_set_and_no_other(
    mail: tuple[ChannelInfra, dict[str, Any]],
) -> None:
    [permission] = mail[0].permissions
    assert len(permission.on) == 2 + 3
    assert permission.wildcard is None
    assert sum(arn.endswith("identity/harbour.example") for arn in permission.on) == 1


def test_a_tenant_sends_with_what_is_its_own(mail: tuple[ChannelInfra, dict[str, Any]]) -> None:
    [tenant] = [each["Properties"] for each in mail[1]["Resources"].values() if each["Type"] == "AWS::SES::Tenant"]
    assert len(tenant["ResourceAssociations"]) == 2
    assert "EmailTenantHarbour" in mail[0].outputs


def test_without_brands_nothing_is_added() -> None:
    infra, template = built({})
    assert named(template, "ConfigurationSet", "Name") == ["waypost-dev"]
    assert infra.outputs.keys() == {"EmailIdentity", "EmailConfigurationSet"}
