"""Each handler makes its service in one factory, which carries the function's name, as the service's class and module do."""

from typing import get_type_hints

import pytest

from tests.functions.conftest import HANDLERS
from waypost.assembly import assemble
from waypost.authoring.functions import placeholder


@pytest.mark.parametrize("name", HANDLERS)
def test_the_factory_of_a_handler_carries_the_name_of_the_function(name: str) -> None:
    factory = vars(HANDLERS[name]).get(name)
    assert hasattr(factory, "cache_info"), (
        f"functions/{name}/handler.py makes its service in no @cache function {name}()"
    )

    made = get_type_hints(factory)["return"]

    assert (made.__name__, made.__module__.rpartition(".")[2]) == (placeholder(name), name)


@pytest.mark.parametrize("name", sorted(HANDLERS.keys() & vars(assemble).keys()))
def test_the_assembly_of_a_service_carries_its_name(name: str) -> None:
    hints = vars(assemble)[name].__annotations__

    assert hints["return"] == placeholder(name)
