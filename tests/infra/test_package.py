"""The package as it is built: without the network, and with every file that its folders hold."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from infra.project import ROOT

FOLDERS = {
    name: ROOT / folder
    for name, folder in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-dir"
    ].items()
}
"""Each top-level package, and where its source is."""
LEFT_OUT = (".pyc", ".po", ".pot", "Dockerfile", "test_clustering.py")
"""Endings of what stays at home: bytecode, what catalogues are compiled from, the image and the tests of the personas extra."""


def test_the_package_is_built_without_the_network_and_holds_every_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for folder in FOLDERS.values():
        shutil.copytree(folder, source / folder.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    pip_wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(  # noqa: S603 - our own interpreter
        [*pip_wheel, "--wheel-dir", tmp_path, source],
        check=True,
        env={"PATH": "", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"},
    )
    (wheel,) = tmp_path.glob("waypost-*.whl")
    files = {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in FOLDERS.items()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(LEFT_OUT)
    }
    assert files - set(zipfile.ZipFile(wheel).namelist()) == set()
