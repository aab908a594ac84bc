"""Synthesizes the CDK app for this machine, once per content. Called by ``local.cloud.local_cloud``."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import infra
import waypost
from infra.project import Project
from local.problems import LocalError
from local.providers.server import choices

KEPT = 8
"""Assemblies kept on disk; the oldest ones go first."""
_OF_THE_PRODUCT: Final = ("requirements/lambda.txt", "functions", "layers/dependencies", "statemachines/operations")
_MADE_BY: Final = tuple(Path(module.__path__[0]) for module in (infra, waypost))
"""The packages whose code makes the assembly, and is shipped in it."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or folder that the template expects in a bucket; ``bucket`` still has placeholders."""

    path: Path
    packaged_as_zip: bool
    bucket: str
    key: str

    @property
    def is_template(self) -> bool:
        """Whether it is the template of a nested stack."""
        return self.path.name.endswith(".nested.template.json")

    def content(self) -> bytes:
        """The object to put: the file, or the folder as an archive."""
        if not self.packaged_as_zip:
            return self.path.read_bytes()
        packed = self.path.with_name(f"{self.path.name}.packed")
        if not packed.exists():
            scratch = packed.with_name(f"{packed.name}.{os.getpid()}")
            with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for file in sorted(path for path in self.path.rglob("*") if path.is_file()):
                    entry = zipfile.ZipInfo(file.relative_to(self.path).as_posix())  # without times, so always the same
                    archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
            scratch.replace(packed)
        return packed.read_bytes()


@dataclass(frozen=True, slots=True)
class Assembly:
    """A synthesized app: the stack's name, its template and its assets; ``digest`` names what went in."""

    stack: str
    template: dict[str, Any]
    assets: tuple[Asset, ...]
    digest: str


def synthesize(project: Project, cache: Path) -> Assembly:
    """The assembly of ``project`` for this machine, from ``cache`` when nothing that goes in has changed.

    Raises LocalError with the app's own error lines when it refuses to synthesize.
    """
    digest = digest_of_inputs(project)
    folder = cache / digest[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several processes that need the same assembly one makes it
        _make(project, folder)
    return read_assembly(folder, digest)


def _make(project: Project, folder: Path) -> None:
    """Synthesize into ``folder`` unless it is there; the folders used the longest ago go."""
    cache = folder.parent
    if not (folder / "manifest.json").exists():
        scratch = cache / f"{folder.name}.{os.getpid()}"
        _synthesize(project, scratch)
        if folder.exists() or not (scratch / "manifest.json").exists():
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            scratch.rename(folder)
        folders = sorted((path for path in cache.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
        for old in folders[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    else:
        os.utime(folder)


def digest_of_inputs(project: Project) -> str:
    """A hash over every file that the synthesized app depends on, and over this interpreter."""
    hashed = hashlib.sha256(sys.version.encode())
    hashed.update(json.dumps(project.choices, sort_keys=True).encode())
    for name, path in _inputs(project):
        hashed.update(name.encode() + b"\0")
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def read_assembly(folder: Path, digest: str = "") -> Assembly:
    """Read the one stack of a CDK assembly folder."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    stacks = {
        artifact.get("properties", {}).get("stackName", name): artifact["properties"]["templateFile"]
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    if len(stacks) != 1:
        raise LocalError(f"the app synthesizes {len(stacks)} stacks", "the embedded cloud deploys exactly one")
    [(stack, template_file)] = stacks.items()
    template = json.loads((folder / template_file).read_text(encoding="utf-8"))
    return Assembly(stack, template, tuple(_assets(folder, template_file)), digest)


def _inputs(project: Project) -> Iterator[tuple[str, Path]]:
    """Every file that goes in, with the name under which it is compared."""
    given = [
        *((project.product / name, name) for name in _OF_THE_PRODUCT),
        *((folder, folder.name) for folder in _MADE_BY),
        (project.statemachines, "statemachines"),
    ]
    for root, name in given:
        for path in sorted([root] if root.is_file() else root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{name}/{path.relative_to(root).as_posix()}", path


def _synthesize(project: Project, folder: Path) -> None:
    needed = {key: value for key, value in choices().items() if not project.choices.get(key)}
    given = {**needed, "target": "host", "content": str(project.content)}
    command = [sys.executable, "-P", "-m", "infra.app", *(f"--context={key}={value}" for key, value in given.items())]
    done = subprocess.run(
        [*command, "--output", str(folder)],
        cwd=project.folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode or not (folder / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        output = (done.stderr or done.stdout).strip()
        raise LocalError(f"the app could not be synthesized:\n{output[-4000:]}", "waypost synth shows the same")


def _assets(folder: Path, template_file: str) -> Iterator[Asset]:
    listing = folder / template_file.replace(".template.json", ".assets.json")
    for file in json.loads(listing.read_text(encoding="utf-8"))["files"].values():
        source = file["source"]
        if source["path"] == template_file:
            continue  # the template itself goes to CloudFormation directly
        for destination in file["destinations"].values():
            path = folder / source["path"]
            yield Asset(path, source["packaging"] == "zip", destination["bucketName"], destination["objectKey"])
