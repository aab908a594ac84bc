"""A small stack with one of each thing that a journey needs. Used by the tests of the local tools."""

import json
import shutil
from pathlib import Path
from typing import Any

from local.cloud.assembly import Assembly, Asset

FOLDER = Path(__file__).parent / "tiny_function"


def tiny_stack(scratch: Path) -> Assembly:
    """An assembly as the CDK would synthesize it; the code is copied to ``scratch``, beside which it is packed."""
    code = Path(shutil.copytree(FOLDER, scratch / "tiny", dirs_exist_ok=True))
    asset = Asset(code, packaged_as_zip=True, bucket="assets-${AWS::AccountId}-${AWS::Region}", key="tiny.zip")
    return Assembly("tiny", {"Resources": _resources()}, (asset,), "tiny")


def _resources() -> dict[str, Any]:
    function = {"Fn::GetAtt": ["Function", "Arn"]}
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    return {
        "Table": _resource(
            "DynamoDB::Table",
            TableName="tiny",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        ),
        "Queue": _resource("SQS::Queue", QueueName="tiny.fifo", FifoQueue=True, VisibilityTimeout=120),
        "Role": _resource("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": []}),
        "Identity": _resource("SES::EmailIdentity", EmailIdentity="waypost.example"),
        "Function": _resource(
            "Lambda::Function",
            FunctionName="tiny",
            Runtime="python3.13",
            Handler="handler.handle",
            Timeout=10,
            Role=role,
            Code={"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "tiny.zip"},
            Environment={
                "Variables": {
                    "QUEUE": {"Ref": "Queue"},
                    "ROLE": role,
                    "SELF": {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:tiny"},
                    "MACHINE": {
                        "Fn::Sub": "arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:waypost-dev-tiny"
                    },
                }
            },
        ),
        "Reader": _resource(
            "Lambda::EventSourceMapping",
            EventSourceArn={"Fn::GetAtt": ["Queue", "Arn"]},
            FunctionName={"Ref": "Function"},
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        ),
        "Secret": _resource("SecretsManager::Secret", Name="waypost/dev/webhooks", SecretString="{}"),
        "Group": _resource("Scheduler::ScheduleGroup", Name="tiny"),
        "Sweep": _resource(
            "Scheduler::Schedule",
            Name="sweep",
            GroupName={"Ref": "Group"},
            ScheduleExpression="cron(0 9 * * ? *)",
            ScheduleExpressionTimezone="Asia/Shanghai",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": function, "RoleArn": role, "Input": '{"task": "sweep"}'},
        ),
        "Machine": _resource(
            "StepFunctions::StateMachine",
            StateMachineName="waypost-dev-tiny",
            RoleArn=role,
            DefinitionString=json.dumps(_definition()),
            DefinitionSubstitutions={"Function": function},
        ),
        "Ended": _resource(
            "Events::Rule",
            EventPattern={"source": ["aws.states"], "detail": {"status": ["SUCCEEDED", "FAILED"]}},
            Targets=[{"Id": "function", "Arn": function}],
        ),
        "MailEvents": _resource(
            "Events::Rule", EventPattern={"source": ["aws.ses"]}, Targets=[{"Id": "function", "Arn": function}]
        ),
        "Bus": _resource("Events::EventBus", Name="tiny"),
        "Archive": _resource("Events::Archive", SourceArn={"Fn::GetAtt": ["Bus", "Arn"]}, RetentionDays=30),
        "Api": _resource("ApiGatewayV2::Api", Name="tiny", ProtocolType="HTTP"),
        "Stage": _resource("ApiGatewayV2::Stage", ApiId={"Ref": "Api"}, StageName="$default", AutoDeploy=True),
        "Integration": _resource(
            "ApiGatewayV2::Integration",
            ApiId={"Ref": "Api"},
            IntegrationType="AWS_PROXY",
            IntegrationUri=function,
            PayloadFormatVersion="2.0",
        ),
        "Route": _resource(
            "ApiGatewayV2::Route",
            ApiId={"Ref": "Api"},
            RouteKey="POST /v1/start",
            Target={"Fn::Sub": "integrations/${Integration}"},
        ),
    }


def _definition() -> dict[str, Any]:
    def task(payload: dict[str, Any], *, next_state: str | None, waits: bool = False) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke" + (".waitForTaskToken" if waits else ""),
            "Arguments": {"FunctionName": "${Function}", "Payload": payload},
            **({"Next": next_state} if next_state else {"End": True}),
        }

    given = "{% $states.context.Execution.Input.id %}"
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Send first",
        "States": {
            "Send first": task({"task": "send", "id": given}, next_state="What next"),
            "What next": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.context.Execution.Input.end = 'fail' %}", "Next": "Fail"},
                    {"Condition": "{% $states.context.Execution.Input.end = 'pause fails' %}", "Next": "Pause fails"},
                    {"Condition": "{% $states.context.Execution.Input.end = 'die' %}", "Next": "Die"},
                ],
                "Default": "Wait two days",
            },
            "Fail": task({"task": "fail"}, next_state=None),
            "Die": task({"task": "die"}, next_state=None),
            "Pause fails": task({"task": "fail"}, next_state=None, waits=True),
            "Wait two days": task(
                {"task": "pause", "id": given, "token": "{% $states.context.Task.Token %}"}, next_state=None, waits=True
            ),
        },
    }


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}
