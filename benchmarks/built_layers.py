"""What a function finds in ``/opt/python`` and ``/var/task``, built for this machine. Used by the import benchmark."""

import os
import shutil
import tempfile
from pathlib import Path

from infra.bundling import Target, dependency_layer, source_layer
from infra.deployment import host_architecture, host_runtime
from waypost.authoring.publishing import publish


def build(root: Path, folder: Path) -> Path:
    """The three layers of the project at ``root`` in one folder under ``folder``, as Lambda merges them."""
    cache = root / "out" / "layers"
    cache.mkdir(parents=True, exist_ok=True)
    target = Target(python=host_runtime().removeprefix("python"), architecture=host_architecture(), native=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        journeys = Path(scratch)
        publish(root / "statemachines", journeys)
        built = [
            dependency_layer(
                requirements=root / "requirements" / "lambda.txt",
                contents=root / "layers" / "dependencies" / "contents.toml",
                target=target,
                cache=cache,
            ),
            source_layer(source=root / "layers" / "waypost" / "python", target=target, cache=cache),
            source_layer(source=journeys / "python", target=target, cache=cache),
        ]
    merged = folder / "opt" / "python"
    shutil.rmtree(folder / "opt", ignore_errors=True)
    for layer in built:
        shutil.copytree(layer.path / "python", merged, copy_function=os.link, dirs_exist_ok=True)
    return merged


def function_folders(root: Path, folder: Path) -> dict[str, Path]:
    """Each function's own folder as it is deployed: the handler without bytecode, which ``/var/task`` cannot keep."""
    shutil.rmtree(folder / "task", ignore_errors=True)
    folders = {}
    for handler in sorted((root / "functions").glob("*/handler.py")):
        task = folder / "task" / handler.parent.name
        task.mkdir(parents=True)
        shutil.copy(handler, task)
        folders[handler.parent.name] = task
    return folders
