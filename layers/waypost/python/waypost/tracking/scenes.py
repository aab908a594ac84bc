"""Where people come from who scan a code: what ``statemachines/scenes.yaml`` declares of its parameter. Used by who reads notices.

WeChat calls the parameter scene, WeCom state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Self

from waypost.contacts.profile import CAME_FROM, LINKED
from waypost.published_sections import published_section

SECTION: Final = "scenes"
_PARAMETERS: Final = ("scene", "state")
"""The properties of an event that may hold a code's parameter."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One parameter: the ``source`` of who scans its code, and the id of the member of ``staff`` who looks after them.

    ``codes`` has for each channel what is needed to make the code.
    """

    source: str
    staff: str = ""
    codes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(value["source"], value.get("staff", ""), value.get("codes", {}))


@dataclass(frozen=True, slots=True)
class DeclaredScenes:
    """Every scene, by its parameter."""

    scenes: Mapping[str, Scene] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one knows none."""
        return cls({name: Scene.from_dict(scene) for name, scene in value.items()})

    def of(self, properties: Mapping[str, Any]) -> dict[str, str]:
        """What an event's properties mean: ``came_from``, and ``staff`` where the event names no member itself."""
        named = (properties.get(each) for each in _PARAMETERS)
        scene = next((self.scenes[name] for name in named if isinstance(name, str) and name in self.scenes), None)
        if scene is None:
            return {}
        linked = {LINKED: scene.staff} if scene.staff and not properties.get(LINKED) else {}
        return {CAME_FROM: scene.source, **linked}


@cache
def load_scenes() -> DeclaredScenes:
    """The scenes of this deployment, from the journeys layer."""
    return DeclaredScenes.from_dict(published_section(SECTION))
