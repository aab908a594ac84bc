"""Find dispatches over a closed set that do not end in ``assert_never``: ``python -m lints.dispatch FOLDER…``. Run by ``make check``.

A closed set is a ``Literal`` of several values, an enumeration, or a union of our own classes. Over one, these are dispatches: a
``match``; and an ``if … elif`` or a row of ``if … return`` that asks for two members or more. When a member is added, mypy
names a dispatch that ends in ``assert_never``, and nothing names the others. A single ``isinstance`` is left to mypy, which
narrows what follows.

What is deliberately about some members only says so on its line: ``# dispatch: why the others need nothing``.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mypy import build
from mypy.main import process_options
from mypy.nodes import Expression, MypyFile, Node
from mypy.types import Instance, LiteralType, NoneType, ProperType, Type, UnionType, get_proper_type

OURS: Final = ("waypost.", "infra.", "local.", "personas.")
ACKNOWLEDGED: Final = re.compile(r"#.*\bdispatch: (\S.{9,})")

Place = tuple[int, int, int, int]
"""Of an expression: first line and column, last line and column."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A dispatch that does not end in ``assert_never``: where, what it is, and the set; ``reason`` when it is acknowledged."""

    path: str
    line: int
    what: str
    members: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} over {self.members} does not end in assert_never"


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """A dispatch in the source, over whatever set, and whether it ends in ``assert_never``."""

    line: int
    what: str
    subject: ast.expr
    ends: bool


def _dispatches(tree: ast.Module) -> Iterator[_Dispatch]:
    part_of_ladder: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Match):
            yield _Dispatch(node.lineno, "a match", node.subject, _never(node.cases[-1].body))
        for block in _blocks(node):
            for index, statement in enumerate(block):
                if isinstance(statement, ast.If) and id(statement) not in part_of_ladder:
                    yield from _ladder(block[index:], part_of_ladder)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _ladder(statements: Sequence[ast.stmt], seen: set[int]) -> Iterator[_Dispatch]:
    """The subjects about one subject from the first statement on, for as long as each branch leaves the block."""
    subjects: list[ast.expr] = []
    rest: Sequence[ast.stmt] = statements
    while rest and isinstance(first := rest[0], ast.If):
        asked, otherwise, leaves = _flattened(first, seen)
        if not asked or len({ast.dump(each) for each in (*subjects[:1], *asked)}) > 1:
            break
        subjects += asked
        seen.add(id(first))
        if otherwise or not leaves:
            rest = otherwise
            break
        rest = rest[1:]
    if len(subjects) > 1:
        yield _Dispatch(statements[0].lineno, "a ladder", subjects[0], _never(rest))


def _flattened(statement: ast.If, seen: set[int]) -> tuple[list[ast.expr], list[ast.stmt], bool]:
    """The subjects of an ``if`` with its ``elif``s, its ``else``, and whether every branch leaves the block."""
    subjects: list[ast.expr] = []
    leaves = True
    while True:
        subject = _subject(statement.test)
        if subject is None:
            return [], [], False
        subjects.append(subject)
        leaves = leaves and isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
        match statement.orelse:
            case [ast.If() as following]:
                seen.add(id(following))
                statement = following
            case otherwise:
                return subjects, otherwise, leaves


