"""Everything private of MiniStack that the embedded cloud uses is there, so that a new version is looked at before it is used."""

import ast
import importlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import local

HERE = Path(local.__file__).parent


def ministack_modules(tree: ast.Module) -> dict[str, ModuleType]:
    """Name in the file → the module of MiniStack that is imported under it."""
    found: dict[str, ModuleType] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ministack":
            for alias in node.names:
                with suppress(ModuleNotFoundError):  # a function
                    found[alias.asname or alias.name] = importlib.import_module(f"{node.module}.{alias.name}")
    return found


def used_names() -> Iterator[tuple[str, ModuleType, str]]:
    """File, module and name of everything that the files beside the emulator take out of a module of MiniStack."""
    for path in sorted(HERE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = ministack_modules(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules:
                    yield path.name, modules[module], name
                case ast.Call(
                    func=ast.Name(id="replace"), args=[ast.Name(id=module), ast.Constant(value=str(name)), *_]
                ) if module in modules:
                    yield path.name, modules[module], name


def test_every_name_that_is_taken_out_of_the_emulator_is_in_it() -> None:
    used = list(used_names())
    missing = sorted({f"{file}: {module.__name__}.{name}" for file, module, name in used if not hasattr(module, name)})

    assert missing == []
    assert {"step_functions.py", "code_cache.py", "emulator.py"} <= {file for file, _, _ in used}
