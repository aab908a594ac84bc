"""What the template engine knows by name: filters, tests, functions and methods. Used by the checks of templates.

The engine is asked, so that no list here can grow old.
"""

from functools import cache
from typing import Final, Literal

from minijinja import TemplateError

from waypost.content.templates import engine

_SAMPLES: Final = ("'x'", "1", "['x']", "{'x': 1}", "true", "'2027-03-01'")
"""Values of each kind, as a template writes them."""

_ARITY: Final = frozenset({"MissingArgument", "TooManyArguments"})
Kind = Literal["filter", "test", "function"]

_CALL: Final[dict[Kind, str]] = {"filter": "{value} | {name}", "test": "{value} is {name}", "function": "{name}()"}
_UNKNOWN: Final[dict[Kind, str]] = {"filter": "UnknownFilter", "test": "UnknownTest", "function": "UnknownFunction"}


@cache
def exists(kind: Kind, name: str) -> bool:
    """Whether the engine has a filter, test or function of this name."""
    found = _error(_CALL[kind].format(value="'x'", name=name))
    return found not in {_UNKNOWN[kind], "SyntaxError", "UndefinedError"}


@cache
def known_names(kind: Kind) -> frozenset[str]:
    """The names that the engine lists; used to name the nearest."""
    listing, found = engine().render_str("{{ debug() }}"), set[str]()
    section = {"filter": "filters: [", "test": "tests: [", "function": "globals: {"}[kind]
    for line in listing.partition(section)[2].splitlines()[1:]:
        name = line.strip().partition('"')[2].partition('"')[0]
        if not name:
            break
        found.add(name)
    return frozenset(found - {"debug"})


@cache
def takes_unknown(kind: Kind, name: str) -> bool:
    """Whether the filter or test may be given a value that is not known, as ``default`` and ``defined`` may."""
    return any(_error(_CALL[kind].format(value="nothing", name=f"{name}{given}")) is None for given in ("", "('x')"))


@cache
def fits(kind: Kind, name: str, positional: int, named: tuple[str, ...]) -> bool:
    """Whether the filter or test takes so many arguments, and those of these names."""
    arguments = ["'x'"] * positional + [f"{each}='x'" for each in named]
    call = f"{name}({', '.join(arguments)})" if arguments else name
    found = [_error(_CALL[kind].format(value=value, name=call)) for value in _SAMPLES]
    return any(error not in _ARITY for error in found)


@cache
def has_method(name: str) -> bool:
    """Whether text, numbers, lists or mappings have a method of this name."""
    return any(_error(f"{value}.{name}()") != "UnknownMethod" for value in _SAMPLES)


def _error(expression: str) -> str | None:
    """The kind of error that the engine answers with, None when it computes the expression."""
    try:
        engine().eval_expr(expression)
    except TemplateError as error:
        return str(error.kind)
    except TypeError:  # a filter of ours that takes other arguments
        return "TooManyArguments"
    except (ArithmeticError, AttributeError, LookupError, ValueError):  # of the value, not of the call
        return None
    return None
