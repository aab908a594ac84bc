"""Builds the wheel: the packages of pyproject.toml, the product's folders beside them, and its locked requirements."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHIPPED = ("cdk.json", "docs", "examples", "functions", "layers/dependencies", "requirements", "statemachines")
"""What ``waypost.authoring.product`` looks for beside itself when there is no checkout around it."""


class BuildWithShippedFolders(build_py):
    """Adds ``SHIPPED`` to the package ``waypost.authoring``; an editable install finds them in the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "waypost" / "authoring" / "shipped"
        shutil.rmtree(target, ignore_errors=True)
        for name in SHIPPED:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, target / name)


def locked(path: Path) -> list[str]:
    """The requirements of a lock file without their hashes, which a package's metadata cannot carry."""
    lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [line.partition(" --hash")[0].strip() for line in lines if line and not line.startswith(("#", "-"))]


setup(cmdclass={"build_py": BuildWithShippedFolders}, install_requires=locked(ROOT / "requirements" / "waypost.txt"))
