"""Deploys a synthesized stack into the embedded cloud, as CloudFormation would into an account. Called by ``local.cloud.local_cloud``."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.cloud.assembly import Assembly
from local.problems import LocalError

DEPLOY_SECONDS = 120.0
NESTED_STACK = "AWS::CloudFormation::Stack"
_ALARM = "AWS::CloudWatch::Alarm"
_EXPRESSION_ALARM = f"{_ALARM} on metric math"
"""Left out without a note: no alarm rings here."""
_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}

Clients = Callable[[str], Any]


def deploy(assembly: Assembly, clients: Clients, *, region: str, account: str, supported: frozenset[str]) -> list[str]:
    """Create or update the stack; the notes on what had to be left out. Raises LocalError that names what failed."""
    template, notes = _supported_part(assembly.template, supported)
    for asset in assembly.assets:
        bucket = _resolved(asset.bucket, region=region, account=account)
        content = asset.content
        if asset.is_template:  # of a nested stack
            part, left_out = _supported_part(json.loads(asset.content()), supported)
            notes += left_out
            content = json.dumps(part).encode
        _put(clients("s3"), bucket, asset.key, content)
    for parameter in template.get("Parameters", {}).values():
        if parameter.get("Type", "").startswith("AWS::SSM::Parameter"):  # the version of the CDK bootstrap stack
            clients("ssm").put_parameter(Name=parameter["Default"], Value="30", Type="String", Overwrite=True)
    cloudformation = clients("cloudformation")
    bucket = f"cloudformation-templates-{account}"  # a template that comes in the request may have 51,200 bytes only
    clients("s3").create_bucket(Bucket=bucket)
    clients("s3").put_object(Bucket=bucket, Key=f"{assembly.stack}.json", Body=json.dumps(template).encode())
    request = {
        "StackName": assembly.stack,
        "TemplateURL": f"https://s3.amazonaws.com/{bucket}/{assembly.stack}.json",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        cloudformation.create_stack(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise LocalError(f"the stack was refused: {str(error)[:2000]}", "see out/local/cloud.log") from error
        if not _update(cloudformation, request):
            return notes
    _wait(cloudformation, assembly.stack)
    return notes


def outputs(assembly: Assembly, clients: Clients) -> dict[str, str]:
    """The outputs of the deployed stack by name."""
    [stack] = clients("cloudformation").describe_stacks(StackName=assembly.stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def physical_ids(assembly: Assembly, clients: Clients) -> dict[str, list[str]]:
    """Resource type → the physical ids of the resources of that type, in the stack and in its nested stacks."""
    found: dict[str, list[str]] = {}
    waiting = [assembly.stack]
    while waiting:
        pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=waiting.pop())
        for resource in (each for page in pages for each in page["StackResourceSummaries"]):
            found.setdefault(resource["ResourceType"], []).append(resource["PhysicalResourceId"])
            if resource["ResourceType"] == NESTED_STACK:
                waiting.append(resource["PhysicalResourceId"])
    return found


def _put(s3: Any, bucket: str, key: str, content: Callable[[], bytes]) -> None:
    """Put an asset once: its key is the hash of its content."""
    s3.create_bucket(Bucket=bucket)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=content())


def _update(cloudformation: Any, request: Mapping[str, Any]) -> bool:
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise LocalError(
            f"the change was refused: {str(error)[:2000]}", "waypost up --fresh starts from nothing"
        ) from error
    return True


def _wait(cloudformation: Any, stack: str) -> None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    while True:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        status = found["StackStatus"]
        if status in _DONE:
            return
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            reasons = _failures(cloudformation, stack) or [found.get("StackStatusReason", "no reason given")]
            raise LocalError(f"the stack ended as {status}:\n" + "\n".join(reasons), "see out/local/cloud.log")
        time.sleep(0.01)


def _failures(cloudformation: Any, stack: str) -> list[str]:
    """What failed, in the stack and in its nested stacks."""
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    found = [
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
        for event in failed
    ]
    resources = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    inner = [each for each in resources if each["ResourceType"] == NESTED_STACK]
    return found + [line for each in inner for line in _failures(cloudformation, each["PhysicalResourceId"])]


def _resolved(text: str, *, region: str, account: str) -> str:
    for placeholder, value in {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws"}.items():
        text = text.replace("${" + placeholder + "}", value)
    return text


def _supported_part(template: dict[str, Any], supported: frozenset[str]) -> tuple[dict[str, Any], list[str]]:
    """The template without the resources that the embedded cloud does not know, if nothing refers to them."""
    resources: dict[str, Any] = template["Resources"]
    kinds = {name: _kind(resource) for name, resource in resources.items()}
    unknown = {
        name: kind
        for name, kind in kinds.items()
        if kind not in supported and not kind.startswith(("Custom::", "AWS::CloudFormation::"))
    }
    kept = {name: _without_dependency(resource, unknown) for name, resource in resources.items() if name not in unknown}
    for name, kind in unknown.items():
        users = [user for user, resource in kept.items() if _refers(resource, name)]
        if users:
            raise LocalError(
                f"the embedded cloud has no {kind} ({name}), which {', '.join(users)} needs", "leave it out"
            )
    notes = [
        f"the embedded cloud has no {kind}, so {name} is left out"
        for name, kind in unknown.items()
        if kind != _EXPRESSION_ALARM
    ]
    return {**template, "Resources": kept}, notes


def _kind(resource: dict[str, Any]) -> str:
    """The type; an alarm on an expression is a kind of its own, which the embedded cloud does not know."""
    kind = str(resource["Type"])
    return _EXPRESSION_ALARM if kind == _ALARM and "Metrics" in resource["Properties"] else kind


def _without_dependency(resource: dict[str, Any], unknown: Mapping[str, str]) -> dict[str, Any]:
    depends = resource.get("DependsOn")
    if depends is None:
        return resource
    left = [name for name in ([depends] if isinstance(depends, str) else depends) if name not in unknown]
    return {**resource, "DependsOn": left}


def _refers(value: Any, name: str) -> bool:
    match value:
        case {"Ref": target}:
            return bool(target == name)
        case {"Fn::GetAtt": [target, *_]}:
            return bool(target == name)
        case dict():
            return any(_refers(part, name) for part in value.values())
        case list():
            return any(_refers(part, name) for part in value)
        case str():
            return f"${{{name}" in value
        case _:
            return False
