"""Builds the content of the Lambda layers without Docker, once per content. Called by the layers construct.

A layer is read-only where it runs, so Python cannot keep the bytecode it compiles there: a layer without bytecode
makes every cold start 2.3 to 2.7 times as long. The bytecode is made here, by an interpreter of the target version,
and marked unchecked-hash: it is used without comparing file times, which the asset archive does not keep.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from infra.service_definitions import thin
from waypost.contacts.channels import declared_channels
from waypost.errors import InvalidInput

_LAYER_ROOT = "/opt"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_KEPT = 12  # built layers; a change of one source file makes another
_NOT_SHIPPED = (
    "__pycache__", "authoring", "*.po",  # catalogues are read from their compiled *.mo
    "authored.py", "authored_*.py", "fake.py", "fake_*.py", "infra.py", "infra_*.py", "samples",  # of a channel: what only authors, tests and the synth use
)  # fmt: skip
_RECIPE = 3  # raise it when the way of building changes: built layers are kept by the hash of what went in


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a layer will run: ``python`` is a version such as ``3.13``; ``native`` means on this very machine."""

    python: str
    architecture: str
    native: bool = False

    @property
    def pip_options(self) -> list[str]:
        """What makes pip choose wheels for the target: Lambda's Linux has glibc 2.34 since Python 3.12, 2.26 before."""
        if self.native:
            return []
        machine = _MACHINES[self.architecture]
        newest = 34 if int(self.python.partition(".")[2]) >= 12 else 26
        platforms = [f"manylinux_2_{glibc}_{machine}" for glibc in range(newest, 16, -1)]
        options = ["--implementation", "cp", "--python-version", self.python]
        for tag in [*platforms, f"manylinux2014_{machine}"]:
            options += ["--platform", tag]
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A layer's content: ``path`` holds ``python/``, ``digest`` names what went in, ``compiled`` says it has bytecode."""

    path: Path
    digest: str
    compiled: bool


def dependency_layer(*, requirements: Path, contents: Path, target: Target, cache: Path) -> Built:
    """The locked packages in wheels of the target, cut to what ``contents`` and the channels keep."""
    kept = kept_services(contents)

    def fill(python: Path) -> None:
        _install(requirements, target, python)
        _cut(python, contents, services=kept)

    inputs = [requirements.read_bytes(), contents.read_bytes(), json.dumps(sorted(kept)).encode()]
    return _build(inputs, fill, target=target, cache=cache)


def kept_services(contents: Path) -> set[str]:
    """The AWS services whose definitions are shipped: those that ``contents`` names, and those of the channels."""
    named = tomllib.loads(contents.read_text(encoding="utf-8"))["services"]
    return {*named, *(service for channel in declared_channels().values() for service in channel.services)}


def source_layer(*, source: Path, target: Target, cache: Path, packages: Sequence[str] = ()) -> Built:
    """Copies of the ``packages`` in the folder ``source``, of all by default, without what only the synth uses."""
    packages = packages or sorted(path.name for path in source.iterdir() if path.is_dir())
    found = [path.relative_to(source) for package in packages for path in (source / package).rglob("*")]
    files = [source / path for path in sorted(found) if _is_shipped(path) and (source / path).is_file()]
    inputs = [part for path in files for part in (path.relative_to(source).as_posix().encode(), path.read_bytes())]

    def fill(python: Path) -> None:
        for package in packages:
            shutil.copytree(source / package, python / package, ignore=shutil.ignore_patterns(*_NOT_SHIPPED))

    return _build(inputs, fill, target=target, cache=cache)


def _is_shipped(path: Path) -> bool:
    return not any(fnmatch(part, pattern) for part in path.parts for pattern in _NOT_SHIPPED)


def interpreter(python: str) -> str | None:
    """The path of an interpreter of this version: this process's own, or one on PATH that really starts."""
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{python}")
    if found is None:
        return None
    command = [found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    # PYENV_VERSION: pyenv's shims start only with a version chosen
    environment = {**os.environ, "PYENV_VERSION": python}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return found if answer.stdout.strip() == python else None


def _build(inputs: list[bytes], fill: Callable[[Path], None], *, target: Target, cache: Path) -> Built:
    compiler = interpreter(target.python)
    key = json.dumps([_RECIPE, target.python, target.architecture, target.native, compiler is not None])
    digest = hashlib.sha256(b"\0".join([key.encode(), *(hashlib.sha256(part).digest() for part in inputs)])).hexdigest()
    path = cache / digest[:16]
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            python = Path(scratch) / "layer" / "python"
            python.mkdir(parents=True)
            fill(python)
            if compiler is not None:
                _compile(python, compiler=compiler, version=target.python)
            _move(python.parent, path)
        _forget_unused(cache)
    os.utime(path)
    return Built(path=path, digest=digest, compiled=compiler is not None)


def _install(requirements: Path, target: Target, folder: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", *target.pip_options),
        *("--target", str(folder), "--requirement", str(requirements)),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        errors = [line for line in answer.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        where = "this machine" if target.native else f"Python {target.python} on {target.architecture}"
        raise InvalidInput(str(requirements), f"pip could not install it for {where}: {errors[-1]}")


def _cut(python: Path, contents: Path, *, services: Collection[str]) -> None:
    kept = tomllib.loads(contents.read_text(encoding="utf-8"))
    for folder in (python / "botocore" / "data").iterdir():
        if folder.is_dir() and folder.name not in services:
            shutil.rmtree(folder)
    for dropped in [path for pattern in kept["drop"] for path in python.glob(pattern)]:
        if dropped.is_dir():
            shutil.rmtree(dropped)
        else:
            dropped.unlink()
    thin(python / "botocore" / "data", services=services)


def _compile(python: Path, *, compiler: str, version: str) -> None:
    """Compile every module; tracebacks then show the path that the file has in Lambda."""
    command = [
        *(compiler, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(python.parent), "-p", _LAYER_ROOT, str(python)),
    ]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYENV_VERSION": version}
    )
    if answer.returncode:
        raise InvalidInput(str(python), f"Python {version} cannot compile it: {answer.stdout.strip()[-500:]}")


def _move(built: Path, path: Path) -> None:
    """Put a finished layer in place, unless another process has just done so."""
    try:
        built.rename(path)
    except OSError:
        if not path.exists():
            raise


def _forget_unused(cache: Path) -> None:
    """Remove the layers that were used the longest ago."""
    layers = [path for path in cache.iterdir() if (path / "python").is_dir()]
    for path in sorted(layers, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
