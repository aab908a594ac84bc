"""What each role may do, a line per right: read from the template, and from what ``function.yaml`` says. Used by the tests."""

import json
import re
from collections.abc import Iterator

from infra.project import ROOT
from tests.infra.template import Template, listed, plain
from waypost.authoring.functions import WITHOUT_WAITING, Caller, FunctionFolder
from waypost.contacts.channels import CHANNELS

_HASH = re.compile(r"[0-9A-F]{8}(?=[>.])")
_ARN = re.compile(r"^arn:<AWS::Partition>:([a-z-]+):<AWS::Region>:<AWS::AccountId>:")

TABLE, PROFILES, BUCKET, STAGE = "<ContactsTable.Arn>", "<ContactsProfiles.Arn>", "<FilesBucket.Arn>", "waypost-dev"
SECRETS = {
    "webhooks": "<SecretsWebhooks>",
    "links": "<SecretsLinks>",
    "channels": "<ChannelsWechatSecret>",
    "destinations": "secretsmanager:secret:waypost/dev/destinations/*",
}
SECRETS_BY_SETTING = {
    "webhook_secrets": SECRETS["webhooks"],
    "link_secret": SECRETS["links"],
    "webhook_secret": "<ChannelsWebhookSecret>",
    "wechat_secret": "<ChannelsWechatSecret>",
    "wecom_secret": "<ChannelsWecomSecret>",
    "robot_secret": "<ChannelsRobotSecret>",
    "destination_secrets": SECRETS["destinations"],
}
QUEUES_BY_SETTING = {
    "events_queue_url": "<EventsQueue.Arn>",
    "events_dead_letters_url": "<EventsDeadLetters.Arn>",
    "rejected_items_url": "<EventsRejectedItems.Arn>",
    "notices_url": "<ChannelsNotices.Arn>",
    "person_syncs_url": "<PersonSyncsQueue.Arn>",
    "destination_queues": f"sqs:{STAGE}-to-*",
}
ASKS = {
    "codes": [
        f"secretsmanager:GetSecretValue on {SECRETS_BY_SETTING[name]}" for name in ("wechat_secret", "wecom_secret")
    ],
    "people": [
        f"secretsmanager:GetSecretValue on {SECRETS_BY_SETTING[name]}" for name in ("wechat_secret", "wecom_secret")
    ],
    "results": [f"secretsmanager:GetSecretValue on {SECRETS_BY_SETTING['wecom_secret']}"],
    "staff": [f"secretsmanager:GetSecretValue on {SECRETS_BY_SETTING['wecom_secret']}"],
}
QUEUES = {
    "person_syncs": ["sqs:SendMessage on <PersonSyncsQueue.Arn>"],
    "notices": ["sqs:SendMessage on <ChannelsNotices.Arn>"],
    "events": ["sqs:SendMessage on <EventsQueue.Arn>"],
    "events_dead_letters": ["sqs:SendMessage on <EventsDeadLetters.Arn>"],
    "rejected_items": ["sqs:SendMessage on <EventsRejectedItems.Arn>"],
    "destinations": [
        f"sqs:{action} on sqs:{STAGE}-to-*" for action in ("GetQueueUrl", "ChangeMessageVisibility", "SendMessage")
    ],
}
CHANNEL_FOLDERS = ROOT / "layers" / "waypost" / "python" / "waypost" / "channels"
"""Each channel's folder says what it may do, in ``samples/rights.txt``."""
SENDS = {
    "channels": [
        line
        for channel in CHANNELS
        for line in (CHANNEL_FOLDERS / channel / "samples" / "rights.txt").read_text(encoding="utf-8").splitlines()
    ],
    "event_bus": ["events:PutEvents on <Bus.Arn>"],
}
CALLERS: dict[Caller, list[str]] = {
    "events_queue": [
        f"sqs:{action} on <EventsQueue.Arn>"
        for action in (
            "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
        )
    ],
    "channel_notices": [
        f"sqs:{action} on <ChannelsNotices.Arn>"
        for action in (
            "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
        )
    ],
    "deferred_messages": [
        f"sqs:{action} on <DeferredMessagesQueue.Arn>"
        for action in (
            "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
        )
    ],
    "person_syncs": [
        f"sqs:{action} on <PersonSyncsQueue.Arn>"
        for action in (
            "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
        )
    ],
    "contacts_stream": [
        f"dynamodb:{action} on <ContactsTable.StreamArn>"
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    ] + ["sqs:SendMessage on <ArchiveLost.Arn>"],
}  # fmt: skip
"""What Lambda itself needs of the role, to fetch what it hands to the function; a caller that pushes needs nothing."""
KEEPS_FAILURES = [
    f"sqs:{action} on <UndeliveredQueue.Arn>" for action in ("SendMessage", "GetQueueAttributes", "GetQueueUrl")
]


