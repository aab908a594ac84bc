"""The package as it is built: without the network, with every file that its folders hold, and with its exact requirements."""

import tomllib
import zipfile
from pathlib import Path

import pytest

from infra.project import ROOT
from tests.infra.built_wheel import build_wheel

FOLDERS = {
    name: ROOT / folder
    for name, folder in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-dir"
    ].items()
}
"""Each top-level package, and where its source is."""
SHIPPED = ("docs", "examples", "functions", "layers/dependencies", "requirements", "statemachines")
"""The folders of the product that are no packages; the wheel has them in waypost/authoring/shipped."""
LEFT_OUT = (".pyc", ".po", ".pot", "Dockerfile", "test_clustering.py")
"""Endings of what stays at home: bytecode, what catalogues are compiled from, the image and the tests of the personas extra."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel")))


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        *((folder, name) for name, folder in FOLDERS.items()),
        *((ROOT / name, f"waypost/authoring/shipped/{name}") for name in SHIPPED),
    ],
)
def test_the_package_is_built_without_the_network_and_holds_every_file(
    wheel: zipfile.ZipFile, folder: Path, inside: str
) -> None:
    files = {
        f"{inside}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(LEFT_OUT)
    }
    assert files
    assert files - set(wheel.namelist()) == set()


def test_its_requirements_are_the_locked_ones(wheel: zipfile.ZipFile) -> None:
    [metadata] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    lines = wheel.read(metadata).decode().splitlines()
    required = {line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")}
    assert all("==" in each for each in required)
    locked = (ROOT / "requirements" / "waypost.txt").read_text(encoding="utf-8").splitlines()
    names = {line.partition("==")[0] for line in locked if "==" in line and not line.startswith((" ", "#"))}
    assert {each.partition("==")[0].strip() for each in required} == names
    assert {"aws-cdk-lib", "ministack", "typer"} <= names
