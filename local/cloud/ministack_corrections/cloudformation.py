"""CloudFormation: resources it creates, or refuses, that MiniStack's does not. Applied by ``install``."""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import json
import string
from typing import Any

from ministack.services import cloudformation, eventbridge, scheduler, stepfunctions
from ministack.services.cloudformation import provisioners

from local.cloud.ministack_corrections.replacing import Function, replace


def correct() -> None:
    """Apply the corrections of this service."""
    _provision_archives()
    _provision_api_destinations()
    _provision_schedules_in_their_zone()
    _generate_secrets_as_asked()
    _refuse_machines_with_broken_expressions()
    _keep_attributes_in_nested_stacks()


def _provision_archives() -> None:
    """CloudFormation creates event archives; MiniStack has the service but not the resource type."""

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        name = properties.get("ArchiveName") or provisioners._physical_name(stack, logical_id, max_len=48)
        pattern = properties.get("EventPattern") or ""
        request = {
            "ArchiveName": name,
            "EventSourceArn": properties["SourceArn"],
            "Description": properties.get("Description", ""),
            "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
            "RetentionDays": int(properties.get("RetentionDays") or 0),
        }
        status, _, body = eventbridge._create_archive(request)
        if status != 200:
            raise ValueError(body.decode())
        return name, {"Arn": json.loads(body)["ArchiveArn"], "ArchiveName": name}

    def delete(physical_id: str, _: Any) -> None:
        eventbridge._delete_archive({"ArchiveName": physical_id})

    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::Archive", {"create": create, "delete": delete})


def _provision_api_destinations() -> None:
    """CloudFormation creates connections and API destinations; MiniStack has the services but not the resource types."""

    def provision(kind: str, create: Function, delete: Function) -> dict[str, Function]:
        def made(logical_id: str, properties: Any, stack: str) -> Any:
            name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
            status, _, body = create({**properties, "Name": name})
            if status != 200:
                raise ValueError(body.decode())
            answer = json.loads(body)
            return name, {"Arn": answer[f"{kind}Arn"], "ArnForPolicy": answer[f"{kind}Arn"]}

        def removed(physical_id: str, _: Any) -> None:
            delete({"Name": physical_id})

        return {"create": made, "delete": removed}

    connections = provision("Connection", eventbridge._create_connection, eventbridge._delete_connection)
    destinations = provision("ApiDestination", eventbridge._create_api_destination, eventbridge._delete_api_destination)
    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::Connection", connections)
    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::ApiDestination", destinations)


def _provision_schedules_in_their_zone() -> None:
    """MiniStack's CloudFormation forgets the time zone of a schedule, and what is to happen after its last time."""

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=64)
        status, _, body = scheduler._create_schedule(name, properties)
        if status != 200:
            raise ValueError(body.decode())
        return name, {"Arn": json.loads(body)["ScheduleArn"]}

    provisioners._RESOURCE_HANDLERS["AWS::Scheduler::Schedule"]["create"] = create


def _generate_secrets_as_asked() -> None:
    """A secret without punctuation has none; MiniStack's CloudFormation knows only single characters to leave out."""

    def asked(original: Function) -> Function:
        def secret(properties: Any) -> Any:
            wanted = properties.get("GenerateSecretString")
            if wanted and wanted.get("ExcludePunctuation"):
                left_out = wanted.get("ExcludeCharacters", "") + string.punctuation
                properties = {**properties, "GenerateSecretString": {**wanted, "ExcludeCharacters": left_out}}
            return original(properties)

        return secret

    replace(provisioners, "_sm_secret_string", asked)


def _refuse_machines_with_broken_expressions() -> None:
    """Step Functions refuses a definition with a JSONata mistake; MiniStack's CloudFormation takes it."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    original = handlers["create"]

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        if mistake := stepfunctions._validate_definition_jsonata(provisioners._sfn_definition(properties)):
            raise ValueError(mistake)
        return original(logical_id, properties, stack)

    handlers["create"] = create


def _keep_attributes_in_nested_stacks() -> None:
    """An update leaves a resource that did not change as it is; in a nested stack, MiniStack's forgets its attributes."""

    def remembering(original: Function) -> Function:
        def update(
            resource_type: str,
            physical_id: str,
            old: Any,
            new: Any,
            stack: str,
            logical_id: str | None = None,
            attributes: Any = None,
        ) -> Any:
            if attributes is None:
                known = cloudformation._stacks.get(stack, {}).get("_resources", {}).get(logical_id, {})
                attributes = known.get("Attributes")
            return original(resource_type, physical_id, old, new, stack, logical_id, attributes)

        return update

    replace(provisioners, "_update_resource", remembering)
