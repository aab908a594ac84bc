"""The stage that a command works on: one on AWS by its name, or the system that ``waypost up`` keeps running."""

from typing import Annotated

import typer

from local.journeys.stage import Stage, kept_by, operator, stage_of, stage_on_aws
from local.problems import LocalError
from local.project.current_project import current_project
from local.running import background
from waypost.clock import parse_instant

StageName = Annotated[
    str,
    typer.Option("--stage", help="A stage on AWS (dev, prod); by default the system that waypost up keeps running."),
]


def chosen_stage(name: str) -> Stage:
    """The stage on AWS, or the running system. Raises LocalError when it is not there."""
    if name:
        found = stage_on_aws(name, kept=kept_by(current_project()))
        if found is None:
            raise LocalError(f"no stage {name} is deployed here", "waypost deploy -c stage=" + name)
        return found
    from local.cloud.local_cloud import client  # noqa: PLC0415 - it has a cloud of its own

    access = background.access()
    now = parse_instant(background.control("GET", "/status")["now"])
    local = stage_of(
        f"waypost-{access['stage']}",
        lambda service: client(service, access["endpoint_url"]),
        clock=lambda: now,
        by=operator(),
        kept=kept_by(current_project()),
    )
    if local is None:
        raise LocalError("the running system has no stack", "waypost down, then waypost up")
    return local
