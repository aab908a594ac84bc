"""A function with a bit of everything, to prove the embedded cloud without the product. Deployed by tests of the local tools."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3

TABLE = "tiny"


class NotToday(Exception):
    """Raised on request."""


def handle(event: Any, context: Any) -> Any:
    if "Records" in event:
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if not receive(r)]}
    if "routeKey" in event:
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["QUEUE"],
            MessageBody=event["body"],
            MessageGroupId="one",
            MessageDeduplicationId=event["body"],
        )
        return {"statusCode": 202, "body": "{}"}
    if event.get("detail-type") == "Step Functions Execution Status Change":
        put(f"status#{event['detail']['name']}#{event['detail']['status']}")
    elif "detail-type" in event:
        put(f"event#{event['detail-type']}")
    else:
        tasks = {"pause": pause, "resume": resume, "send": send, "fail": fail, "die": die, "sweep": sweep}
        return tasks[event["task"]](event)
    return None


def receive(record: Any) -> bool:
    message = json.loads(record["body"])
    count = record["attributes"]["ApproximateReceiveCount"]
    put(f"received#{message['id']}#{count}")
    if message.get("fail_first") and count == "1":
        return False
    machine = os.environ["MACHINE"]
    service = boto3.client("stepfunctions")
    with suppress(service.exceptions.ExecutionAlreadyExists):
        service.start_execution(stateMachineArn=machine, name=message["id"], input=record["body"])
    return True


def pause(event: Any) -> None:
    key = f"pause#{event['id']}"
    put(key, token=event["token"])
    at = now() + timedelta(days=2)
    service = boto3.client("scheduler")
    book = partial(
        service.create_schedule,
        Name=event["id"],
        GroupName="tiny",
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        ScheduleExpressionTimezone="UTC",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": os.environ["SELF"],
            "RoleArn": os.environ["ROLE"],
            "Input": json.dumps({"task": "resume", "key": key}),
        },
    )
    with suppress(service.exceptions.ConflictException):
        book()


def resume(event: Any) -> None:
    item = boto3.client("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": event["key"]}})["Item"]
    boto3.client("stepfunctions").send_task_success(
        taskToken=item["token"]["S"], output=json.dumps({"at": now().isoformat()})
    )


def send(event: Any) -> dict[str, str]:
    put(f"sent#{event['id']}")
    answer = boto3.client("sesv2").send_email(
        FromEmailAddress="hello@waypost.example",
        Destination={"ToAddresses": ["lin@example.com"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello Lin"}}}},
        EmailTags=[{"Name": "message_key", "Value": event["id"]}],
    )
    return {"message_id": answer["MessageId"], "at": now().isoformat()}


def fail(event: Any) -> None:
    raise NotToday("no")


def die(event: Any) -> None:
    os._exit(1)


def sweep(event: Any) -> None:
    put(f"sweep#{now():%Y-%m-%dT%H:%M}")


def now() -> datetime:
    line = Path(os.environ["WAYPOST_CLOCK_FILE"]).read_text().strip()
    if line.startswith("+"):
        return datetime.now(UTC) + timedelta(seconds=float(line))
    return datetime.fromisoformat(line)


def put(key: str, **attributes: str) -> None:
    item = {"pk": {"S": key}, "at": {"S": now().isoformat()}} | {
        name: {"S": value} for name, value in attributes.items()
    }
    boto3.client("dynamodb").put_item(TableName=TABLE, Item=item)