def _subject(test: ast.expr) -> ast.expr | None:
    """The subject of ``isinstance(subject, …)`` or ``subject == …`` (``!=``, ``in``, ``not in``, ``is``), also negated."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _subject(operand)
        case ast.Call(func=ast.Name(id="isinstance"), args=[subject, _]):
            return subject
        case ast.Compare(left=ast.Name() | ast.Attribute() as subject, comparators=[_]):
            return subject
        case _:
            return None


def _never(body: Sequence[ast.stmt]) -> bool:
    """Whether the first statement is ``assert_never(…)``."""
    match body:
        case [ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))), *_]:
            return True
        case _:
            return False


def members(kind: Type | None) -> str:
    """The members of a closed set, for people to read; empty for any other type."""
    items = [] if kind is None else [item for item in _flat(kind) if not isinstance(item, NoneType)]
    names = [_member(item) for item in items]
    is_enum = any(isinstance(item, Instance) and item.type.is_enum for item in items)
    return " | ".join(names) if all(names) and (len(names) > 1 or is_enum) else ""


def _flat(kind: Type) -> Iterator[ProperType]:
    proper = get_proper_type(kind)
    if isinstance(proper, UnionType):
        for item in proper.items:
            yield from _flat(item)
    else:
        yield proper


def _member(item: ProperType) -> str:
    """A member as it is written, when it is a literal, an enumeration or a class of ours."""
    if isinstance(item, LiteralType):
        return "" if isinstance(item.value, bool) else repr(item.value)
    if isinstance(item, Instance) and (item.type.is_enum or item.type.fullname.startswith(OURS)):
        return item.type.name
    return ""


def in_source(path: str, source: str, members_at: Callable[[Place], str]) -> Iterator[Finding]:
    """The dispatches of a file over closed sets; those that end in ``assert_never`` have the reason "ends"."""
    lines = source.splitlines()
    for each in _dispatches(ast.parse(source)):
        at = each.subject
        closed = members_at((at.lineno, at.col_offset, at.end_lineno or 0, at.end_col_offset or 0))
        if closed:
            reason = ACKNOWLEDGED.search(lines[each.line - 1])
            yield Finding(path, each.line, each.what, closed, ENDS if each.ends else reason.group(1) if reason else "")


def expressions(tree: MypyFile) -> Iterator[Expression]:
    """Every expression of a file. mypy is compiled, so its visitors cannot be inherited from."""
    waiting: list[object] = [tree.defs]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting += node
        elif isinstance(node, Node) and id(node) not in seen:
            seen.add(id(node))
            if isinstance(node, Expression):
                yield node
            names = {name for kind in type(node).__mro__ for name in getattr(kind, "__mypyc_attrs__", ())}
            waiting += [getattr(node, name, None) for name in names - REFERENCES]


REFERENCES: Final = frozenset({"node", "info", "type", "names", "original_def", "def_var"})
"""Attributes of a node that lead out of what is written there."""

ENDS: Final = "ends in assert_never"


def findings(folders: Sequence[str]) -> list[Finding]:
    """Every dispatch over a closed set below folders. What mypy refuses is not repeated: the gate asks it first."""
    sources, options = process_options([*folders])
    options.export_types = options.preserve_asts = True
    options.incremental = False  # types are kept of what is checked in this run only
    options.follow_imports = "skip"  # of other people's packages no type is asked, and some take minutes
    options.plugins = []
    result = build.build(sources, options)
    found: list[Finding] = []
    for source in sources:
        tree = result.files[source.module]
        types = {
            (each.line, each.column, each.end_line or 0, each.end_column or 0): result.types[each]
            for each in expressions(tree)
            if each in result.types
        }
        text = Path(tree.path).read_text(encoding="utf-8")
        found += in_source(tree.path, text, lambda place, types=types: members(types.get(place)))  # type: ignore[misc]
    return sorted(found)


def main(folders: Sequence[str]) -> int:
    """Print what is not acknowledged, and the counts. The exit code: 1 when there is anything."""
    found = findings(folders)
    open_ends = [each for each in found if not each.reason]
    acknowledged = sum(each.reason not in {"", ENDS} for each in found)
    for each in open_ends:
        sys.stdout.write(f"{each}\n")
    if open_ends:
        sys.stdout.write("→ end it in assert_never, or say on its line why not: # dispatch: …\n")
    sys.stdout.write(
        f"  {len(found)} dispatches over closed sets, {acknowledged} acknowledged, {len(open_ends)} without an end\n"
    )
    return 1 if open_ends else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
