"""Builds the wheel from a copy of the sources, without the network. Used by the tests of the package and of new projects."""

import shutil
import subprocess
import sys
from pathlib import Path

from infra.project import ROOT

SOURCES = ("docs", "examples", "functions", "infra", "layers", "local", "personas", "requirements", "statemachines")
FILES = ("MANIFEST.in", "README.md", "cdk.json", "pyproject.toml", "setup.py")


def build_wheel(folder: Path) -> Path:
    """The wheel, built under ``folder`` by the setuptools of this interpreter."""
    source = folder / "source"
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source)
    pip_wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(  # noqa: S603 - our own interpreter
        [*pip_wheel, "--wheel-dir", folder, source],
        check=True,
        env={"PATH": "", "HOME": str(folder), "PIP_CONFIG_FILE": "/dev/null"},
    )
    (wheel,) = folder.glob("waypost-*.whl")
    return wheel
