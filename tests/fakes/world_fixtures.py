"""A world with one contact, and the enrolment of that contact. Loaded for all tests; a test file may have its own."""

import pytest

from tests.fakes.world import World
from waypost.journeys.enrolment import Enrolment


@pytest.fixture
def world() -> World:
    world = World()
    world.have_contact()
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment()
