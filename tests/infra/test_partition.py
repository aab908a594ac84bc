"""A stage in China uses no service that AWS does not have there, and names nothing of another partition."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.app import build_app, main, synthesize
from infra.bundling import kept_services
from infra.partition import Context, is_offered, missing_services, refuse_unsendable
from infra.project import ROOT, Project
from lints.china import project_in_china
from lints.templates import IN_CHINA, findings
from local.providers.server import choices
from tests.infra.template import NO_BUNDLING, Synthesizer, Template, whole
from waypost.authoring.discovery import discover
from waypost.authoring.problems import InvalidJourney
from waypost.contacts.channels import declared_channels
from waypost.errors import InvalidInput

ENDPOINTS = {
    "ApiGatewayV2": "apigatewayv2",
    "CloudFormation": "cloudformation",
    "CloudWatch": "cloudwatch",
    "DynamoDB": "dynamodb",
    "Events": "events",
    "KMS": "kms",
    "Lambda": "lambda",
    "Logs": "logs",
    "S3": "s3",
    "SES": "sesv2",
    "SNS": "sns",
    "SQS": "sqs",
    "Scheduler": "scheduler",
    "SecretsManager": "secretsmanager",
    "StepFunctions": "stepfunctions",
    "XRay": "xray",
}
"""The service of a resource type, as botocore names its endpoints."""
NOTHING_CHOSEN: Context = dict[str, Any]().get
IN_EVERY_PARTITION = {"IAM", "CDK"}
"""IAM has one endpoint for a partition, ``CDK`` is no service."""


@pytest.fixture(scope="module")
def china(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Template]:
    """The folder of the assembly and the template of a stage in China."""
    project = project_in_china(tmp_path_factory.mktemp("china"))
    context = {**NO_BUNDLING, "stage": "prod", "alarm_email": "operators@waypost.example"}
    assembly = synthesize(project=project, context=context, output=project.folder / "cdk.out")
    [stack] = assembly.stacks
    return Path(assembly.directory), whole(Path(assembly.directory), stack.id)


def services(template: Template) -> set[str]:
    """The services whose resources a template makes."""
    kinds = {resource["Type"].split("::")[1] for resource in template.content["Resources"].values()}
    return {ENDPOINTS[kind] for kind in kinds - IN_EVERY_PARTITION}


def test_every_service_of_a_stage_in_china_is_offered_in_both_its_regions(china: tuple[Path, Template]) -> None:
    session = botocore.session.get_session()
    channels = set().union(*(each.services for each in declared_channels().values()))
    opened = kept_services(ROOT / "layers" / "dependencies" / "contents.toml") - channels

    for service in sorted(services(china[1]) | opened):
        assert {*IN_CHINA} <= {*session.get_available_regions(service, partition_name="aws-cn")}, service


def test_the_check_would_find_an_absent_service(template: Template) -> None:
    assert [service for service in services(template) if not is_offered(service, "aws-cn")] == ["sesv2"]
    assert all(is_offered(service, "aws") for service in services(template))


def test_cloudformation_finds_nothing_in_a_stage_in_china(china: tuple[Path, Template]) -> None:
    assert list(findings(sorted(china[0].glob("*.template.json")), IN_CHINA)) == []


def test_nothing_in_china_is_named_by_an_arn_of_another_partition(china: tuple[Path, Template]) -> None:
    for file in china[0].glob("*.template.json"):
        assert not re.findall(r"arn:aws:[^\"]*", file.read_text(encoding="utf-8"))
    machines = china[1].all("StepFunctions::StateMachine").values()
    assert all("arn:aws-cn:states:::lambda:invoke" in machine["DefinitionString"] for machine in machines)


def test_no_arn_is_written_for_one_partition_but_the_tasks_of_machines(synthesized: Synthesizer) -> None:
    template = synthesized(**dict.fromkeys(choices(), ""))
    found = set(re.findall(r"arn:aws:[a-z0-9-]*:*", json.dumps(template.content)))
    assert found == {"arn:aws:states:::"}


def test_a_channel_without_its_service_is_left_out_with_all_that_belongs_to_it(china: tuple[Path, Template]) -> None:
    assert {*missing_services("aws-cn", NOTHING_CHOSEN)} == {"email", "push", "sms", "whatsapp"}
    template = china[1]
    assert not [name for name in template.content["Outputs"] if name.startswith("Email")]
    text = json.dumps(template.content)
    assert not re.search(r"ses:SendEmail|sms-voice:|AWS/SES|aws\.ses", text)


def test_mail_is_sent_from_china_by_a_server_that_takes_it(tmp_path: Path) -> None:
    project = project_in_china(tmp_path)
    context = {**NO_BUNDLING, "email_provider": "smtp", "email_smtp_server": "smtps://smtpdm.aliyun.com:465"}
    assembly = synthesize(project=project, context=context, output=tmp_path / "cdk.out")
    [stack] = assembly.stacks
    template = whole(Path(assembly.directory), stack.id)

    sender = template.functions()["send_message"]
    variables = sender["Environment"]["Variables"]
    assert variables["WAYPOST_EMAIL_PROVIDER"] == "smtp"
    assert variables["WAYPOST_EMAIL_SERVER"] == "smtps://smtpdm.aliyun.com:465"
    secret = template.one("SecretsManager::Secret", Name="waypost/dev/email")
    assert secret["GenerateSecretString"]["SecretStringTemplate"] == '{"username": ""}'
    assert "EmailChannelSecret" in template.content["Outputs"]
    assert not template.all("SES::ConfigurationSet")
    assert {*missing_services("aws-cn", context.get)} == {"push", "sms", "whatsapp"}
    assert list(findings(sorted(Path(assembly.directory).glob("*.template.json")), IN_CHINA)) == []


@pytest.mark.parametrize(
    ("service", "in_the_first", "in_china"),
    [("sesv2", True, False), ("sqs", True, True), ("socialmessaging", True, False), ("teleport", False, False)],
)
def test_a_service_that_the_table_has_nowhere_is_offered_in_the_first_partition_alone(
    service: str, in_the_first: bool, in_china: bool
) -> None:
    assert (is_offered(service, "aws"), is_offered(service, "aws-cn")) == (in_the_first, in_china)


def test_a_provider_that_is_not_there_is_refused_with_the_one_that_is(tmp_path: Path) -> None:
    context = {**NO_BUNDLING, "email_provider": "ses"}
    reason = "context email_provider: AWS has no sesv2 in aws-cn; choose -c email_provider=smtp"

    with pytest.raises(InvalidInput, match=reason):
        build_app(project=project_in_china(tmp_path), context=context, output=tmp_path / "cdk.out")


def test_a_journey_that_sends_what_nothing_takes_there_is_refused_by_name() -> None:
    library = discover(ROOT / "statemachines", functions=ROOT / "functions")

    with pytest.raises(InvalidJourney) as refused:
        refuse_unsendable(library, partition="aws-cn", context=NOTHING_CHOSEN)
    refuse_unsendable(library, partition="aws", context=NOTHING_CHOSEN)

    lines = str(refused.value).splitlines()
    sent = {
        (journey.name, name, channel)
        for journey in library.journeys
        for name, message in journey.messages.items()
        for channel in {*message["channels"]} & {*missing_services("aws-cn", NOTHING_CHOSEN)}
    }
    assert len(lines) == len(sent) > 0
    for journey, message, channel in sent:
        [line] = [each for each in lines if f"/{journey}/messages/{message}: {channel}: " in each]
        assert ("choose -c email_provider=smtp" in line) == (channel == "email")
        assert f"the journey {journey} sends {message} by {channel}" in line
        assert "take the channel out of the message, or deploy this journey in a region of another partition" in line


def test_the_synth_says_so_in_a_line_each(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", "cn-northwest-1")  # as the CDK command says where it deploys to

    assert main([]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all("AWS has no " in line and " in aws-cn" in line for line in lines)


@pytest.mark.parametrize(
    ("chosen", "region", "reason"),
    [
        ("aws", "cn-north-1", "context partition: is aws, and the deployment goes to cn-north-1, which is in aws-cn"),
        ("aws-cn", "eu-west-1", "context partition: is aws-cn, and the deployment goes to eu-west-1, which is in aws"),
        ("aws-iso", "", "context partition: must be one of aws, aws-cn, not 'aws-iso'"),
        ("", "us-gov-west-1", "context partition: must be one of aws, aws-cn, not 'aws-us-gov'"),
    ],
)
def test_a_partition_that_is_not_the_one_of_the_region_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, region: str, reason: str
) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", region)
    context: dict[str, Any] = {**NO_BUNDLING, "partition": chosen}

    with pytest.raises(Exception, match=reason):
        build_app(project=Project.at(ROOT), context=context, output=tmp_path)
