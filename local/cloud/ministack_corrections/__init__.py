"""Where MiniStack 1.5.33 differs from AWS in a way a journey can feel, it is put right here. Used by the emulator process.

A module for each service, and in it a function for each correction that says what AWS does. ``install`` applies them all
and fails loudly when a name is no longer there, so that a new version of MiniStack is looked at before it is used.
"""

from local.cloud.activity import Activity
from local.cloud.ministack_corrections import (
    api_gateway,
    cloudformation,
    event_sources,
    lambda_functions,
    schedules,
    step_functions,
)


def install(activity: Activity) -> None:
    """Apply every correction to the MiniStack modules of this process; ``activity`` counts what is under way.

    Raises AttributeError or KeyError that names what a newer MiniStack no longer has.
    """
    lambda_functions.correct(activity)
    event_sources.correct()
    step_functions.correct(activity)
    schedules.correct()
    cloudformation.correct()
    api_gateway.correct()
