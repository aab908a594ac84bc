"""Check that every name in an expression of a journey exists where it is read. Used by the lint of definitions.

Step Functions learns of a wrong name when a contact comes to it: the journey fails, or a Choice silently takes its Default.
"""

import re
from typing import Final

from waypost.authoring.expressions import FUNCTIONS, BrokenExpressionError, dotted, reads_of
from waypost.authoring.payloads import Fields
from waypost.authoring.problems import is_expression, unknown
from waypost.authoring.structure import Findings
from waypost.authoring.value_flow import JOURNEY_INPUT, SPLITS, Place

_CLOCK: Final = ("now", "millis")
_EVENT_ALONE: Final = re.compile(r"\$states\.result\.event(\.\w+)*")


def expression_findings(path: str, text: str, *, state: str, place: Place) -> Findings:
    """What is wrong with a text of a state; ``path`` begins with the name of the ``state``."""
    if not is_expression(text):
        if "{%" in text or "%}" in text:
            yield path, 'an expression fills its whole string: "{% … %}"'
        return
    field = path.removeprefix(state).removeprefix(".")
    source = text[2:-2].strip()
    try:
        reads = reads_of(source)
    except BrokenExpressionError as error:
        yield path, f"not JSONata: {error}"
        return
    reasons = [
        *(_no_function(name) for name in sorted(reads.functions - place.perhaps)),
        *(_no_variable(name, place, asked=name in reads.asked) for name in sorted(reads.variables | reads.asked)),
        *(
            f"{name!r} stands alone and finds nothing; begin with {_begin(name, place, field)}"
            for name in sorted(reads.bare)
        ),
        *(_no_path(names, place.states(field), place) for names in sorted(reads.paths)),
        _no_event(source, place),
    ]
    yield from ((path, reason) for reason in reasons if reason)


def _no_function(name: str) -> str:
    """Why the function cannot be called; empty when it can."""
    if name in _CLOCK:
        return f"${name}() reads the time; only a Pause lets time pass, so that a journey can be rehearsed"
    if name == "eval":
        return "Step Functions has no $eval"
    return "" if name in FUNCTIONS else unknown(name, FUNCTIONS, "JSONata has no function")


def _no_variable(name: str, place: Place, *, asked: bool) -> str:
    """Why the variable has no value; empty when it has one, or may have one and the expression asks."""
    if name in place.surely or (asked and name in place.perhaps):
        return ""
    if name in place.perhaps:
        return f"${name} has no value on every way to here; Assign it on each, or ask $exists(${name}) first"
    if place.perhaps:
        return unknown(name, place.perhaps, "no state before this one assigns the variable")
    return f"no state before this one assigns the variable {name!r}; keep what a state gives with Assign"


def _begin(name: str, place: Place, field: str) -> str:
    """Where a name that stands alone may have been meant to come from."""
    if name in place.perhaps:
        return f"${name}"
    result = place.states(field).get("result")
    for holder, names in (("", result), (".Payload", (result or {}).get("Payload"))):
        if names and name in names:
            return f"$states.result{holder}.{name}"
    return "$states.result, $states.input or a variable"


def _no_event(source: str, place: Place) -> str:
    """Why an expression that is nothing but a Pause's event fails; empty for any other."""
    if not _EVENT_ALONE.fullmatch(source) or not {"event", "outcome"} <= (place.result or {}).keys():
        return ""
    return f"there is no event when time ends the Pause, and the journey would fail; write $exists({source}) ? {source} : ''"


def _no_path(names: tuple[str, ...], states: Fields, place: Place) -> str:
    """Why the path leads to nothing; empty when it leads somewhere, or the definition does not say."""
    known: Fields | None = states
    for index, name in enumerate(names):
        if known is None:
            return ""
        if name not in known:
            return _no_name(names[:index], name, known, place)
        known = known[name]
    return ""


def _no_name(holder: tuple[str, ...], name: str, known: Fields, place: Place) -> str:
    """Why there is nothing of this name, and where it is."""
    what = f"{dotted(holder)} has no"
    if holder == () and name in {"result", "errorOutput"}:
        where = "Output and Assign of a Task, Parallel or Map" if name == "result" else "Output and Assign of a Catch"
        return f"$states.{name} is there in {where} only; keep it with Assign"
    payload = known.get("Payload")
    if payload and name in payload:
        return f"{what} {name!r}; a function's answer is in {dotted((*holder, 'Payload', name))}"
    if name == "Payload" and place.result is known:
        return f"{what} 'Payload'; a Pause gives its answer itself, such as $states.result.outcome"
    if known.keys() >= JOURNEY_INPUT.keys():
        return (
            f"{what} {name!r}: a journey's input is {', '.join(known)}; ask about the event that started it with "
            "${EvaluateSegment}, such as rule: { property: total, at_least: 100 }"
        )
    if holder[-1:] == (SPLITS,) and not known:
        return f"{what} {name!r}: journey.yaml declares no splits; write splits: {{{name}: {{a: 50, b: 50}}}} there"
    return unknown(name, known, what) if known else f"{dotted(holder)} is a plain value: it has no {name!r}"
