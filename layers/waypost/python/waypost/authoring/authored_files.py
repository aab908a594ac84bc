"""Reads the authored files of one folder and collects what is wrong with all of them. Used by everything authored.

A file that cannot be read gives None and a problem, so that an author sees every problem at once; the code that made the reader
calls ``raise_problems`` at the end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from waypost.authoring.problems import Authored, InvalidJourney, Problem, explain, is_expression, join
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml

_Model = TypeVar("_Model", bound=Authored)


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads files under ``root`` (``statemachines/``); ``problems`` has what was wrong so far."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def shown(self, path: Path) -> str:
        """A path as an author knows it, from ``statemachines/`` on."""
        return f"{self.root.name}/{path.relative_to(self.root).as_posix()}"

    def folders(self, parent: Path) -> Iterator[Path]:
        """The folders in ``parent``; hidden ones and those that start with ``_`` are left alone."""
        if parent.is_dir():
            yield from (path for path in sorted(parent.iterdir()) if path.is_dir() and path.name[0] not in "._")

    def files(self, parent: Path) -> Iterator[Path]:
        """The YAML files in ``parent``, by name; a file with another ending is a problem, because it would be ignored."""
        if not parent.is_dir():
            return
        for path in sorted(parent.iterdir()):
            if path.is_dir() or path.name[0] in "._":
                continue
            if path.suffix == ".yaml":
                yield path
            else:
                self.add(path, "", f"is ignored; expected a file that ends in .yaml, such as {path.stem}.yaml")

    def declared(self, path: Path, model: type[_Model]) -> _Model | None:
        """The file as a model; None, without a problem, when there is no such file."""
        return self.model(path, model) if path.exists() else None

    def model(self, path: Path, model: type[_Model]) -> _Model | None:
        """The file as a model; None and a problem when there is none, or when it is wrong."""
        value = self.value(path)
        if value is None:
            return None
        self.extend(path, _expressions("", value))
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.extend(path, explain(error, value, model))
            return None

    def value(self, path: Path) -> Any:
        """The content of the file; None and a problem when there is none."""
        try:
            value = read_yaml(path)
        except FileNotFoundError:
            others = [other.name for other in sorted(path.parent.glob(f"{path.name.split('.')[0]}.*"))]
            self.add(path, "", "is missing" + (f"; rename {others[0]!r}" if others else ""))
            return None
        except UnclearYamlError as error:
            self.add(path, "", str(error))
            return None
        if value is None:
            self.add(path, "", "is empty")
        return value

    def add(self, path: Path, where: str, reason: str) -> None:
        """A problem of this file."""
        self.problems.append(Problem(self.shown(path), where, reason))

    def extend(self, path: Path, findings: Iterable[tuple[str, str]]) -> None:
        """Problems of this file, as pairs of place and reason."""
        for where, reason in findings:
            self.add(path, where, reason)

    def raise_problems(self) -> None:
        """Raise InvalidJourney with every problem, if there is one."""
        if self.problems:
            raise InvalidJourney(self.problems)


def _expressions(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """JSONata strings where nothing evaluates them."""
    if is_expression(value):
        yield path, "an expression can stand in definition.asl.yaml only"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _expressions(f"{path}[{index}]", each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _expressions(join(path, name), each)
