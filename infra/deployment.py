"""What one deployment of Waypost is: its stage, its names and its choices, read from the CDK context by the app."""

import math
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aws_cdk import RemovalPolicy

from infra.partition import chosen_partition
from infra.project import Project
from waypost.authoring.functions import discover_functions
from waypost.errors import InvalidInput
from waypost.journeys.resume_journey import EXPRESS_STARTS, STARTS_A_SECOND

STAGES = ("dev", "prod")
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
ARCHITECTURES = ("arm64", "x86_64")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_CERTIFICATE: Final = re.compile(r"arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+")
API_QUOTA: Final = 10_000
"""Requests a second of all HTTP APIs of an account, by default.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
MOST_READERS: Final = 1_000
"""Invocations at a time of all functions of an account, by default; a queue takes no limit below two.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The choices of one deployment.

    ``root`` is the product's folder, which holds functions/, layers/ and requirements/; ``content`` is the company's, which
    holds statemachines/. Built layers are kept in ``layer_cache``.

    ``partition`` is where it goes, ``aws`` or ``aws-cn``: of the region that the CDK command deploys to, unless it is chosen.
    ``for_this_machine`` says that the functions will run under the interpreter of this process (the embedded cloud).
    ``alarm_email`` receives the alarms; empty sends none. ``protected`` guards what production may not lose against deletion;
    ``waypost deploy`` leaves it off until a first deployment has succeeded. ``public_domain`` (``go.acme.example``) stands in
    the links of sent messages in place of the API's own name; with ``public_certificate``, the ARN of its certificate, the stack
    connects it to the API. What a channel needs is read by ``channels/<name>/infra.py``.
    ``trace_rate`` is the share of executions that X-Ray records. ``requests_per_second`` limits each route of senders,
    ``pages_per_second`` each route of people, so that a flood of the first leaves the second alone.
    ``reserved_concurrency`` maps folders of functions to the invocations that are theirs and no more than theirs;
    ``fixed_ip`` has the functions that call providers do so from one address (``infra/constructs/egress.py``).
    ``readers`` how many events of different contacts are routed at a time; docs/operating.md has the arithmetic.
    """

    root: Path
    content: Path
    layer_cache: Path
    stage: str = "dev"
    partition: str = "aws"
    runtime: str = "python3.13"
    architecture: str = "arm64"
    for_this_machine: bool = False
    alarm_email: str = ""
    protected: bool = True
    public_domain: str = ""
    public_certificate: str = ""
    trace_rate: float = 0.001
    requests_per_second: int = 500
    pages_per_second: int = 100
    reserved_concurrency: Mapping[str, int] = field(default_factory=dict)
    readers: int = 100
    fixed_ip: bool = False

    @classmethod
    def from_context(cls, context: Callable[[str], Any], *, project: Project) -> "Deployment":
        """Read the choices from the CDK context. Raises InvalidInput that names the key and what it may be."""

        def chosen(key: str, default: str, allowed: tuple[str, ...] = ()) -> str:
            value = context(key)
            text = default if value is None else str(value)
            if allowed and text not in allowed:
                raise InvalidInput(f"context {key}", f"must be one of {', '.join(allowed)}, not {text!r}")
            return text

        def matched(key: str, form: re.Pattern[str], wanted: str) -> str:
            text = chosen(key, "")
            if text and not form.fullmatch(text):
                raise InvalidInput(f"context {key}", f"must be {wanted}, not {text!r}")
            return text

        def number(key: str, default: float, lowest: float, highest: float) -> float:
            text = chosen(key, str(default))
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not lowest <= value <= highest or (isinstance(default, int) and not value.is_integer()):
                kind = "a whole number" if isinstance(default, int) else "a number"
                raise InvalidInput(f"context {key}", f"must be {kind} from {lowest:,} to {highest:,}, not {text!r}")
            return value

        if chosen("public_certificate", "") and not chosen("public_domain", ""):
            raise InvalidInput("context public_certificate", "needs the public_domain that it is of")
        try:
            partition = chosen_partition(context("partition"), os.environ.get("CDK_DEFAULT_REGION", ""))
        except ValueError as error:
            raise InvalidInput("context partition", str(error)) from None
        for_this_machine = chosen("target", "lambda", ("lambda", "host")) == "host"
        return cls(
            root=project.product,
            content=project.content_at(context("content")),
            layer_cache=project.out / "layers",
            stage=chosen("stage", cls.stage, STAGES),
            partition=partition,
            runtime=host_runtime() if for_this_machine else chosen("runtime", cls.runtime, RUNTIMES),
            architecture=host_architecture()
            if for_this_machine
            else chosen("architecture", cls.architecture, ARCHITECTURES),
            for_this_machine=for_this_machine,
            alarm_email=chosen("alarm_email", ""),
            public_domain=matched("public_domain", _DOMAIN, "a domain of its own, such as go.acme.example"),
            public_certificate=matched("public_certificate", _CERTIFICATE, "the ARN of a certificate of ACM"),
            protected=chosen("protected", "yes", ("yes", "no")) == "yes",
            trace_rate=number("trace_rate", cls.trace_rate, 0, 1),
            requests_per_second=int(number("requests_per_second", cls.requests_per_second, 1, API_QUOTA)),
            pages_per_second=int(number("pages_per_second", cls.pages_per_second, 1, API_QUOTA)),
            reserved_concurrency=_reserved(chosen("reserved_concurrency", "")),
            readers=int(number("readers", cls.readers, 2, MOST_READERS)),
            fixed_ip=chosen("fixed_ip", "no", ("yes", "no")) == "yes",
        )

    @property
    def is_production(self) -> bool:
        """Whether data must outlive the stack."""
        return self.stage == "prod"

    @property
    def is_protected(self) -> bool:
        """Whether AWS refuses to delete the stack and its tables."""
        return self.is_production and self.protected

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of data when the stack goes. A creation that is rolled back keeps nothing: kept names would block the next.

        Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
        (RetainExceptOnCreate)
        """
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.is_production else RemovalPolicy.DESTROY

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


def _reserved(text: str) -> dict[str, int]:
    """``send_message=50, unsubscribe_contact=10`` as a mapping. Raises InvalidInput."""
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, count = (piece.strip() for piece in part.partition("="))
        if name not in discover_functions() or not count.isdecimal() or not 1 <= int(count) <= MOST_READERS:
            wanted = f"functions with a number from 1 to {MOST_READERS:,}, such as send_message=50"
            raise InvalidInput("context reserved_concurrency", f"must be {wanted}, not {part!r}")
        if name == "resume_journey" and int(count) * STARTS_A_SECOND > EXPRESS_STARTS:
            most = EXPRESS_STARTS // STARTS_A_SECOND
            wanted = f"at most {most} for resume_journey: each call starts {STARTS_A_SECOND} hops a second"
            raise InvalidInput("context reserved_concurrency", f"must be {wanted}, not {part!r}")
        found[name] = int(count)
    return found
