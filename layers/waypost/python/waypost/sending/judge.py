"""Asks the guards about one message, permanent reasons first. Called by the sender."""

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import assert_never

from waypost.sending import guards
from waypost.sending.guard import Allow, Case, Defer, Guard, Skip, Verdict
from waypost.sending.guards.quiet_hours import first_moment


@cache
def all_guards() -> tuple[Guard, ...]:
    """One of each class in ``sending/guards``, by weight. Raises TypeError when two have the same."""
    modules = [import_module(f"{guards.__name__}.{module.name}") for module in pkgutil.iter_modules(guards.__path__)]
    found: dict[int, Guard] = {}
    for module in modules:
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Guard) and each.__module__ == module.__name__:
                first = found.setdefault(each.weight, each())
                if type(first) is not each:
                    raise TypeError(f"guards {type(first).__name__} and {each.__name__} have the same weight")
    return tuple(found[weight] for weight in sorted(found))


def judge(case: Case, asked: Sequence[Guard] | None = None) -> Verdict:
    """The first verdict that is not Allow, or Allow. A deferral never ends inside the channel's quiet hours."""
    for guard in all_guards() if asked is None else asked:
        verdict = guard.check(case) if case.occasion in guard.judges else Allow()
        match verdict:
            case Allow():
                continue
            case Skip():
                return verdict
            case Defer(reason=reason, until=until):
                return Defer(reason, first_moment(case, until))
            case _:
                assert_never(verdict)
    return Allow()
