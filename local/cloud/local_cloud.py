"""The embedded cloud: the synthesized template of this project, deployed on this machine. Used by tests, rehearsals and the CLI."""

import json
import os
import secrets
import shutil
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import boto3
import yaml
from botocore.config import Config

from infra.project import Project
from local.cloud import assembly as assemblies
from local.cloud import deployment
from local.cloud.emulator_process import EmulatorProcess, free_port
from local.cloud.time_travel import TimeTravel, VirtualClock
from local.journeys import journey_changes
from local.journeys.stage import Stage, kept_by, operator, stage_of
from local.project.current_project import current_project
from local.providers.server import CALLED, Providers, credentials, pass_on_to
from local.running.tracking import Tracking
from waypost.authoring.sending_policy import SENDING_RULES
from waypost.journeys.changes.change import Change
from waypost.journeys.machine_versions import journey_and_version

REGION = "us-east-1"
ACCOUNT = "000000000000"
START = datetime(2031, 3, 3, 1, 0, tzinfo=UTC)
"""A Monday morning in Shanghai, far enough ahead that nothing on it is ever due by the real clock."""
SOURCES = ("shop", "crm")
"""The webhook sources that get a secret; any other can be added to the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a client reaches the deployed system: what ``waypost up`` writes to ``out/local.json``."""

    api_url: str
    write_key: str
    server_key: str
    webhook_sources: dict[str, str]
    endpoint_url: str
    region: str
    state_machines: dict[str, str]
    contacts_table: str
    stage: str
    outputs: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


