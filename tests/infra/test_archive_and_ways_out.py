"""The archive reads the stream and forgets by class; each destination has its way out, its secret and its dead letters."""

import json
from typing import Any

import pytest

from infra.app import synthesize
from infra.project import ROOT, Project
from local.project.init_project import copy_sample_content
from tests.infra.template import NO_BUNDLING, Template, plain, whole
from waypost.authoring.discovery import discover

SECTIONS = discover(ROOT / "statemachines").sections


@pytest.fixture(scope="module")
def switched_on(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The project with the two shipped destinations switched on."""
    project = tmp_path_factory.mktemp("project")
    copy_sample_content(project)
    for file in (project / "statemachines" / "contacts" / "destinations").glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace("enabled: false", "enabled: true"), encoding="utf-8")
    synthesize(project=Project.at(project), context=NO_BUNDLING, output=project / "out")
    return whole(project / "out", "waypost-dev")


def mapping(template: Template, source: str) -> dict[str, Any]:
    """The event source mapping from this source."""
    [found] = [
        each for each in template.all("Lambda::EventSourceMapping").values() if source in plain(each["EventSourceArn"])
    ]
    return found


def test_the_archive_reads_inserted_events_and_expired_rows_and_halves_what_fails(template: Template) -> None:
    stream = mapping(template, "StreamArn")
    [pattern, expired] = [json.loads(each["Pattern"]) for each in stream["FilterCriteria"]["Filters"]]
    assert pattern["eventName"] == ["INSERT"]
    assert pattern["dynamodb"]["Keys"]["sk"]["S"] == [{"prefix": "event#"}]
    assert (expired["eventName"], expired["userIdentity"]["principalId"]) == (["REMOVE"], ["dynamodb.amazonaws.com"])
    assert expired["dynamodb"]["Keys"]["sk"]["S"] == [{"prefix": "message#"}, {"prefix": "enrolment#past#"}]
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["BisectBatchOnFunctionError"] is True
    assert (stream["BatchSize"], stream["MaximumBatchingWindowInSeconds"]) == (1000, 60)
    assert 0 < stream["MaximumRetryAttempts"] <= 100
    assert "ArchiveLost" in plain(stream["DestinationConfig"]["OnFailure"]["Destination"])


def test_each_class_of_the_archive_is_forgotten_at_its_own_time(template: Template) -> None:
    rules = template.one("S3::Bucket")["LifecycleConfiguration"]["Rules"]
    found = {
        rule["TagFilters"][0]["Value"]: rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "events/"
    }
    classes = SECTIONS["retention"]["classes"]
    assert found == {name: each["archive_days"] for name, each in classes.items()}
    [ledger] = [rule for rule in rules if rule.get("Prefix") == "ledger/"]
    assert ledger["TagFilters"] == [{"Key": "retention", "Value": "passages"}]
    assert ledger["ExpirationInDays"] == SECTIONS["retention"]["passages"]["archive_days"]


def test_what_is_switched_off_costs_nothing(template: Template) -> None:
    assert SECTIONS["destinations"] == {}
    assert [name for name in template.content["Resources"] if "crm" in name] == []


def test_a_signed_destination_has_rule_queue_dead_letters_and_secret(switched_on: Template) -> None:
    rule = switched_on.one("Events::Rule", Description="Leads that mature, new owners and orders for the CRM")
    assert rule["EventPattern"] == {
        "source": ["waypost"],
        "detail-type": ["lead_became_mql", "lead_became_sql", "owner_changed", "order_placed"],
    }
    queue = switched_on.one("SQS::Queue", QueueName="waypost-dev-to-crm")
    assert queue["VisibilityTimeout"] >= 6 * switched_on.functions()["deliver_event"]["Timeout"]
    assert "DeadLetters" in plain(queue["RedrivePolicy"]["deadLetterTargetArn"])
    found = mapping(switched_on, "crmQueue")
    assert found["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    secret = switched_on.one("SecretsManager::Secret", Name="waypost/dev/destinations/crm")
    assert secret["GenerateSecretString"]["GenerateStringKey"] == "signing_keys"
    assert secret["GenerateSecretString"]["ExcludePunctuation"] is True


def test_a_destination_with_a_key_is_an_api_destination_and_its_key_is_not_in_the_template(
    switched_on: Template,
) -> None:
    connection = switched_on.one("Events::Connection")
    key = connection["AuthParameters"]["ApiKeyAuthParameters"]
    assert key["ApiKeyName"] == "X-Api-Key"
    assert plain(key["ApiKeyValue"]).startswith("{{resolve:secretsmanager:")
    endpoint = switched_on.one("Events::ApiDestination")
    assert (endpoint["InvocationEndpoint"], endpoint["InvocationRateLimitPerSecond"]) == (
        "https://collect.example.com/v1/events", 50,
    )  # fmt: skip
    rule = switched_on.one("Events::Rule", Description="Larger orders for the analytics platform")
    assert rule["EventPattern"] == {
        "source": ["waypost"],
        "detail-type": [{"wildcard": "order_*"}],
        "detail": {"properties": {"total": [{"numeric": [">=", 100]}]}},
    }
    [target] = rule["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert "DeadLetters" in plain(target["DeadLetterConfig"]["Arn"])
    assert '"total":<detail-properties-total>' in target["InputTransformer"]["InputTemplate"]


def test_deliver_event_can_change_nothing_but_the_state_of_destinations(template: Template) -> None:
    role = template.functions()["deliver_event"]["Role"]["Fn::GetAtt"][0]
    [statement] = [each for each in template.statements(role) if each["Action"] == "dynamodb:PutItem"]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["destination#*"]}}
