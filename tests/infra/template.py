"""A synthesized template, asked by resource type. Used by the tests of the infrastructure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
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


def whole(folder: Path, stack: str) -> Template:
    """The template of a stack in a cloud assembly, with what its nested stacks hold as if it stood in it."""
    content = read_json(folder / f"{stack}.template.json")
    content["Resources"] = dict(_resources(folder, content))
    return Template(content)


def nested(folder: Path, content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Logical id → template of the nested stacks that a template refers to."""
    [listing] = folder.glob("*.assets.json")
    files = read_json(listing)["files"]
    urls = {
        name: plain(resource["Properties"]["TemplateURL"])
        for name, resource in content["Resources"].items()
        if resource["Type"] == "AWS::CloudFormation::Stack"
    }
    paths = {name: files[url.rpartition("/")[2].removesuffix(".json")]["source"]["path"] for name, url in urls.items()}
    return {name: read_json(folder / path) for name, path in paths.items()}


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _resources(folder: Path, content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each resource; in those of a nested stack, its parameters are replaced by what they are given."""
    inner = nested(folder, content)
    seen = set(content["Resources"])
    yield from ((name, each) for name, each in content["Resources"].items() if name not in inner)
    for stack, template in inner.items():
        given = content["Resources"][stack]["Properties"].get("Parameters", {})
        for name, resource in _resources(folder, template):
            assert name not in seen, f"two resources are called {name}"
            seen.add(name)
            yield name, _replaced(resource, given)


def _replaced(value: Any, given: Mapping[str, Any]) -> Any:
    match value:
        case {"Ref": str(name)} if name in given:
            return given[name]
        case dict():
            return {name: _replaced(each, given) for name, each in value.items()}
        case list():
            return [_replaced(each, given) for each in value]
        case _:
            return value


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
