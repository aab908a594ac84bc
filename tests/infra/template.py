"""A synthesized template, asked by resource type. Used by the tests of the infrastructure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

NO_BUNDLING: dict[str, Any] = {"aws:cdk:bundling-stacks": []}


@dataclass(frozen=True)
class Template:
    """A CloudFormation template, asked by resource type."""

    content: Mapping[str, Any]

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → properties of every ``AWS::<kind>``."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.content["Resources"].items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def one(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The properties of the only ``AWS::<kind>`` that has these properties."""
        [found] = [
            properties
            for properties in self.all(kind).values()
            if all(properties.get(name) == value for name, value in wanted.items())
        ]
        return found

    def resource(self, kind: str) -> dict[str, Any]:
        """The only resource of this type, with its policies."""
        [found] = [found for found in self.content["Resources"].values() if found["Type"] == f"AWS::{kind}"]
        return dict(found)

    def functions(self) -> dict[str, dict[str, Any]]:
        """Folder under functions/ → properties of its function."""
        return {
            properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: properties
            for properties in self.all("Lambda::Function").values()
        }

    def statements(self, role: str) -> Iterator[dict[str, Any]]:
        """What the policies of the role with this logical id say."""
        for policy in self.all("IAM::Policy").values():
            if {"Ref": role} in policy["Roles"]:
                yield from policy["PolicyDocument"]["Statement"]
        for policy in self.all("IAM::Role")[role].get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def plain(value: Any) -> str:
    """A template value as text, with the name of what it refers to in angle brackets."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(plain(part) for part in parts)
        case _:
            return str(value)


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


class Synthesizer(Protocol):
    """Synthesizes the project with more context, and gives the template."""

    def __call__(self, **context: Any) -> Template: ...