def granted(template: Template, folder: str) -> set[str]:
    """What the role of a function may do: ``sqs:SendMessage on <EventsQueue.Arn>``."""
    role = template.functions()[folder]["Role"]["Fn::GetAtt"][0]
    return {line for statement in template.statements(role) for line in _lines(statement)}


def _lines(statement: dict[str, object]) -> Iterator[str]:
    condition = statement.get("Condition")
    when = f" when {json.dumps(condition, sort_keys=True)}" if condition else ""
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            where = _ARN.sub(r"\1:", _HASH.sub("", plain(resource)))
            yield f"{action} on {where}{when}"


def declared(function: FunctionFolder) -> set[str]:
    """What ``function.yaml`` says the function needs, in the same words."""
    return {*base(function), *_contacts(function), *_files(function), *_others(function)}


def base(function: FunctionFolder) -> Iterator[str]:
    """What Lambda itself needs of the role: logs, traces, and what it fetches for the function."""
    for action in ("CreateLogStream", "PutLogEvents"):
        yield f"logs:{action} on <{function.placeholder}Logs.Arn>"
    for action in ("PutTraceSegments", "PutTelemetryRecords"):
        yield f"xray:{action} on *"
    for caller in function.manifest.called_by:
        yield from CALLERS.get(caller, [])
    if WITHOUT_WAITING.intersection(function.manifest.called_by):
        yield from KEEPS_FAILURES


def _contacts(function: FunctionFolder) -> Iterator[str]:
    for part in (function.manifest.reads, function.manifest.writes):
        limit = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [part.keys]}}
        for action in part.contacts:
            yield f"dynamodb:{action} on {TABLE}" + (f" when {json.dumps(limit)}" if part.keys else "")
            if not part.keys:
                yield f"dynamodb:{action} on {PROFILES}"
    yield from (f"dynamodb:{action} on {TABLE}/index/due" for action in function.manifest.reads.due)
    yield from (f"dynamodb:{action} on {PROFILES}" for action in function.manifest.reads.profiles)


def _files(function: FunctionFolder) -> Iterator[str]:
    reads, writes = function.manifest.reads, function.manifest.writes
    for actions, prefixes in (
        (["GetObject"], reads.files),
        (["PutObject"], writes.files),
        (["PutObject", "AbortMultipartUpload"], writes.uploads),
        (["PutObject", "PutObjectTagging"], writes.tagged_files),
    ):
        for action in actions:
            for prefix in prefixes:
                yield f"s3:{action} on {BUCKET}/{prefix}*"
    if reads.files:
        limit = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in reads.files]}}
        yield f"s3:ListBucket on {BUCKET} when {json.dumps(limit)}"


def _others(function: FunctionFolder) -> Iterator[str]:
    manifest = function.manifest
    for secret in manifest.reads.secrets:
        yield f"secretsmanager:GetSecretValue on {SECRETS[secret]}"
    for queue in manifest.queues:
        yield from QUEUES[queue]
    for target in manifest.sends:
        yield from SENDS[target]
    for asked in manifest.asks:
        yield from ASKS[asked]
    for action in manifest.schedules:
        yield f"scheduler:{action} on scheduler:schedule/{STAGE}/*"
    if {"CreateSchedule", "UpdateSchedule"}.intersection(manifest.schedules):
        limit = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
        yield f"iam:PassRole on <SchedulesRole.Arn> when {json.dumps(limit)}"
    yield from (
        f"states:{action} on states:stateMachine:{STAGE}-*" for action in (*manifest.journeys, *manifest.operations)
    )
