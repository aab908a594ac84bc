"""Each role may do what its work needs and nothing else."""

from typing import Any

import pytest

from tests.infra.rights import declared, granted
from tests.infra.template import Synthesizer, Template, listed, plain
from waypost.authoring.functions import discover_functions
from waypost.authoring.operations import FILES_BUCKET

FUNCTIONS = discover_functions()


def statements_of(template: Template, folder: str) -> list[dict[str, Any]]:
    """What the role of a function says."""
    role = template.functions()[folder]["Role"]["Fn::GetAtt"][0]
    return list(template.statements(role))


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_function_may_do_what_its_file_says_and_nothing_else(template: Template, folder: str) -> None:
    assert granted(template, folder) == declared(FUNCTIONS[folder])


def test_only_senders_read_the_login_of_a_mail_server(synthesized: Synthesizer) -> None:
    by_smtp = synthesized(email_provider="smtp")
    readers = {
        folder
        for folder in FUNCTIONS
        if "secretsmanager:GetSecretValue on <ChannelsEmailSecret>" in granted(by_smtp, folder)
    }
    senders = {
        "assign_task",
        "notify_staff",
        "receive_callback",
        "send_deferred",
        "send_message",
        "send_test",
        "publish_message",
        "ask_for_approval",
    }
    assert readers == senders
    assert not [line for line in granted(by_smtp, "send_message") if line.startswith("ses:")]


def test_no_role_may_do_everything_with_anything(template: Template, production: Template) -> None:
    takes_no_resource = {
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    }
    for given in (template, production):
        for role in given.all("IAM::Role"):
            for statement in given.statements(role):
                actions = set(listed(statement["Action"]))
                assert not [action for action in actions if "*" in action]
                if "*" in listed(statement["Resource"]):
                    assert actions <= takes_no_resource


def test_no_role_has_a_policy_that_others_may_change(template: Template) -> None:
    for role in template.all("IAM::Role").values():
        assert "ManagedPolicyArns" not in role


def test_the_webhook_function_cannot_read_contacts(template: Template) -> None:
    [table] = [
        statement
        for statement in statements_of(template, "receive_webhook")
        if "dynamodb:GetItem" in statement["Action"]
    ]

    assert table["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["webhook#*"]}}


def test_only_what_gives_out_hops_may_start_journeys(template: Template) -> None:
    starters = {
        folder
        for folder in template.functions()
        for statement in statements_of(template, folder)
        if "states:StartExecution" in listed(statement["Action"])
    }
    assert starters == {"resume_journey", "route_events", "sweep_journeys"}


def test_only_the_page_of_approvals_answers_runs_that_wait(template: Template) -> None:
    answering = {
        folder
        for folder in template.functions()
        for statement in statements_of(template, folder)
        if "states:SendTaskSuccess" in listed(statement["Action"])
    }
    assert answering == {"decide_approval"}


def test_only_who_looks_for_what_is_due_reads_its_index(template: Template) -> None:
    readers = {
        folder
        for folder in template.functions()
        for statement in statements_of(template, folder)
        if any("/index/due" in plain(resource) for resource in listed(statement["Resource"]))
    }

    assert readers == {"ask_task_results", "control_journey", "resume_journey", "sweep_journeys"}


def test_functions_reach_only_journeys_and_schedules_of_their_stage(template: Template) -> None:
    for folder in template.functions():
        for statement in statements_of(template, folder):
            for action in listed(statement["Action"]):
                ends = [plain(resource).rpartition(":")[2] for resource in listed(statement["Resource"])]
                if action.startswith("states:"):
                    assert ends == ["waypost-dev-*"]
                if action.startswith("scheduler:"):
                    assert ends == ["schedule/waypost-dev/*"]


def test_a_role_can_be_handed_to_the_scheduler_only(template: Template) -> None:
    for folder in template.functions():
        for statement in statements_of(template, folder):
            if "iam:PassRole" in listed(statement["Action"]):
                assert plain(statement["Resource"]).startswith("<SchedulesRole")
                assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_schedules_act_for_our_group_and_call_three_functions(template: Template) -> None:
    [name] = [name for name in template.all("IAM::Role") if name.startswith("SchedulesRole")]
    [trusted] = template.all("IAM::Role")[name]["AssumeRolePolicyDocument"]["Statement"]
    called = {
        plain(resource).rpartition(":")[2]
        for statement in template.statements(name)
        if statement["Action"] == "lambda:InvokeFunction"
        for resource in statement["Resource"]
    }

    assert plain(trusted["Condition"]["StringEquals"]["aws:SourceArn"]).endswith(":schedule-group/waypost-dev")
    names = ("ask-task-results", "resume-journey", "send-message", "sweep-journeys")
    assert called == {f"waypost-dev-{name}" for name in names}


def test_a_machine_may_call_the_functions_that_it_names_and_no_others(template: Template) -> None:
    for machine in template.all("StepFunctions::StateMachine").values():
        named = {plain(arn) for name, arn in machine["DefinitionSubstitutions"].items() if name != FILES_BUCKET}
        allowed = {
            plain(resource)
            for statement in template.statements(machine["RoleArn"]["Fn::GetAtt"][0])
            if statement["Action"] == "lambda:InvokeFunction"
            for resource in listed(statement["Resource"])
        }

        assert allowed == named


def test_a_machine_does_with_files_what_its_definition_says_and_no_more(template: Template) -> None:
    found = {
        (machine["StateMachineName"], action): statement.get("Condition")
        for machine in template.all("StepFunctions::StateMachine").values()
        for statement in template.statements(machine["RoleArn"]["Fn::GetAtt"][0])
        for action in listed(statement["Action"])
        if action.startswith("s3:")
    }

    assert found == {
        ("waypost-dev-import-contacts", "s3:ListBucket"): {"StringLike": {"s3:prefix": ["work/*"]}},
    }


def test_a_chosen_origination_is_the_only_one_that_text_messages_may_use(synthesized: Synthesizer) -> None:
    pool = "arn:aws:sms-voice:eu-west-1:111122223333:pool/pool-1"
    template = synthesized(sms_origination=pool)

    [sms] = [
        statement
        for statement in statements_of(template, "send_message")
        if statement["Action"] == "sms-voice:SendTextMessage"
    ]

    assert sms["Resource"] == pool
