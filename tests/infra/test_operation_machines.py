"""Operation machines may do what their definition names, start by themselves when they say so, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from infra.app import synthesize
from infra.project import Project
from tests.authoring.test_operations import write
from tests.infra.template import NO_BUNDLING, Template, listed, plain, whole
from waypost.errors import InvalidInput


def test_an_operation_that_names_a_function_that_is_not_there_fails_the_synth(project: Path, tmp_path: Path) -> None:
    write(project)

    with pytest.raises(InvalidInput) as refused:
        synthesize(project=Project.at(project), context=NO_BUNDLING, output=tmp_path / "out")

    assert "statemachines/operations/count-contacts/definition.asl.yaml" in str(refused.value)
    assert "${CountSlice}" in str(refused.value)


def test_every_operation_may_call_only_its_own_functions(template: Template) -> None:
    machines = {
        properties["StateMachineName"].removeprefix("waypost-dev-"): properties
        for properties in template.all("StepFunctions::StateMachine").values()
    }
    for name, machine in machines.items():
        definition = str(machine["DefinitionString"])
        role = machine["RoleArn"]["Fn::GetAtt"][0]
        allowed = {
            plain(resource)
            for statement in template.statements(role)
            if "lambda:InvokeFunction" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        called = {plain(arn) for arn in machine.get("DefinitionSubstitutions", {}).values() if ".Arn" in plain(arn)}
        assert allowed == called, name
        assert "$" in definition or not called, name


def test_files_are_private_encrypted_and_forgotten(template: Template, production: Template) -> None:
    bucket = template.one("S3::Bucket")

    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert "BucketEncryption" in bucket
    kept = {rule["Id"]: rule.get("ExpirationInDays") for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert {"imports", "exports", "audiences", "work"} <= {name for name, days in kept.items() if days}
    assert "events" not in kept, "the archive has its own retention"
    assert production.one("S3::Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}
    assert production.resource("S3::Bucket")["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_nightly_operation_starts_in_the_default_time_zone(project: Path, tmp_path: Path) -> None:
    definition: dict[str, Any] = {
        "Comment": "Does nothing, every night.",
        "StartAt": "Nothing",
        "States": {"Nothing": {"Type": "Pass", "End": True}},
    }
    write(project, definition=definition)

    synthesize(project=Project.at(project), context=NO_BUNDLING, output=tmp_path / "out")

    schedules = whole(tmp_path / "out", "waypost-dev").all("Scheduler::Schedule")
    [nightly] = [each for each in schedules.values() if each["Name"] == "count-contacts-nightly"]
    assert nightly["ScheduleExpression"] == "cron(30 3 * * ? *)"
    assert nightly["ScheduleExpressionTimezone"] == "Asia/Shanghai"
    assert nightly["Target"]["Input"] == '{"everybody": true}'