class LocalCloud:
    """A context manager that starts everything and ends everything.

    ``folder`` holds its state, log and clock; with ``keeps_state`` what is there is taken up again. ``start`` is the
    virtual time at the first start; ``runs`` lets time pass by itself from there. ``project`` is found from the current
    folder unless it is given; ``assembly`` is what to deploy, if not that project. ``progress`` is called with each step.
    """

    def __init__(
        self,
        folder: Path,
        *,
        project: Project | None = None,
        assembly: assemblies.Assembly | None = None,
        start: datetime = START,
        runs: bool = False,
        keeps_state: bool = False,
        delivery_events: bool = False,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self._given = assembly
        self._start = start
        self._runs = runs
        self._keeps_state = keeps_state
        self._progress = progress
        self._stack = ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        if not keeps_state:
            shutil.rmtree(folder)
            folder.mkdir()
        self.project = project or current_project()
        self._stage = self.project.stage
        kept = folder / "kept.json"
        self._kept: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        self.clock = VirtualClock(folder / "clock")
        self.emulator = EmulatorProcess(
            folder,
            code_cache=self.project.out / "code",
            keeps_state=keeps_state,
            port=self._kept.get("port", 0),
        )
        self.providers = Providers(
            clock=self.clock.now,
            pass_on=pass_on_to(self.emulator.url),
            publish_events=self.emulator.put_events,
            publish_to_topic=self.emulator.publish_to_topic,
            delivery_events=delivery_events,
            port=self._kept.get("provider_port") or free_port(),
            kept_in=folder / "provider-calls.jsonl" if keeps_state else None,
        )
        self.time = TimeTravel(self.clock, self.emulator, rest=self.providers.rest)
        self.assembly: assemblies.Assembly
        self.access: Access

    def __enter__(self) -> Self:
        try:
            if not self._keeps_state:
                self._launch()  # beside the synthesis; with a state to lose, not before it
            if self._given is None:
                self._progress("synthesizing the CDK app")
            self.assembly = self._given or assemblies.synthesize(self.project, self.project.out / "assembly")
            if self._keeps_state:
                self._launch()
            self._progress("starting the embedded cloud")
            self.emulator.await_answer()
            changes = self._plan_changes()
            self._progress("deploying the template")
            self._deploy()
            self.emulator.take_up_work()
            self._apply_changes(changes)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start_emulator(self) -> None:
        """Start the emulator's process again after ``emulator.stop`` or ``emulator.kill``, if it keeps its state."""
        self.emulator.start(self._variables)
        self.emulator.take_up_work()

    def _launch(self) -> None:
        """Start the clock, the providers and the emulator's process."""
        self._start_clock()
        self._stack.enter_context(self.providers)
        self.providers.learn(self.project.statemachines)
        self._stack.callback(self.emulator.stop)
        self.emulator.launch(self._variables)

    @property
    def _variables(self) -> dict[str, str]:
        return {
            "WAYPOST_CLOCK_FILE": str(self.clock.path.resolve()),
            "WAYPOST_LOOPBACK_RECEIVERS": "yes",
            "WAYPOST_CALLED_WEBHOOKS": f"{self.providers.url}{CALLED}".rstrip("/"),
            **self.providers.endpoints,
        }

    def remember(self) -> None:
        """Keep the state of this moment for ``reset``."""
        self.time.settle()
        self.emulator.remember()

    def reset(self, start: datetime = START) -> None:
        """Bring the state back that ``remember`` kept, with the clock at ``start`` and no message sent."""
        self.providers.clear_faults()
        self.time.settle()
        self.emulator.bring_back()
        self.providers.forget()
        self.clock.stop_at(start)

    def client(self, service: str) -> Any:
        """A boto3 client of a service of the embedded cloud."""
        return client(service, self.emulator.url)

    @property
    def tracking(self) -> Tracking:
        """A sender to the deployed webhooks."""
        return Tracking(self.access.api_url, self.access.server_key, self.access.webhook_sources)

    @property
    def default_zone(self) -> ZoneInfo:
        """The zone of contacts that have none."""
        return default_zone(self.project)

    def _start_clock(self) -> None:
        if not (self._keeps_state and self.clock.path.exists()):
            (self.clock.run_from if self._runs else self.clock.stop_at)(self._start)

    def _settle(self) -> None:
        self.time.settle()

    @property
    def _journey_stage(self) -> Stage | None:
        """The stage as changes of journeys reach it; None before the first deployment."""
        return stage_of(
            f"waypost-{self._stage}", self.client, clock=self.clock.now, by=operator(), kept=kept_by(self.project)
        )

    def _plan_changes(self) -> list[Change]:
        """What this deployment does with the contacts in its journeys. Raises LocalError when one of them would be lost."""
        stage = self._journey_stage if self._keeps_state and self._given is None else None
        if stage is None or self._kept.get("assembly") == self.assembly.digest:
            return []
        plan = journey_changes.plan(self.project, stage, lambda _: None)
        plan.raise_refusals()
        journey_changes.record(plan.changes, stage)
        return plan.changes

    def _apply_changes(self, planned: list[Change]) -> None:
        """Take the contacts along, and those whom a start that died has left."""
        stage = self._journey_stage if self._keeps_state and self._given is None else None
        if stage is None:
            return
        decided = {change.id: change for change in [*journey_changes.unfinished(stage), *planned]}
        if decided:
            self._progress(f"taking the contacts of {', '.join(each.journey for each in decided.values())} along")
            journey_changes.apply([*decided.values()], stage, progress=lambda _: None, wait=self._settle)
        self.emulator.snapshot()
        self._keep({**self._kept, "assembly": self.assembly.digest})

    def _deploy(self) -> None:
        self.notes = deployment.deploy(
            self.assembly,
            self.client,
            region=REGION,
            account=ACCOUNT,
            supported=self.emulator.resource_types(),
        )
        resources = deployment.physical_ids(self.assembly, self.client)
        [api] = resources["AWS::ApiGatewayV2::Api"]
        api_url = f"{self.emulator.url}/_aws/execute-api/{api}"
        outputs = deployment.outputs(self.assembly, self.client)
        self._verify(outputs.get("EmailIdentity"))
        keys = self._allow_in()
        self._log_in(outputs)
        self._point_links_here(resources["AWS::Lambda::Function"], api_url)
        self.access = Access(
            api_url=api_url,
            endpoint_url=self.emulator.url,
            region=REGION,
            state_machines=self._state_machines(),
            contacts_table=f"waypost-{self._stage}-contacts",
            stage=self._stage,
            outputs=outputs,
            **keys,
        )
        self.providers.api_url = api_url
        self.emulator.snapshot()
        self._keep({**self._kept, "port": self.emulator.port, "provider_port": self.providers.port, **keys})

    def _verify(self, identity: str | None) -> None:
        """Verify the sender as the owner of an account does: a stage only uses what is verified."""
        service = self.client("sesv2")
        if identity:
            with suppress(service.exceptions.AlreadyExistsException):
                service.create_email_identity(EmailIdentity=identity)

    def _log_in(self, outputs: dict[str, str]) -> None:
        """Put what the providers want to be called with where the sender looks for it."""
        for channel, content in credentials().items():
            if secret := outputs.get(f"{channel.title()}ChannelSecret"):
                self.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(content))

    def _allow_in(self) -> dict[str, Any]:
        """Put both keys and the sources' secrets where the webhook function looks for them; the same ones each time."""
        if "server_key" in self._kept:
            return {name: self._kept[name] for name in ("write_key", "server_key", "webhook_sources")}
        keys = {"write_key": secrets.token_urlsafe(24), "server_key": secrets.token_urlsafe(24)}
        sources = {source: "whsec_" + b64encode(secrets.token_bytes(32)).decode() for source in SOURCES}
        value = {
            "write_keys": [keys["write_key"]],
            "server_keys": [keys["server_key"]],
            "sources": {source: [secret] for source, secret in sources.items()},
        }
        self.client("secretsmanager").put_secret_value(
            SecretId=f"waypost/{self._stage}/webhooks", SecretString=json.dumps(value)
        )
        return {**keys, "webhook_sources": sources}

    def _point_links_here(self, functions: list[str], api_url: str) -> None:
        """Links in messages are made with the API's public name, which leads nowhere here; give the local address."""
        service = self.client("lambda")
        for function in functions:
            variables = (
                service.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
            )
            if variables.get("WAYPOST_API_URL", api_url) != api_url:
                environment = {"Variables": {**variables, "WAYPOST_API_URL": api_url}}
                service.update_function_configuration(FunctionName=function, Environment=environment)

    def _state_machines(self) -> dict[str, str]:
        """Journey → ARN of the machine of its newest version; operations too."""
        machines = self.client("stepfunctions").list_state_machines(maxResults=1000)["stateMachines"]
        prefix, found = f"waypost-{self._stage}-", dict[str, str]()
        for machine in sorted(machines, key=lambda each: each["creationDate"]):
            journey, _ = journey_and_version(machine["name"].removeprefix(prefix))
            found[journey] = machine["stateMachineArn"]
        return found

    def _keep(self, values: dict[str, Any]) -> None:
        self._kept = values
        write_atomically(self.folder / "kept.json", json.dumps(values))


def default_zone(project: Project) -> ZoneInfo:
    """The time zone that a project's statemachines/sending.yaml declares as the default."""
    path = project.statemachines / "sending.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return ZoneInfo(SENDING_RULES.model_validate(rules or {}).default_time_zone)


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old file or the new one, and only its owner may read it: it may hold keys."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


@cache
def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 -- the embedded cloud takes any
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, parameter_validation=True),
    )
