"""What a JSONata expression reads: variables, functions and paths into ``$states``. Used by the checks of definitions.

The parser is the one whose engine runs expressions in a rehearsal, so both understand the same text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from jsonata import JException, Jsonata  # type: ignore[import-untyped]

FUNCTIONS: Final = frozenset({
    "abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil", "clone", "contains",
    "count", "decodeUrl", "decodeUrlComponent", "distinct", "each", "encodeUrl", "encodeUrlComponent", "error",
    "exists", "filter", "floor", "formatBase", "formatInteger", "formatNumber", "fromMillis", "hash", "join", "keys",
    "length", "lookup", "lowercase", "map", "match", "max", "merge", "millis", "min", "not", "now", "number", "pad",
    "parse", "parseInteger", "partition", "power", "random", "range", "reduce", "replace", "reverse", "round", "shuffle",
    "sift", "single", "sort", "split", "spread", "sqrt", "string", "substring", "substringAfter", "substringBefore",
    "sum", "toMillis", "trim", "type", "uppercase", "uuid", "zip",
})  # fmt: skip
"""Source: JSONata 2.0 function library; AWS Step Functions Developer Guide, "JSONata functions provided by Step Functions",
which also says that ``$eval`` is not there."""

RESERVED: Final = frozenset({"states", "eval"})
"""Names that no variable can have besides those of functions."""

_RELATIVE: Final = ("stages", "predicate", "terms", "group", "pattern", "update", "delete")
"""Parts of a step whose names are looked up in what the step found."""


class BrokenExpressionError(ValueError):
    """The text is no JSONata; says why."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What an expression reads.

    ``variables`` come from outside, ``asked`` are those only asked for with ``$exists``; ``functions`` are called by
    names that nothing in the expression binds. ``paths`` lead into ``$states``, as the names after it. ``bare`` are names
    that stand alone, where nothing is that they could be looked up in.
    """

    variables: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    paths: set[tuple[str, ...]] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)


def reads_of(source: str) -> Reads:
    """What the expression reads. Raises BrokenExpressionError."""
    try:
        tree = Jsonata(source).ast
    except JException as error:
        raise BrokenExpressionError(str(error)) from None
    reads = Reads()
    _Reader(reads).read(tree, set(), at_top=True)
    return reads


@dataclass(frozen=True, slots=True)
class _Reader:
    reads: Reads

    def read(self, node: Any, bound: set[str], *, at_top: bool) -> None:  # noqa: C901 - one case per node
        """Note what the node reads; ``bound`` are the variables of the expression itself and grow with it."""
        match node.type:
            case "variable":
                self._variable(str(node.value), bound)
            case "name" if at_top:
                self.reads.bare.add(str(node.value))
            case "path":
                self._path(node.steps, bound, at_top=at_top)
            case "bind":
                bound.add(str(node.lhs.value))  # a function may call itself
                self.read(node.rhs, bound, at_top=at_top)
            case "block":
                inner = set(bound)
                for each in node.expressions:
                    self.read(each, inner, at_top=at_top)
            case "lambda":
                self.read(node.body, bound | {str(each.value) for each in node.arguments}, at_top=False)
            case "function" | "partial":
                self._call(node, bound, at_top=at_top)
            case _:
                for each in _children(node):
                    self.read(each, bound, at_top=at_top)
        for part in _RELATIVE:
            for each in _nodes(getattr(node, part, None)):
                self.read(each, bound, at_top=False)

    def _variable(self, name: str, bound: set[str]) -> None:
        if name == "states":
            self.reads.paths.add(())
        elif name not in {"", "$"} and name not in bound:
            (self.reads.functions if name in FUNCTIONS else self.reads.variables).add(name)

    def _path(self, steps: list[Any], bound: set[str], *, at_top: bool) -> None:
        inner = bound | {str(name) for step in steps for name in (step.focus, step.index) if isinstance(name, str)}
        first, *rest = steps
        if first.type == "variable" and first.value == "states":
            names = []
            for step in rest:
                if step.type != "name":
                    break
                names.append(str(step.value))
            self.reads.paths.add(tuple(names))
        self.read(first, inner, at_top=at_top)
        for step in rest:
            if step.type != "name":
                self.read(step, inner, at_top=False)
            else:
                self._parts(step, inner)

    def _parts(self, step: Any, bound: set[str]) -> None:
        for part in _RELATIVE:
            for each in _nodes(getattr(step, part, None)):
                self.read(each, bound, at_top=False)

    def _call(self, node: Any, bound: set[str], *, at_top: bool) -> None:
        name = str(node.procedure.value) if node.procedure.type == "variable" else ""
        if not name:
            self.read(node.procedure, bound, at_top=at_top)
        elif name not in bound:
            self.reads.functions.add(name)
        if name == "exists" and all(each.type == "variable" for each in node.arguments):
            self.reads.asked.update(str(each.value) for each in node.arguments if each.value not in bound)
            return
        for each in node.arguments:
            if each.type != "operator":  # the ? of a partial application
                self.read(each, bound, at_top=at_top)


def _children(node: Any) -> Iterator[Any]:
    for part in ("lhs", "rhs", "expression", "expr", "condition", "then", "_else", "expressions", "lhs_object", "body"):
        yield from _nodes(getattr(node, part, None))


def _nodes(value: Any) -> Iterator[Any]:
    """The nodes of the syntax tree in a part of a node: one, a list, or a list of pairs."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _nodes(each)
    elif value is not None and hasattr(value, "type"):
        yield value


def dotted(names: Iterable[str]) -> str:
    """The path as an author writes it."""
    return ".".join(("$states", *names))
