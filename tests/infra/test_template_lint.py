"""What AWS would refuse is found before: a mistake in a template or in a state machine, a limit, a region without a service."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lints.templates import findings
from tests.infra.template import Template

Resources = dict[str, dict[str, Any]]
END = {"Type": "Pass", "End": True}


def one_of_each(template: Template) -> Resources:
    """A function and a machine of the stack."""
    kinds = {resource["Type"]: name for name, resource in template.content["Resources"].items()}
    names = [kinds[f"AWS::{kind}"] for kind in ("Lambda::Function", "StepFunctions::StateMachine")]
    found: Resources = json.loads(json.dumps({name: template.content["Resources"][name] for name in names}))
    return found


def with_definition(change: Callable[[dict[str, Any]], None]) -> Callable[[Resources], None]:
    """Change the definition of a machine."""

    def changed(resources: Resources) -> None:
        machine = next(each for each in resources.values() if each["Type"] == "AWS::StepFunctions::StateMachine")
        definition = json.loads(machine["Properties"]["DefinitionString"])
        change(definition)
        machine["Properties"]["DefinitionString"] = json.dumps(definition)

    return changed


def first_state(definition: dict[str, Any]) -> dict[str, Any]:
    """The state that a definition starts with."""
    state: dict[str, Any] = definition["States"][definition["StartAt"]]
    return state


def other_property(resources: Resources) -> None:
    """A slip in the name of a property."""
    function = next(each for each in resources.values() if each["Type"] == "AWS::Lambda::Function")
    function["Properties"]["Timout"] = 30


def too_many(resources: Resources) -> None:
    """More resources than a stack may have."""
    resources.update({f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(500)})


@pytest.mark.parametrize(
    ("change", "reason", "region"),
    [
        (with_definition(lambda machine: machine.update(StartAt="Nowhere")), "E3601", "eu-west-1"),
        (with_definition(lambda machine: first_state(machine).update(Type="Tsak")), "E3601", "cn-north-1"),
        (
            with_definition(lambda machine: first_state(machine).update(Default="Nowhere")),
            "leads to 'Nowhere'",
            "eu-west-1",
        ),
        (
            with_definition(lambda machine: machine["States"].update(Alone=END)),
            "no state leads to 'Alone'",
            "eu-west-1",
        ),
        (other_property, "E3002", "eu-west-1"),
        (too_many, "E3010", "eu-west-1"),
        (lambda resources: resources.update(Pages={"Type": "AWS::Lightsail::Bucket"}), "E3006", "cn-north-1"),
    ],
)
def test_a_mistake_is_found(
    template: Template, tmp_path: Path, change: Callable[[Resources], None], reason: str, region: str
) -> None:
    resources = one_of_each(template)
    change(resources)
    file = tmp_path / "changed.template.json"
    file.write_text(json.dumps({"Resources": resources}), encoding="utf-8")

    assert [line for line in findings([file], [region]) if reason in line]
