"""Ask of every synthesized template what only AWS would say: ``python -m lints.templates``. Run by ``make check``.

cfn-lint knows the schemas of all resource types by region, CloudFormation's limits, and the grammar of state machines (rule
E3601), JSONata's fields included: each compiled definition stands in a template. The ways between its states are followed here.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cfnlint.api import ManualArgs, lint_file

from infra.app import synthesize
from lints.china import project_in_china
from waypost.authoring.graph import scopes, targets

_NO_BUNDLING: Final[dict[str, Any]] = {"aws:cdk:bundling-stacks": []}  # templates need no layers
STAGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "dev": {},
    "prod": {"stage": "prod", "alarm_email": "operators@waypost.example"},
}
REGIONS: Final = ("eu-west-1",)
IN_CHINA: Final = ("cn-north-1", "cn-northwest-1")
_WITHOUT_FINDING: Final = (
    "W3005",  # the CDK names a dependency that a reference implies already
)
_TASKS_IN_CHINA: Final = tuple(
    f"'arn:aws-cn:states:::lambda:invoke{waits}' does not match '^arn:aws:" for waits in ("", ".waitForTaskToken")
)
"""cfn-lint's grammar of state machines knows no other partition; AWS names its integrations ``arn:<partition>:states:::…``.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html"""


def findings(templates: Iterable[Path], regions: Iterable[str] = REGIONS) -> Iterator[str]:
    """What is wrong, a line each: file, rule and reason, which names the region where only one refuses."""
    settings = ManualArgs(regions=list(regions), ignore_checks=list(_WITHOUT_FINDING))
    for template in templates:
        for match in lint_file(template, config=settings):
            if not match.message.startswith(_TASKS_IN_CHINA):
                yield f"{template.name}: {match.rule.id} {match.message}"
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values():
            if resource["Type"] == "AWS::StepFunctions::StateMachine":
                definition = json.loads(resource["Properties"]["DefinitionString"])
                name = resource["Properties"]["StateMachineName"]
                yield from (f"{template.name}: {name}: {reason}" for reason in broken_ways(definition))


def broken_ways(definition: dict[str, Any]) -> Iterator[str]:
    """The ways of a state machine that Step Functions refuses and cfn-lint does not follow."""
    seen: set[str] = set()
    for scope in scopes(definition):
        reached = scope.reachable(scope.start)
        for name, state in scope.states.items():
            yield from (
                f"{name!r} leads to {to!r}, which is not there" for to in targets(state) if to not in scope.states
            )
            if name not in reached:
                yield f"no state leads to {name!r}"
            if name in seen:
                yield f"two states are called {name!r}"
            seen.add(name)


def main() -> int:
    """Synthesize every stage and say what is wrong with its templates; the exit status."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for stage, context in STAGES.items():
            output = Path(scratch) / stage
            synthesize(context={**_NO_BUNDLING, **context}, output=output)
            found += findings(sorted(output.glob("*.template.json")))
        china = project_in_china(Path(scratch) / "china")
        output = china.folder / "cdk.out"
        synthesize(project=china, context={**_NO_BUNDLING, **STAGES["prod"]}, output=output)
        found += findings(sorted(output.glob("*.template.json")), IN_CHINA)
    sys.stderr.writelines(f"error: {line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
