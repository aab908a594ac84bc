"""The staff directory of this stage. Used by the functions that ask who works with it."""

from functools import cache

from waypost.assembly import assemble
from waypost.aws import wiring
from waypost.staff.directory import StaffDirectory, load_directory
from waypost.staff.live_directory import StaffInForce


def deployed_staff() -> StaffDirectory:
    """The members of the deployed file and those who came in since, a minute old at most."""
    return _in_force()()


@cache
def _in_force() -> StaffInForce:
    return assemble.staff_in_force(wiring, deployed=load_directory)
