"""What one deployment of Waypost is: its stage, its names and its choices, read from the CDK context by the app."""

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.project import Project
from waypost.errors import InvalidInput

STAGES = ("dev", "prod")
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
ARCHITECTURES = ("arm64", "x86_64")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The choices of one deployment.

    ``root`` is the product's folder, which holds functions/, layers/ and requirements/; ``content`` is the company's, which
    holds statemachines/. Built layers are kept in ``layer_cache``.

    ``for_this_machine`` says that the functions will run under the interpreter of this process (the embedded cloud).
    ``alarm_email`` receives the alarms; empty sends none. What a channel needs is read by ``channels/<name>/infra.py``.
    """

    root: Path
    content: Path
    layer_cache: Path
    stage: str = "dev"
    runtime: str = "python3.13"
    architecture: str = "arm64"
    for_this_machine: bool = False
    alarm_email: str = ""

    @classmethod
    def from_context(cls, context: Callable[[str], Any], *, project: Project) -> "Deployment":
        """Read the choices from the CDK context. Raises InvalidInput that names the key and what it may be."""

        def chosen(key: str, default: str, allowed: tuple[str, ...] = ()) -> str:
            value = context(key)
            text = default if value is None else str(value)
            if allowed and text not in allowed:
                raise InvalidInput(f"context {key}", f"must be one of {', '.join(allowed)}, not {text!r}")
            return text

        for_this_machine = chosen("target", "lambda", ("lambda", "host")) == "host"
        return cls(
            root=project.product,
            content=project.content_at(context("content")),
            layer_cache=project.out / "layers",
            stage=chosen("stage", cls.stage, STAGES),
            runtime=host_runtime() if for_this_machine else chosen("runtime", cls.runtime, RUNTIMES),
            architecture=host_architecture()
            if for_this_machine
            else chosen("architecture", cls.architecture, ARCHITECTURES),
            for_this_machine=for_this_machine,
            alarm_email=chosen("alarm_email", ""),
        )

    @property
    def is_production(self) -> bool:
        """Whether data must outlive the stack."""
        return self.stage == "prod"

    @property
    def name(self) -> str:
        """The prefix of every name: ``waypost-dev``."""
        return f"waypost-{self.stage}"

    @property
    def metrics_namespace(self) -> str:
        """Where this stage's own metrics go: ``Waypost/dev``."""
        return f"Waypost/{self.stage}"

    def function_name(self, folder: str) -> str:
        """The Lambda function of a folder under functions/: ``waypost-dev-send-message``."""
        return f"{self.name}-{folder.replace('_', '-')}"

    def state_machine_name(self, folder: str) -> str:
        """The state machine of a folder under statemachines/journeys/: ``waypost-dev-<folder>``."""
        return f"{self.name}-{folder}"


def host_runtime() -> str:
    """The Lambda runtime that this interpreter is."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def host_architecture() -> str:
    """The Lambda architecture of this machine."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
