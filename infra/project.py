"""The project that is deployed: a company's content and choices, apart from the product. Used by the app and the local tools."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import waypost
from waypost.authoring.product import PRODUCT, SHIPPED
from waypost.errors import InvalidInput

ROOT: Final = PRODUCT
"""The product's folders: functions/, layers/, requirements/ and the sample content; those of the wheel, or of the checkout."""
PACKAGE_ROOT: Final = Path(waypost.__file__).parents[1]
"""The folder that the package ``waypost`` is imported from."""
_CHOICES: Final = "cdk.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A company's repository.

    ``folder`` is where its cdk.json stands and where ``out/`` and ``cdk.out/`` are written; ``choices`` is the context of
    that file, over the product's own. ``product`` is the folder that holds functions/, layers/ and requirements/.
    """

    folder: Path
    choices: Mapping[str, Any] = field(default_factory=dict)
    product: Path = ROOT

    @classmethod
    def at(cls, folder: Path, *, product: Path = ROOT) -> "Project":
        """Read the project in ``folder``, whose cdk.json may be missing. Raises InvalidInput that names the file."""
        return cls(
            folder=folder.resolve(),
            choices={**_context(product / _CHOICES), **_context(folder / _CHOICES)},
            product=product,
        )

    @classmethod
    def around(cls, start: Path) -> "Project":
        """Find the project whose cdk.json is in ``start`` or in a folder above it.

        Without one, a checkout of the product is its own project. Raises InvalidInput when there is neither.
        """
        for folder in (start, *start.parents):
            if (folder / _CHOICES).is_file() and cls.at(folder).statemachines.is_dir():
                return cls.at(folder)
        if ROOT != SHIPPED:
            return cls.at(ROOT)
        raise InvalidInput(str(start), "no project is here: no cdk.json with statemachines/ beside it, here or above")

    @property
    def content(self) -> Path:
        """The folder that holds statemachines/ and examples/: ``content`` in cdk.json, relative to that file."""
        return self.content_at(self.choices.get("content"))

    def content_at(self, chosen: Any) -> Path:
        """The content folder for a value of the context key ``content``; None stands for the project's own folder."""
        return (self.folder / str(chosen or ".")).resolve()

    @property
    def statemachines(self) -> Path:
        """Everything that authors write."""
        return self.content / "statemachines"

    @property
    def journeys(self) -> Path:
        """A folder for each journey."""
        return self.statemachines / "journeys"

    @property
    def out(self) -> Path:
        """Where the tools write: built layers, assemblies, the state of the embedded cloud."""
        return self.folder / "out"

    @property
    def stage(self) -> str:
        """The stage that cdk.json chooses."""
        return str(self.choices["stage"])


def _context(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        context: Any = json.loads(path.read_text(encoding="utf-8")).get("context", {})
    except (ValueError, AttributeError) as error:
        raise InvalidInput(str(path), f"is not a JSON object: {error}") from error
    if not isinstance(context, dict):
        raise InvalidInput(str(path), "context: expected an object")
    return context
