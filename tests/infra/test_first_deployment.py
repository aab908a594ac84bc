"""A deployment neither takes over what the account has already, nor leaves behind what blocks the next one."""

import json
from typing import Any

import pytest

from infra.app import build_app, main
from tests.infra.template import NO_BUNDLING, Synthesizer, Template, listed, plain
from waypost.errors import InvalidInput

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f3c2b1a-9d8e-4c7b-8a6f-5e4d3c2b1a09"


def senders(template: Template) -> list[str]:
    """The identities that may be sent as."""
    return [
        plain(resource)
        for policy in template.all("IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "ses:SendEmail" in listed(statement["Action"])
        for resource in statement["Resource"]
        if ":identity/" in plain(resource)
    ]


def test_the_identity_of_an_account_is_used_and_not_taken_over(synthesized: Synthesizer) -> None:
    stages = [synthesized(stage=stage, email_sender="hello@shop.example") for stage in ("dev", "prod")]

    for each in stages:
        assert not each.all("SES::EmailIdentity")
        assert {sender.rpartition(":")[2] for sender in senders(each)} == {"identity/shop.example"}


def test_an_identity_that_a_stack_makes_outlives_it(synthesized: Synthesizer) -> None:
    for stage in ("dev", "prod"):
        made = synthesized(stage=stage, email_sender="hello@shop.example", email_identity_owner="stack")
        identity = made.resource("SES::EmailIdentity")
        assert (identity["DeletionPolicy"], identity["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        assert identity["Properties"]["MailFromAttributes"]["MailFromDomain"] == "bounce.shop.example"


def test_the_dns_records_of_a_domain_are_outputs_that_a_zone_file_takes(synthesized: Synthesizer) -> None:
    made = synthesized(email_sender="hello@shop.example", email_identity_owner="stack")
    records = {
        name: plain(output["Value"]) for name, output in made.content["Outputs"].items() if name.startswith("EmailDns")
    }

    for number in (1, 2, 3):
        name, _, value = records.pop(f"EmailDnsDkim{number}").partition(". 300 IN CNAME ")
        assert (name.rpartition(".")[2], value.rpartition(".")[0].rpartition(".")[2]) == (
            f"DkimDNSTokenName{number}>",
            f"DkimDNSTokenValue{number}>",
        )
    assert records == {
        "EmailDnsMailFromMx": "bounce.shop.example. 300 IN MX 10 feedback-smtp.<AWS::Region>.amazonses.com.",
        "EmailDnsMailFromSpf": 'bounce.shop.example. 300 IN TXT "v=spf1 include:amazonses.com ~all"',
        "EmailDnsDmarc": '_dmarc.shop.example. 300 IN TXT "v=DMARC1; p=none;"',
    }


def test_a_creation_that_is_rolled_back_leaves_no_name_taken(production: Template) -> None:
    kept = {
        resource["Type"]
        for resource in production.content["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain" and any(key.endswith("Name") for key in resource["Properties"])
    }
    policies = [
        resource["DeletionPolicy"]
        for resource in production.content["Resources"].values()
        if resource["Type"] in {"AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"}
    ]

    assert kept == set()
    assert len(policies) >= 6
    assert set(policies) == {"RetainExceptOnCreate"}


def test_what_is_protected_against_deletion_is_so_once_it_stands(synthesized: Synthesizer) -> None:
    def protected(**context: Any) -> list[bool]:
        tables = synthesized(stage="prod", **context).all("DynamoDB::GlobalTable").values()
        app = build_app(context={**NO_BUNDLING, "stage": "prod", **context})
        [stack] = app.node.children
        return [*(table["Replicas"][0]["DeletionProtectionEnabled"] for table in tables), stack.termination_protection]  # type: ignore[attr-defined]

    assert protected() == [True, True, True]
    assert protected(protected="no") == [False, False, False]


def test_a_second_region_has_a_bucket_of_its_own(template: Template) -> None:
    named = [plain(bucket["BucketName"]) for bucket in template.all("S3::Bucket").values()]

    assert named == ["waypost-dev-files-<AWS::AccountId>-<AWS::Region>"]
    longest = "ap-southeast-99"
    assert len(named[0].replace("<AWS::AccountId>", "1" * 12).replace("<AWS::Region>", longest)) <= 63


def test_links_of_a_deployment_with_its_own_domain_outlive_its_api(
    template: Template, synthesized: Synthesizer
) -> None:
    own = synthesized(public_domain="go.shop.example", public_certificate=CERTIFICATE)

    def links(given: Template) -> set[str]:
        functions = given.all("Lambda::Function").values()
        variables = (function.get("Environment", {}).get("Variables", {}) for function in functions)
        return {plain(each["WAYPOST_API_URL"]) for each in variables if "WAYPOST_API_URL" in each}

    assert links(own) == {"https://go.shop.example"}
    assert all(".execute-api." in link or link.endswith(".ApiEndpoint>") for link in links(template))
    [domain] = own.all("ApiGatewayV2::DomainName")
    assert own.one("ApiGatewayV2::DomainName")["DomainNameConfigurations"][0]["CertificateArn"] == CERTIFICATE
    mapping = own.one("ApiGatewayV2::ApiMapping")
    assert (plain(mapping["DomainName"]), plain(mapping["ApiId"])) == (
        f"<{domain}>",
        f"<{next(iter(own.all('ApiGatewayV2::Api')))}>",
    )
    assert plain(own.content["Outputs"]["PublicDomainDns"]["Value"]) == (
        f"go.shop.example. 300 IN CNAME <{domain}.RegionalDomainName>."
    )


def test_a_domain_that_the_company_routes_itself_needs_no_certificate_here(synthesized: Synthesizer) -> None:
    assert not synthesized(public_domain="go.shop.example").all("ApiGatewayV2::DomainName")


@pytest.mark.parametrize(
    ("context", "wanted"),
    [
        ({"public_domain": "https://go.shop.example/"}, "public_domain: must be a domain of its own"),
        ({"public_domain": "go_shop"}, "public_domain: must be a domain of its own"),
        (
            {"public_domain": "go.shop.example", "public_certificate": "go.pem"},
            "must be the ARN of a certificate of ACM",
        ),
        ({"public_certificate": CERTIFICATE}, "needs the public_domain that it is of"),
        ({"email_identity_owner": "existing"}, "email_identity_owner: must be one of account, stack, not 'existing'"),
        ({"protected": "maybe"}, "protected: must be one of yes, no"),
    ],
)
def test_a_choice_that_cannot_be_deployed_is_refused(
    synthesized: Synthesizer, context: dict[str, str], wanted: str
) -> None:
    with pytest.raises(InvalidInput, match=wanted):
        synthesized(**context)


def test_alarms_that_nobody_is_sent_are_warned_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("CDK_CONTEXT_JSON", json.dumps(NO_BUNDLING))

    assert main(["--output", str(tmp_path / "unheard")]) == 0
    shown = capsys.readouterr().err
    assert "warning: alarm_email is not set" in shown
    assert "info: mail is sent as waypost.example, which SES must have verified" in shown

    heard = ["-c", "alarm_email=ops@shop.example", "-c", "email_identity_owner=stack"]
    assert main([*heard, "--output", str(tmp_path / "heard")]) == 0
    assert "warning: alarm_email" not in (shown := capsys.readouterr().err)
    assert "SES must have verified" not in shown
