"""The models of the conditions by key word, as their classes register them. Used by the union of all rules and the reference."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Final, TypeVar

from waypost.authoring.problems import Authored
from waypost.segments.conditions import CONDITIONS

MODELS: Final[dict[str, type[Authored]]] = {}
"""The model of each key word; complete once ``load_models`` was called."""

_Model = TypeVar("_Model", bound=Authored)


def model(word: str) -> Callable[[type[_Model]], type[_Model]]:
    """Register the model of a condition under its key word, which must be one of its fields.

    Raises TypeError for a word that is no condition's, that has a model already, or that the model does not have.
    """

    def register(cls: type[_Model]) -> type[_Model]:
        if word not in CONDITIONS:
            raise TypeError(f"no condition has the key word {word!r} of {cls.__qualname__}")
        if word in MODELS:
            raise TypeError(f"two models have the key word {word!r}: {MODELS[word].__qualname__}, {cls.__qualname__}")
        if word not in {field.alias or name for name, field in cls.model_fields.items()}:
            raise TypeError(f"{cls.__qualname__} has no field {word!r}")
        MODELS[word] = cls
        return cls

    return register


def load_models() -> None:
    """Import every module of models. Raises TypeError when a condition has no model, and so could not be written."""
    from waypost.authoring.rules import models  # noqa: PLC0415 - the models register themselves here

    for each in sorted(module.name for module in iter_modules(models.__path__)):
        import_module(f"{models.__name__}.{each}")
    if missing := sorted(CONDITIONS.keys() - MODELS):
        raise TypeError(f"these conditions have no model in {models.__name__}: {', '.join(missing)}")
