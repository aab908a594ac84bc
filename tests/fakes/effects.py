"""The writes of all fakes of a test, in order, and how one of them crashes. Used by every fake that writes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar

from waypost.errors import TemporarilyUnavailable

P = ParamSpec("P")


R = TypeVar("R")


CrashMode = Literal["before", "after", "ambiguous", "refused"]


CRASH_MODES: Final[tuple[CrashMode, ...]] = ("before", "after", "ambiguous", "refused")
"""The process dies before or after a write; the write is done but its caller sees an error; it is not, and sees one."""


class Crash(BaseException):
    """The process is gone: nothing in it can catch this or tidy up."""


@dataclass(kw_only=True)
class Effects:
    """The writes of all fakes that share it, in order.

    ``crash_at`` is the index of the write to crash at, ``crash_on`` the name of it, once. ``meanwhile`` is what happens
    elsewhere right before the next write of a name.
    """

    log: list[str] = field(default_factory=list)
    crash_at: int | None = None
    crash_on: str | None = None
    mode: CrashMode = "before"
    crashed: bool = False
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)

    def run(
        self, name: str, action: Callable[[], R], lost: Callable[[], R] | None, refused: Callable[[], R] | None
    ) -> R:
        """Do the write, or crash; ``lost`` and ``refused`` answer instead of an exception where the port never raises."""
        if happening := self.meanwhile.pop(name, None):
            happening()
        index = len(self.log)
        self.log.append(name)
        if self.crashed or (index != self.crash_at and name != self.crash_on):
            return action()
        self.crashed = True
        match self.mode:
            case "before":
                raise Crash(name)
            case "after":
                action()
                raise Crash(name)
            case "ambiguous":
                action()
                if lost is not None:
                    return lost()
                raise TemporarilyUnavailable(f"{name}: the answer got lost")
            case "refused":
                if refused is not None:
                    return refused()
                raise TemporarilyUnavailable(f"{name}: throttled")


class HasEffects(Protocol):
    effects: Effects
    label: str


S = TypeVar("S", bound=HasEffects)


Method = Callable[Concatenate[S, P], R]


def effect(method: Method[S, P, R]) -> Method[S, P, R]:
    """Marks a method that writes."""

    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.effects.run(f"{self.label}.{method.__name__}", lambda: method(self, *args, **kwargs), None, None)

    return call
