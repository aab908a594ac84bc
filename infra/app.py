"""The CDK app: ``waypost synth [-c key=value]… [--output folder]``. Run by the CDK command and by the local tools."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.cx_api import CloudAssembly

from infra.deployment import Deployment
from infra.project import Project
from infra.stack import WaypostStack
from waypost.errors import InvalidInput


def build_app(
    *, project: Project | None = None, context: Mapping[str, Any] | None = None, output: Path | None = None
) -> App:
    """Make the app with its one stack, not yet synthesized.

    ``project`` is found from the current folder unless it is given. ``context`` is added to that of its cdk.json, and the
    CDK command's own context wins over both. Without ``output`` the assembly goes where the CDK command says, or to
    cdk.out. Raises InvalidInput when a choice, a function or a journey is wrong.
    """
    project = project or Project.around(Path.cwd())
    default = None if _run_by_cdk() else str(project.folder / "cdk.out")
    app = App(
        analytics_reporting=False,
        context={**project.choices, **(context or {})},
        outdir=str(output) if output else default,
    )
    WaypostStack(app, deployment=Deployment.from_context(app.node.try_get_context, project=project))
    return app


def synthesize(
    *, project: Project | None = None, context: Mapping[str, Any] | None = None, output: Path | None = None
) -> CloudAssembly:
    """Write the cloud assembly: the template and the assets. Raises as ``build_app`` does."""
    return build_app(project=project, context=context, output=output).synth()


def main(arguments: Sequence[str] | None = None, *, project: Project | None = None) -> int:
    """Synthesize; each mistake in the project is one line of standard error, and gives exit status 1."""
    parser = argparse.ArgumentParser(prog="waypost synth", description="Synthesize the Waypost stack.")
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", type=_pair)
    parser.add_argument("--output", type=Path, help="where the assembly goes (default: cdk.out)")
    options = parser.parse_args(arguments)
    try:
        assembly = synthesize(project=project, context=dict(options.context), output=options.output)
    except InvalidInput as mistake:
        sys.stderr.writelines(f"error: {line}\n" for line in str(mistake).splitlines())
        return 1
    if not _run_by_cdk():  # which shows the messages itself
        for stack in assembly.stacks:
            sys.stderr.writelines(f"{message.level.name.lower()}: {message.entry.data}\n" for message in stack.messages)
    return 0


def _run_by_cdk() -> bool:
    return "CDK_OUTDIR" in os.environ


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (key and separator):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


if __name__ == "__main__":
    raise SystemExit(main())
