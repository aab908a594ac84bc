"""Makes a company's own repository: content of its own, with Waypost as a dependency. Called by ``waypost init``."""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Final

from infra.project import ROOT
from local.problems import LocalError

_TEMPLATE: Final = Path(__file__).with_name("project_template")
_FILES: Final = {
    "cdk.json": "cdk.json",
    "requirements.txt": "requirements.txt",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "ci.yml": ".github/workflows/check.yml",
}
"""Template → where it goes."""
_SHIPPED_ONLY: Final = ("operations",)
"""Folders of the sample content that stay in the product, so that an upgrade brings their newest version."""


def installed_requirement() -> str:
    """The requirement that names the version of Waypost that runs here."""
    return f"waypost=={version('waypost')}"


def copy_sample_content(folder: Path) -> None:
    """Copy the sample's statemachines/ into ``folder``, without the operations, which every project has anyway."""
    source = ROOT / "statemachines"
    shutil.copytree(
        source,
        folder / "statemachines",
        ignore=lambda parent, _: _SHIPPED_ONLY if Path(parent) == source else (),
    )


def init_project(folder: Path, *, requirement: str) -> list[Path]:
    """Write a new project into ``folder`` and return its files, relative to it.

    ``requirement`` is how its requirements.txt names Waypost: a version, or ``waypost @ <url of a wheel or repository>``.
    Raises LocalError when the folder holds anything already, a repository's own .git apart.
    """
    if folder.exists() and (not folder.is_dir() or any(path.name != ".git" for path in folder.iterdir())):
        raise LocalError(f"{folder} is not empty", "name a folder that does not exist yet")
    copy_sample_content(folder)
    shutil.copytree(ROOT / "examples", folder / "examples")
    for template, name in _FILES.items():
        text = (_TEMPLATE / template).read_text(encoding="utf-8")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = text.replace("@project@", folder.resolve().name).replace("@requirement@", requirement)
        (folder / name).write_text(text, encoding="utf-8")
    written = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return sorted(path.relative_to(folder) for path in written)
