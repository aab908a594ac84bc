"""The synthesized template holds what the design promises."""

import json
import re
from email.header import decode_header, make_header
from typing import Any

import pytest

from infra.deployment import Deployment
from infra.project import ROOT, Project
from local.providers.server import choices
from tests.infra.template import Synthesizer, Template, plain
from waypost.aws.routing_batch import MAX_RECEIVES
from waypost.aws.table import profiles_table
from waypost.errors import InvalidInput
from waypost.journeys.machine_versions import journey_and_version
from waypost.journeys.resume_journey import EXPRESS_STARTS, STARTS_A_SECOND


def test_every_function_folder_is_deployed_and_named_after_its_stage(template: Template) -> None:
    folders = {handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")}

    functions = template.functions()

    assert functions.keys() == folders
    assert {name: function["FunctionName"] for name, function in functions.items()} == {
        folder: f"waypost-dev-{folder.replace('_', '-')}" for folder in folders
    }
    assert {function["Handler"] for function in functions.values()} == {"handler.handle"}


def test_every_function_logs_what_a_person_needs_and_its_log_group_forgets(template: Template) -> None:
    for function in template.functions().values():
        levels = {
            name: function["LoggingConfig"][name] for name in ("ApplicationLogLevel", "LogFormat", "SystemLogLevel")
        }
        assert levels == {"ApplicationLogLevel": "INFO", "LogFormat": "JSON", "SystemLogLevel": "WARN"}
        logs = template.all("Logs::LogGroup")[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert logs["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
        assert logs["RetentionInDays"] == 30


def test_the_context_chooses_runtime_and_architecture(template: Template, synthesized: Synthesizer) -> None:
    def chosen(given: Template) -> set[tuple[str, str]]:
        return {
            (function["Runtime"], architecture)
            for function in given.functions().values()
            for architecture in function["Architectures"]
        }

    assert chosen(template) == {("python3.13", "arm64")}
    assert chosen(synthesized(runtime="python3.12", architecture="x86_64")) == {("python3.12", "x86_64")}


def test_the_contacts_table_streams_recovers_expires_and_is_encrypted(template: Template) -> None:
    table = template.one("DynamoDB::GlobalTable", TableName="waypost-dev-contacts")

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["Replicas"][0]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert {index["IndexName"]: index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {
        "due": "KEYS_ONLY",
    }


def test_profiles_have_a_table_of_their_own_without_an_index(template: Template) -> None:
    table = template.one("DynamoDB::GlobalTable", TableName=profiles_table("waypost-dev-contacts"))

    assert table["KeySchema"] == [{"AttributeName": "contact_id", "KeyType": "HASH"}]
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["Replicas"][0]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert not {"GlobalSecondaryIndexes", "StreamSpecification"}.intersection(table)


def test_contacts_outlive_a_production_stack_and_not_a_trial(template: Template, production: Template) -> None:
    def kept(given: Template) -> list[tuple[str, bool]]:
        tables = [each for each in given.content["Resources"].values() if each["Type"] == "AWS::DynamoDB::GlobalTable"]
        return [
            (table["DeletionPolicy"], table["Properties"]["Replicas"][0]["DeletionProtectionEnabled"])
            for table in tables
        ]

    assert kept(template) == [("Delete", False)] * 2
    assert kept(production) == [("RetainExceptOnCreate", True)] * 2


def test_the_queue_is_ordered_per_contact_and_fast(template: Template) -> None:
    queue = template.one("SQS::Queue", QueueName="waypost-dev-events.fifo")

    assert queue["FifoQueue"] is True
    assert queue["ContentBasedDeduplication"] is False
    assert queue["DeduplicationScope"] == "messageGroup"
    assert queue["FifoThroughputLimit"] == "perMessageGroupId"


def test_an_event_is_not_received_again_while_it_is_being_routed(template: Template) -> None:
    queue = template.one("SQS::Queue", QueueName="waypost-dev-events.fifo")

    assert queue["VisibilityTimeout"] >= 6 * template.functions()["route_events"]["Timeout"]


def test_the_queue_gives_every_event_behind_failing_ones_its_own_attempts(template: Template) -> None:
    mapping = template.one(
        "Lambda::EventSourceMapping", FunctionResponseTypes=["ReportBatchItemFailures"], BatchSize=10
    )
    redrive = template.one("SQS::Queue", QueueName="waypost-dev-events.fifo")["RedrivePolicy"]
    dead_letters = template.all("SQS::Queue")[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]

    assert plain(mapping["FunctionName"]).startswith("<RouteEvents")
    assert redrive["maxReceiveCount"] >= mapping["BatchSize"] * MAX_RECEIVES
    assert dead_letters["QueueName"] == "waypost-dev-events-dead-letters.fifo"
    assert dead_letters["FifoQueue"] is True


def test_the_api_takes_the_documented_routes_and_no_others(template: Template) -> None:
    assert {route["RouteKey"] for route in template.all("ApiGatewayV2::Route").values()} == {
        "POST /v1/{call}",
        "POST /v1/webhooks/{source}",
        "GET /v1/callbacks/{channel}/{account}",
        "POST /v1/callbacks/{channel}/{account}",
        "POST /v1/inbox/{action}",
        "GET /v1/inbox.js",
        "GET /openapi.json",
        "GET /docs",
        "GET /u/{token}",
        "HEAD /u/{token}",
        "POST /u/{token}",
        "GET /r/{token}",
        "HEAD /r/{token}",
        "GET /o/{token}",
        "HEAD /o/{token}",
        "GET /a/{token}",
        "GET /a/{token}/{view}",
        "HEAD /a/{token}",
        "POST /a/{token}",
        "GET /t/{token}",
        "HEAD /t/{token}",
        "POST /t/{token}",
        "GET /c/{token}",
        "HEAD /c/{token}",
        "POST /c/{token}",
        "GET /p/{token}",
        "HEAD /p/{token}",
        "POST /p/{token}",
        "GET /s/{token}/{survey}",
        "HEAD /s/{token}/{survey}",
        "POST /s/{token}/{survey}",
        "GET /l/{name}",
        "HEAD /l/{name}",
    }


def test_the_api_is_throttled_and_its_log_says_nothing_about_people(template: Template) -> None:
    stage = template.one("ApiGatewayV2::Stage")

    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    logged = set(re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"]))
    assert logged == {
        "requestId",
        "requestTime",
        "routeKey",
        "status",
        "responseLength",
        "responseLatency",
        "integrationErrorMessage",
    }


def test_only_a_share_of_executions_is_traced_and_functions_follow_their_machine(
    template: Template, synthesized: Synthesizer
) -> None:
    [rule] = template.all("XRay::SamplingRule").values()
    sampled = rule["SamplingRule"]
    assert (sampled["FixedRate"], sampled["ReservoirSize"], sampled["ServiceName"]) == (0.001, 0, "waypost-dev-*")
    assert {function["TracingConfig"]["Mode"] for function in template.functions().values()} == {"PassThrough"}
    machines = template.all("StepFunctions::StateMachine").values()
    assert all(machine["TracingConfiguration"] == {"Enabled": True} for machine in machines)

    untraced = synthesized(trace_rate="0")
    assert untraced.all("XRay::SamplingRule") == {}
    machines = untraced.all("StepFunctions::StateMachine").values()
    assert not any(machine.get("TracingConfiguration", {}).get("Enabled", False) for machine in machines)


def test_the_context_chooses_how_much_comes_in_and_is_routed_at_a_time(
    template: Template, synthesized: Synthesizer
) -> None:
    def chosen(given: Template) -> tuple[int, int, int]:
        [stage] = given.all("ApiGatewayV2::Stage").values()
        throttle = stage["DefaultRouteSettings"]
        readers = [
            each["ScalingConfig"]["MaximumConcurrency"]
            for each in given.all("Lambda::EventSourceMapping").values()
            if each.get("BatchSize") == 10 and "ScalingConfig" in each
        ]
        return throttle["ThrottlingRateLimit"], throttle["ThrottlingBurstLimit"], max(readers)

    assert chosen(template) == (500, 1000, 100)
    assert chosen(synthesized(requests_per_second="3000", readers="600")) == (3000, 6000, 600)


def test_the_sender_knows_what_providers_take_a_second(template: Template, synthesized: Synthesizer) -> None:
    def rates(given: Template) -> str:
        return str(given.functions()["send_message"]["Environment"]["Variables"]["WAYPOST_RATES"])

    assert rates(template) == "email=14,sms=10,whatsapp=80"
    assert rates(synthesized(email_per_second=200, sms_per_second=0.5, push_per_second=80)) == (
        "email=200,push=80,sms=0.5,whatsapp=80"
    )
    assert rates(synthesized(target="host")) == "", "the providers of the embedded cloud have no rate"
    with pytest.raises(
        InvalidInput, match=r"email_per_second: must be a number of messages a second from 0\.1 to 10,000"
    ):
        synthesized(email_per_second="fast")


def test_a_flood_of_senders_leaves_the_pages_of_people_alone(template: Template, synthesized: Synthesizer) -> None:
    def limits(given: Template) -> dict[str, tuple[int, int]]:
        [stage] = given.all("ApiGatewayV2::Stage").values()
        return {
            route: (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"])
            for route, each in stage["RouteSettings"].items()
        }

    routes = {each["RouteKey"] for each in template.all("ApiGatewayV2::Route").values()}
    assert limits(template).keys() == routes
    chosen = limits(synthesized(requests_per_second="30", pages_per_second="7"))
    of_people = {route for route in chosen if "/u/" in route or "/v1/inbox" in route}
    assert {chosen[route] for route in of_people} == {(7, 14)}
    assert {limit for route, limit in chosen.items() if "/v1/" in route and route not in of_people} == {(30, 60)}


def test_invocations_are_reserved_as_the_deployment_chooses(template: Template, synthesized: Synthesizer) -> None:
    def reserved(given: Template) -> dict[str, int]:
        return {
            each["FunctionName"].removeprefix("waypost-dev-"): each["ReservedConcurrentExecutions"]
            for each in given.all("Lambda::Function").values()
            if "ReservedConcurrentExecutions" in each
        }

    assert reserved(template) == {}
    chosen = synthesized(reserved_concurrency="send_message=50, unsubscribe_contact=10, resume_journey=16")
    assert reserved(chosen) == {"send-message": 50, "unsubscribe-contact": 10, "resume-journey": 16}
    starts_of_late_timers = reserved(chosen)["resume-journey"] * STARTS_A_SECOND
    assert starts_of_late_timers == 4_800 <= EXPRESS_STARTS, "however many timers are late at once"


def test_a_preflight_allows_what_the_sdks_of_browsers_send(template: Template) -> None:
    [api] = template.all("ApiGatewayV2::Api").values()
    cors = api["CorsConfiguration"]
    assert {"authorization", "content-type", "anonymousid", "x-retry-count", "*"} <= set(cors["AllowHeaders"])
    assert (cors["AllowOrigins"], cors["AllowMethods"]) == (["*"], ["POST"])


@pytest.mark.parametrize(
    ("choice", "value", "wanted"),
    [
        ("pages_per_second", "0", "a whole number from 1 to 10,000"),
        ("reserved_concurrency", "send_mesage=50", "functions with a number"),
        ("reserved_concurrency", "send_message", "functions with a number"),
        ("reserved_concurrency", "send_message=0", "functions with a number"),
        ("reserved_concurrency", "resume_journey=21", "at most 20 for resume_journey"),
        ("trace_rate", "2", "a number from 0 to 1"),
        ("requests_per_second", "20000", "a whole number from 1 to 10,000"),
        ("readers", "1", "a whole number from 2 to 1,000"),
        ("readers", "12.5", "a whole number"),
        ("readers", "many", "a whole number"),
    ],
)
def test_a_choice_beyond_its_quota_is_refused(choice: str, value: str, wanted: str) -> None:
    with pytest.raises(InvalidInput, match=f"context {choice}: .*{wanted}"):
        Deployment.from_context({choice: value}.get, project=Project.at(ROOT))


def test_every_folder_of_a_machine_becomes_a_machine_that_logs_no_contact(template: Template) -> None:
    folders = {path.parent.name for path in (ROOT / "statemachines").glob("*/*/definition.asl.yaml")}
    journeys = {path.parent.name for path in (ROOT / "statemachines").glob("journeys/*/definition.asl.yaml")}
    machines = template.all("StepFunctions::StateMachine").values()

    names = [journey_and_version(machine["StateMachineName"].removeprefix("waypost-dev-")) for machine in machines]
    assert {name for name, _ in names} == folders
    assert {name for name, version in names if version} == journeys
    for machine, (name, _) in zip(machines, names, strict=True):
        is_journey = name in journeys
        assert machine["StateMachineType"] == ("EXPRESS" if is_journey else "STANDARD")
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["LoggingConfiguration"]["Level"] == "ERROR"


def test_a_former_version_of_a_journey_and_its_role_outlive_the_change(template: Template) -> None:
    resources = [each for each in template.content["Resources"].values() if each["Type"].endswith("::StateMachine")]
    policies = {
        ("--" in each["Properties"]["StateMachineName"], each.get("UpdateReplacePolicy", "Delete"))
        for each in resources
    }
    assert policies == {(True, "Retain"), (False, "Delete")}
    assert {each.get("DeletionPolicy", "Delete") for each in resources} == {"Delete"}

    roles = {machine["RoleArn"]["Fn::GetAtt"][0] for machine in template.all("StepFunctions::StateMachine").values()
             if "--" in machine["StateMachineName"]}  # fmt: skip
    for role in roles:
        assert template.content["Resources"][role]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_machine_stays_valid_json_with_its_functions_filled_in_by_name(template: Template) -> None:
    for machine in template.all("StepFunctions::StateMachine").values():
        placeholders = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))

        assert json.loads(machine["DefinitionString"])["States"]
        assert placeholders == machine["DefinitionSubstitutions"].keys()


def test_every_journey_closes_its_enrolments_itself(template: Template) -> None:
    for machine in template.all("StepFunctions::StateMachine").values():
        if machine["StateMachineType"] == "EXPRESS":
            assert {"CloseEnrolment", "PauseJourney"} <= machine["DefinitionSubstitutions"].keys()
    sources = [rule["EventPattern"]["source"] for rule in template.all("Events::Rule").values()]
    assert ["aws.states"] not in sources


def test_what_providers_say_of_our_messages_is_recorded(template: Template) -> None:
    rules = {rule["EventPattern"]["source"][0]: rule for rule in template.all("Events::Rule").values()}
    ours = {"message_key": [{"exists": True}]}

    assert rules["aws.ses"]["EventPattern"]["detail"]["mail"]["tags"].items() >= ours.items()
    assert rules["aws.sms-voice"]["EventPattern"]["detail"]["context"] == ours
    for source in ("aws.ses", "aws.sms-voice"):
        assert plain(rules[source]["Targets"][0]["Arn"]).startswith("<ChannelsNotices")
    [read] = [
        each
        for each in template.all("Lambda::EventSourceMapping").values()
        if plain(each["EventSourceArn"]).startswith("<ChannelsNotices")
    ]
    assert plain(read["FunctionName"]).startswith("<RecordDelivery")
    assert (read["BatchSize"], read["MaximumBatchingWindowInSeconds"]) == (100, 10)
    assert read["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    destination = template.one("SES::ConfigurationSetEventDestination")["EventDestination"]
    assert plain(destination["EventBridgeDestination"]["EventBusArn"]).endswith(":event-bus/default")
    assert destination["MatchingEventTypes"] == ["delivery", "bounce", "complaint", "reject", "renderingFailure"]
    mails, texts = (rules[source]["EventPattern"]["detail"]["eventType"] for source in ("aws.ses", "aws.sms-voice"))
    assert mails == ["Delivery", "Bounce", "Complaint", "Reject", "Rendering Failure"]
    assert texts == [{"anything-but": ["TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT"]}]


def test_nothing_called_without_waiting_is_lost(template: Template) -> None:
    undelivered = {"Fn::GetAtt": [next(name for name in template.all("SQS::Queue") if "Undelivered" in name), "Arn"]}

    for rule in template.all("Events::Rule").values():
        assert [target["DeadLetterConfig"] for target in rule["Targets"]] == [{"Arn": undelivered}]
    for schedule in template.all("Scheduler::Schedule").values():
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": undelivered}
    kept = template.all("Lambda::EventInvokeConfig").values()
    assert {plain(config["FunctionName"]).strip("<>").partition("Function")[0] for config in kept} == {
        "ResumeJourney",
        "AskTaskResults",
        "SweepJourneys",
        "SendMessage",
    }
    for config in kept:
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == undelivered


def test_journeys_are_swept_and_results_asked_for_every_hour(template: Template) -> None:
    hourly = "cron(0 * * * ? *)"
    schedules = [each for each in template.all("Scheduler::Schedule").values() if each["ScheduleExpression"] == hourly]

    group = template.one("Scheduler::ScheduleGroup")["Name"]
    assert {schedule["GroupName"] for schedule in schedules} == {group} == {"waypost-dev"}
    called = {plain(schedule["Target"]["Arn"]).strip("<").partition("Function")[0] for schedule in schedules}
    assert called == {"AskTaskResults", "SweepJourneys"}


def test_events_are_archived_for_as_long_as_personal_data_may_stay_there(template: Template) -> None:
    archive = template.one("Events::Archive")

    assert plain(archive["SourceArn"]).startswith("<Bus")
    assert archive["RetentionDays"] == 30


def watched(template: Template) -> set[tuple[str, str]]:
    """Metric and what it is of, for every alarm; ``Throttles`` of everything has nothing that it is of."""
    return {
        (metric["MetricName"], plain(dimension["Value"]).strip("<>").split(".")[0])
        for alarm in template.all("CloudWatch::Alarm").values()
        for metric in metrics_of(alarm)
        for dimension in metric.get("Dimensions") or [{"Value": ""}]
    }


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm: its own, or those that its expression reads. Each is billed."""
    read = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    return read or [alarm]


def named_in(value: Any) -> set[str]:
    """The logical ids that a part of the template refers to."""
    return {name.partition(".")[0] for name in re.findall(r"(?<=<)[\w.]+(?=>)", plain(value))}


def test_visits_are_judged_again_an_hour_before_the_nights_metrics_read_them(template: Template) -> None:
    when = {each["Name"]: each["ScheduleExpression"] for each in template.all("Scheduler::Schedule").values()}
    assert when["rescore-engagement-nightly"] == "cron(0 2 * * ? *)"
    assert when["refresh-contacts-nightly"] == "cron(0 3 * * ? *)"


def test_everything_that_can_fail_has_an_alarm(template: Template) -> None:
    alarms = watched(template)

    assert ("Throttles", "") in alarms
    assert ("5xx", next(iter(template.all("ApiGatewayV2::Api")))) in alarms
    for name, queue in template.all("SQS::Queue").items():
        metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        assert (metric, name) in alarms
    assert {("OverduePauses", "sweep_journeys"), ("UnknownMessages", "sweep_journeys")} <= alarms
    assert {("MessagesRejected", "send_message"), ("AccountRefusals", "send_message")} <= alarms
    assert ("PolicyNotApplied", "send_message") in alarms
    assert {("Reputation.BounceRate", ""), ("Reputation.ComplaintRate", "")} <= alarms
    for name in template.all("DynamoDB::GlobalTable"):
        assert {("ReadThrottleEvents", name), ("WriteThrottleEvents", name)} <= alarms
    assert ("WriteThrottleEvents", "due") in alarms


def test_an_execution_that_ends_badly_is_counted_in_the_log_of_its_kind(template: Template) -> None:
    """Of every machine: each logs its errors to a group of which every way to end badly is counted and watched."""
    logs = {
        plain(machine["LoggingConfiguration"]["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"])
        .strip("<>")
        .partition(".")[0]
        for machine in template.all("StepFunctions::StateMachine").values()
    }
    filters = template.all("Logs::MetricFilter").values()
    counted: dict[str, str] = dict.fromkeys(logs, "")
    for each in filters:
        counted[plain(each["LogGroupName"]).strip("<>")] += each["FilterPattern"]
        assert (each["MetricTransformations"][0]["MetricName"], "") in watched(template)

    assert counted.keys() == logs
    for patterns in counted.values():
        assert all(ended in patterns for ended in ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"))
    for machine in template.all("StepFunctions::StateMachine").values():
        assert machine["LoggingConfiguration"]["Level"] == "ERROR"


def test_the_guide_says_what_the_alarms_cost(template: Template) -> None:
    alarms = template.all("CloudWatch::Alarm").values()
    billed = sum(len(metrics_of(alarm)) for alarm in alarms)
    guide = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

    assert f"A stage has {len(alarms)} alarms on {billed} metrics" in guide
    assert f"${(billed - 10) * 0.1:.2f} a month" in guide


def test_the_caller_of_a_function_has_the_alarm_for_its_failures(template: Template) -> None:
    functions = set(template.all("Lambda::Function"))
    reading = {
        id_ for each in template.all("Lambda::EventSourceMapping").values() for id_ in named_in(each["FunctionName"])
    }
    answering = {
        id_ for each in template.all("ApiGatewayV2::Integration").values() for id_ in named_in(each["IntegrationUri"])
    }
    working = {
        id_
        for machine in template.all("StepFunctions::StateMachine").values()
        for arn in machine["DefinitionSubstitutions"].values()
        for id_ in named_in(arn)
    }
    kept = {
        id_ for each in template.all("Lambda::EventInvokeConfig").values() for id_ in named_in(each["FunctionName"])
    }
    started = {
        id_
        for target in (
            *(target for rule in template.all("Events::Rule").values() for target in rule["Targets"]),
            *(schedule["Target"] for schedule in template.all("Scheduler::Schedule").values()),
        )
        for id_ in named_in(target["Arn"])
    }

    assert {("Errors", name) for name in reading} <= watched(template)
    assert started & functions <= kept
    idle = {name.partition("Function")[0] for name in functions - (reading | answering | working | kept)}
    # called where a destination is switched on, a journey asks, calls or notifies
    assert idle <= {
        "AssignTask",
        "CallWebhook",
        "DeliverEvent",
        "EvaluateSegment",
        "IssueCoupon",
        "NotifyStaff",
        "StartOtherJourney",
        "StopOtherJourney",
    }


def test_no_failure_has_two_alarms(template: Template) -> None:
    mappings = template.all("Lambda::EventSourceMapping").values()
    reading = {id_ for each in mappings for id_ in named_in(each["FunctionName"])}
    deliver = next(name for name in template.all("Lambda::Function") if name.startswith("DeliverEvent"))

    assert {of for metric, of in watched(template) if metric == "Errors"} == reading | {deliver}


def test_alarms_reach_the_operators_encrypted_when_an_address_is_given(
    template: Template, production: Template
) -> None:
    assert not [name for name in template.all("SNS::Topic") if "Alarm" in name]
    assert production.one("SNS::Subscription", Protocol="email")["Endpoint"] == "operators@waypost.example"
    [topic] = [name for name in production.all("SNS::Topic") if "Alarm" in name]
    assert production.all("SNS::Topic")[topic]["KmsMasterKeyId"] == {
        "Fn::GetAtt": [next(iter(production.all("KMS::Key"))), "Arn"]
    }
    publishers = [
        (statement["Principal"], statement["Action"])
        for statement in production.one("SNS::TopicPolicy", Topics=[{"Ref": topic}])["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert publishers == [({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")]
    for alarm in production.all("CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == [{"Ref": topic}]


def test_secrets_are_generated_and_never_written_down(template: Template) -> None:
    secrets = {secret["Name"]: secret for secret in template.all("SecretsManager::Secret").values()}

    assert secrets.keys() == {
        f"waypost/dev/{name}" for name in ("webhooks", "links", "robot", "webhook", "wechat", "wecom")
    }
    for secret in secrets.values():
        assert "SecretString" not in secret
        assert secret["GenerateSecretString"]["PasswordLength"] >= 32


def test_a_deployment_can_be_sent_from_an_address_whose_domain_is_not_ours(synthesized: Synthesizer) -> None:
    own_domain = synthesized(email_sender="hello@shop.example", email_identity_owner="stack")
    one_address = synthesized(
        email_sender="hello@shop.example", email_identity="hello@shop.example", email_identity_owner="stack"
    )

    assert own_domain.one("SES::EmailIdentity")["EmailIdentity"] == "shop.example"
    assert one_address.one("SES::EmailIdentity")["EmailIdentity"] == "hello@shop.example"
    assert not [name for name in one_address.content["Outputs"] if name.startswith("EmailDns")]


def test_mail_comes_from_a_name_and_answers_go_where_a_deployment_says(synthesized: Synthesizer) -> None:
    given = synthesized(email_sender="路标商店 <hello@shop.example>", email_reply_to="help@shop.example")
    [sender] = {
        variables["WAYPOST_EMAIL_SENDER"]
        for function in given.all("Lambda::Function").values()
        if "WAYPOST_EMAIL_SENDER" in (variables := function.get("Environment", {}).get("Variables", {}))
    }
    assert sender.isascii()
    assert str(make_header(decode_header(sender))) == "路标商店 <hello@shop.example>"
    assert given.content["Outputs"]["EmailIdentity"]["Value"] == "shop.example"


def test_no_account_is_named_and_nothing_is_looked_up(synthesized: Synthesizer) -> None:
    unchosen = dict.fromkeys(choices(), "")
    for given in (
        synthesized(**unchosen),
        synthesized(stage="prod", alarm_email="operators@waypost.example", **unchosen),
    ):
        assert not re.findall(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", json.dumps(given.content))


def test_the_outputs_tell_a_client_where_everything_is(template: Template) -> None:
    assert template.content["Outputs"].keys() >= {
        "ApiUrl",
        "ContactsTableName",
        "EventsQueueUrl",
        "EventsDeadLettersUrl",
        "RejectedItemsUrl",
        "UndeliveredUrl",
        "EventBusName",
        "ScheduleGroup",
        "WebhookSecret",
        "LinkSecret",
        "StateMachinePrefix",
        "OperationNames",
    }
