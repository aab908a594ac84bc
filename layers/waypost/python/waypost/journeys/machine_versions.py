"""The names of journeys' machines: one machine for each version of a journey's flow. Used by enrolments, the synth and plans.

A changed flow is another machine beside the former one, so that contacts may finish on the version they stand in.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from waypost import ids

_MARK: Final = "--"
"""Between the journey and the version; the name of a journey never holds it."""
_LENGTH: Final = 8


def version_of(definition: Mapping[str, Any], number: int) -> str:
    """The version of a compiled definition; ``number`` is the author's ``version``, which makes an equal flow another one."""
    flow = json.dumps(definition, ensure_ascii=False, sort_keys=True)
    return ids.digest("machine", flow, str(number), length=_LENGTH)


def machine_name(journey: str, version: str) -> str:
    """The name of the machine without the stage's prefix: ``new-user-nurture--7c1e90ab``."""
    return f"{journey}{_MARK}{version}" if version else journey


def journey_and_version(name: str) -> tuple[str, str]:
    """The inverse of ``machine_name``; the version of an operation's machine is ""."""
    journey, _, version = name.partition(_MARK)
    return journey, version
