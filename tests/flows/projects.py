"""Projects that flows write for themselves, and a cloud for each. Used by flows for which this project's content will not do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.project import ROOT, Project
from local.cloud.assembly import synthesize
from local.cloud.local_cloud import LocalCloud
from local.project.init_project import copy_sample_content


def link_layers(folder: Path) -> None:
    """Give a project the layers that are built already."""
    (folder / "out").mkdir()
    (folder / "out" / "layers").symlink_to(ROOT / "out" / "layers")


def copy_content(folder: Path) -> Path:
    """Make a project of the sample's content without its journeys; the folder ``statemachines/``."""
    link_layers(folder)
    copy_sample_content(folder)
    shutil.rmtree(folder / "statemachines" / "journeys")
    return folder / "statemachines"


@contextmanager
def cloud_of(project: Project, folder: Path) -> Iterator[LocalCloud]:
    """A cloud in this folder with the project."""
    assembly = synthesize(project, ROOT / "out" / "assembly")
    with LocalCloud(folder, project=project, assembly=assembly) as cloud:
        yield cloud
