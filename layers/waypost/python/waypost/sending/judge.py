"""Asks the guards about one message, permanent reasons first. Called by the sender."""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Final, assert_never

from waypost.sending import guards
from waypost.sending.guard import Allow, Case, Defer, Guard, Skip, Verdict
from waypost.sending.guards.quiet_hours import first_moment

LONGEST_SEEN: Final = 32
"""Characters of a value that a decision keeps, so that a ledger row stays small."""


BACKUP: Final = "bk"
"""In the decision to send: the place of the message's next backup, and until when it may go out."""

VARIANT: Final = "vs"
"""In a decision, beside the codes of guards: the message that stood in for the one that was asked for, and the segment."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and by the code of each guard that was asked what it saw; the last one decided."""

    verdict: Verdict
    saw: Mapping[str, str]


@cache
def all_guards() -> tuple[Guard, ...]:
    """One of each class in ``sending/guards``, by weight. Raises TypeError when two have the same weight or code."""
    modules = [import_module(f"{guards.__name__}.{module.name}") for module in pkgutil.iter_modules(guards.__path__)]
    found = {
        each: each()
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Guard) and each.__module__ == module.__name__
    }
    for attribute in ("weight", "code"):
        first: dict[object, type[Guard]] = {}
        for each in found:
            other = first.setdefault(getattr(each, attribute), each)
            if other is not each:
                raise TypeError(f"guards {other.__name__} and {each.__name__} have the same {attribute}")
    return tuple(sorted(found.values(), key=lambda guard: guard.weight))


def judge(case: Case, asked: Sequence[Guard] | None = None) -> Judgement:
    """The first verdict that is not Allow, or Allow. A deferral never ends inside the channel's quiet hours.

    Asks the guards that read the content for a case that is rendered, the others before.
    """
    saw: dict[str, str] = {}
    for guard in all_guards() if asked is None else asked:
        if case.occasion not in guard.judges or guard.reads_content is (case.rendered is None):
            continue
        if not guard.concerns(case):
            continue
        verdict = guard.check(case)
        saw[guard.code] = verdict.saw[:LONGEST_SEEN]
        match verdict:
            case Allow():
                continue
            case Skip():
                return Judgement(verdict, saw)
            case Defer(until=until):
                return Judgement(replace(verdict, until=first_moment(case, until)), saw)
            case _:
                assert_never(verdict)
    return Judgement(Allow(), saw)
