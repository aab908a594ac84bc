"""Follow a template through all its branches and say what may be missing, misnamed or unprintable in it. Used when messages are published.

Templates are rendered by minijinja, which does not show its syntax tree; its language is that of Jinja2, whose parser does.
Sample renders alone cannot see behind a question such as ``{% if contact.tier | default("") == "gold" %}``.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from jinja2 import Environment, TemplateError, nodes

from waypost.authoring.problems import unknown
from waypost.authoring.template_names import exists, fits, has_method, known_names, takes_unknown
from waypost.authoring.template_shapes import COMPUTED, LOOP, UNSURE, Shape, either, record
from waypost.content.wording import STYLES

Facts = frozenset[str]
"""What is known at a place: ``contact.tier`` has a value, ``items[]`` is a list that is not empty, ``items[2]`` has a third."""

_PARSER: Final = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=False)  # noqa: S701 - it only parses
_DEEPEST_CALL: Final = 8
_LONGEST_TRIED: Final = 12
"""Elements of a list that a condition may ask for, as in ``products.related | length > 2``."""

_ELSEWHERE: Final = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class UnsafeTemplateError(Exception):
    """The template would fail, or show a wrong word, for some contact; ``line`` is where."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def check_guards(template: str, roots: Mapping[str, Shape], missing: Callable[[str], str]) -> None:
    """Raise UnsafeTemplateError at the first place that fails for a contact.

    ``roots`` are the variables by name. ``missing`` gives the reason for a name without a value.
    """
    try:
        tree = _PARSER.parse(template)
    except TemplateError as error:
        raise UnsafeTemplateError(f"cannot be followed: {error}", getattr(error, "lineno", None) or 0) from None
    names = {name: shape.at(name) for name, shape in roots.items()}
    _Walk(missing).body(tree.body, _State(names))


@dataclass(frozen=True, slots=True)
class _State:
    """The variables and facts at one place of the template."""

    names: Mapping[str, Shape]
    facts: Facts = frozenset()

    def knowing(self, facts: Facts) -> "_State":
        """The same place once ``facts`` are known too."""
        return replace(self, facts=self.facts | facts)

    def naming(self, **bound: Shape) -> "_State":
        """The same place with other meanings of some names; what was known of these is forgotten."""
        facts = frozenset(fact for fact in self.facts if fact.partition(".")[0].partition("[")[0] not in bound)
        return replace(self, names={**self.names, **bound}, facts=facts)


@dataclass(slots=True)
class _Walk:
    """One walk through a template."""

    missing: Callable[[str], str]
    macros: dict[str, nodes.Macro] = field(default_factory=dict)
    depth: int = 0

    def body(self, statements: Iterable[nodes.Node], state: _State) -> _State | None:
        """What is known after the statements; None when a ``break`` or ``continue`` leaves them."""
        here: _State | None = state
        for statement in statements:
            if here is None:
                return None
            here = self._statement(statement, here)
        return here

    def _statement(self, node: nodes.Node, state: _State) -> _State | None:  # noqa: C901, PLR0911, PLR0912 - one case per statement
        match node:
            case nodes.Output():
                for each in node.nodes:
                    if not isinstance(each, nodes.TemplateData):
                        self._printed(each, state)
                return state
            case nodes.If():
                return self._if(node, state)
            case nodes.For():
                return self._for(node, state)
            case nodes.Assign():
                value = self._shape(node.node, state)
                known = replace(value, sure=value.sure or value.path in state.facts)
                return self._assign(node.target, known, state)
            case nodes.AssignBlock():
                self.body(node.body, state)
                return self._assign(node.target, COMPUTED, state)
            case nodes.With():
                bound = {
                    target.name: self._shape(value, state)
                    for target, value in zip(node.targets, node.values, strict=True)
                    if isinstance(target, nodes.Name)
                }
                inner = self.body(node.body, state.naming(**bound))
                return None if inner is None else state
            case nodes.Macro():
                self.macros[node.name] = node
                return state
            case nodes.CallBlock():
                self.body(node.body, state.naming(**{each.name: Shape() for each in node.args}))
                self._call(node.call, state)
                return state
            case nodes.FilterBlock():
                self.body(node.body, state)
                self._shape(node.filter, state)
                return state
            case nodes.Break() | nodes.Continue():
                return None
            case nodes.ExprStmt():
                self._shape(node.node, state)
                return state
            case _ if isinstance(node, _ELSEWHERE):
                raise UnsafeTemplateError("a template reads no other template; MJML has mj-include", node.lineno)
            case _:  # blocks and scopes, which only hold statements
                return self.body(getattr(node, "body", ()), state)

    def _if(self, node: nodes.If, state: _State) -> _State | None:
        ways: list[_State | None] = []
        rest = state
        for branch in [node, *node.elif_]:
            self._needed(branch.test, rest)
            ways.append(self.body(branch.body, rest.knowing(self._implied(branch.test, rest, holds=True))))
            rest = rest.knowing(self._implied(branch.test, rest, holds=False))
        ways.append(self.body(node.else_, rest))
        return _joined([way for way in ways if way is not None])

    def _for(self, node: nodes.For, state: _State) -> _State:
        each = self._needed(node.iter, state)
        if each.kind == "record" and each.path:
            raise UnsafeTemplateError(
                f"{each.path} is no list; name one of {', '.join(sorted(each.fields))}", node.lineno
            )
        targets = [node.target] if isinstance(node.target, nodes.Name) else getattr(node.target, "items", [])
        bound = {target.name: each.each(target.name) for target in targets if isinstance(target, nodes.Name)}
        if len(targets) > 1:
            bound = {name: Shape(path=name) for name in bound}
        inside = state.naming(**bound, loop=LOOP.at("loop"))
        if node.test is not None:
            self._needed(node.test, inside)
            inside = inside.knowing(self._implied(node.test, inside, holds=True))
        self.body(node.body, inside)
        self.body(node.else_, state)
        return state

    def _assign(self, target: nodes.Node, value: Shape, state: _State) -> _State:
        match target:
            case nodes.Name():
                return state.naming(**{target.name: value.at(value.path or target.name)})
            case nodes.Tuple():
                return state.naming(
                    **{each.name: Shape(path=each.name) for each in target.items if isinstance(each, nodes.Name)}
                )
            case _:
                return state

    # ------------------------------------------------------------------------------------------------- expressions

    def _printed(self, node: nodes.Node, state: _State) -> None:
        """The expression is shown: it must be there, and be something that can be read."""
        shape = self._needed(node, state)
        if shape.kind in {"record", "mapping"}:
            which = f"{shape.path or '…'}.{min(shape.fields, default='name')}"
            raise UnsafeTemplateError(
                f"{shape.path or 'this'} cannot be printed: it is several values with names; print one, such as {which}",
                node.lineno,
            )
        if shape.kind == "list" and shape.element is not None and shape.element.kind in {"record", "mapping"}:
            raise UnsafeTemplateError(
                f"{shape.path or 'this'} cannot be printed: it is a list; go through it with a for", node.lineno
            )

    def _needed(self, node: nodes.Node, state: _State) -> Shape:
        """The value of an expression that must have one."""
        shape = self._shape(node, state)
        if not shape.sure and shape.path not in state.facts:
            raise UnsafeTemplateError(self.missing(shape.path), node.lineno)
        filled = f"{shape.path}[]" in state.facts
        return replace(shape, sure=True, filled=shape.filled or filled, kind="list" if filled else shape.kind)

    def _shape(self, node: nodes.Node, state: _State) -> Shape:  # noqa: C901, PLR0911, PLR0912 - one case per expression
        match node:
            case nodes.Name():
                return self._name(node, state)
            case nodes.Getattr():
                return self._member(node, node.attr, state)
            case nodes.Getitem():
                return self._item(node, state)
            case nodes.Filter():
                return self._filter(node, state)
            case nodes.Test():
                self._test(node, state)
                return COMPUTED
            case nodes.And() | nodes.Or():
                left = self._needed(node.left, state)
                holds = isinstance(node, nodes.And)
                return either(
                    left, self._needed(node.right, state.knowing(self._implied(node.left, state, holds=holds)))
                )
            case nodes.CondExpr():
                self._needed(node.test, state)
                yes = self._needed(node.expr1, state.knowing(self._implied(node.test, state, holds=True)))
                if node.expr2 is None:
                    return yes
                return either(
                    yes, self._needed(node.expr2, state.knowing(self._implied(node.test, state, holds=False)))
                )
            case nodes.List() | nodes.Tuple():
                elements = [self._needed(each, state) for each in node.items]
                return _list_of(elements)
            case nodes.Dict():
                fields = {
                    str(pair.key.value): self._needed(pair.value, state)
                    for pair in node.items
                    if isinstance(pair.key, nodes.Const)
                }
                return record(**fields) if len(fields) == len(node.items) and fields else Shape()
            case nodes.Call():
                return self._call(node, state)
            case _:
                for child in node.iter_child_nodes():
                    self._needed(child.expr if isinstance(child, nodes.Operand) else child, state)
                return COMPUTED

    def _name(self, node: nodes.Name, state: _State) -> Shape:
        if node.name in state.names:
            return state.names[node.name]
        if exists("function", node.name) or node.name in self.macros:
            return Shape()
        raise UnsafeTemplateError(unknown(node.name, state.names, "unknown variable"), node.lineno)

    def _member(self, node: nodes.Getattr | nodes.Getitem, name: str, state: _State) -> Shape:
        holder = self._needed(node.node, state)
        found = holder.member(name)
        if found is None:
            raise UnsafeTemplateError(self._no_member(holder, name), node.lineno)
        return Shape(path="contact.id") if found.path == "contact.id" else found

    def _no_member(self, holder: Shape, name: str) -> str:
        if holder.path == "event":
            return f"'event' has no {name!r}; what the sender put into the event is in event.properties.{name}"
        if "name" in holder.fields and "price" in holder.fields:
            return unknown(name, holder.fields, "a product has no field")
        return unknown(name, holder.fields, f"{holder.path!r} has no" if holder.path else "there is no field")

    def _item(self, node: nodes.Getitem, state: _State) -> Shape:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._member(node, node.arg.value, state)
        holder = self._needed(node.node, state)
        if isinstance(node.arg, nodes.Slice):
            return Shape("list", element=holder.element, path="")
        index = node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int) else None
        if index is None:
            self._needed(node.arg, state)
        if holder.kind == "record":
            return Shape()  # a field whose name is computed
        return holder.item(index)

    def _filter(self, node: nodes.Filter, state: _State) -> Shape:  # noqa: C901, PLR0911 - one case per kind of filter
        if not exists("filter", node.name):
            raise UnsafeTemplateError(
                unknown(node.name, known_names("filter"), f"filter {node.name} is unknown:"), node.lineno
            )
        self._arguments("filter", node, state)
        named = {str(each.key): each.value for each in node.kwargs}
        if reason := _wrong_words(node, named):
            raise UnsafeTemplateError(reason, node.lineno)
        if node.node is None:  # of a filter block
            return COMPUTED
        if node.name in {"default", "d"}:
            return self._default(node, state)
        value = self._shape(node.node, state)
        if not takes_unknown("filter", node.name):
            value = self._needed(node.node, state)
        match node.name:
            case "first" | "last" | "min" | "max":
                return value.item(0 if node.name != "last" else -1)
            case "attr":
                name = node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else ""
                return value.member(str(name)) or UNSURE
            case "map" if "attribute" in named:
                return Shape("list", element=Shape(), filled=value.filled)
            case "sort" | "unique" | "reverse" | "list":
                return replace(value, kind="list" if value.kind == "list" else "any")
            case "select" | "reject" | "selectattr" | "rejectattr" | "batch" | "slice" | "groupby" | "items":
                return Shape("list", element=value.element if "ct" in node.name else None)
            case _:
                return COMPUTED

    def _default(self, node: nodes.Filter, state: _State) -> Shape:
        value = COMPUTED if node.node is None else self._shape(node.node, state)
        other = self._needed(node.args[0], state) if node.args else COMPUTED
        for_empty = any(isinstance(each, nodes.Const) and each.value is True for each in node.args[1:])
        if value.sure and value.kind != "any" and not for_empty:
            return value
        if value.kind == "text" and other.kind in {"text", "any"}:
            return Shape("text", path=value.path)
        if value.kind == "list" and other.kind == "list" and value.element is None:
            return replace(other, path=value.path)
        filled = other.filled and for_empty
        return Shape("list" if filled else "any", path=value.path, filled=filled)

    def _test(self, node: nodes.Test, state: _State) -> None:
        if not exists("test", node.name):
            raise UnsafeTemplateError(
                unknown(node.name, known_names("test"), f"test {node.name} is unknown:"), node.lineno
            )
        self._arguments("test", node, state)
        if takes_unknown("test", node.name):
            self._shape(node.node, state)
        else:
            self._needed(node.node, state)

    def _arguments(self, kind: str, node: nodes.Filter | nodes.Test, state: _State) -> None:
        for each in [*node.args, *(pair.value for pair in node.kwargs)]:
            self._needed(each, state)
        first = node.args[0] if node.args else None
        if node.name in {"map", "select", "reject"} and isinstance(first, nodes.Const):
            inner = "filter" if node.name == "map" else "test"
            if not exists(inner, str(first.value)):
                raise UnsafeTemplateError(
                    unknown(first.value, known_names(inner), f"{inner} {first.value} is unknown:"), node.lineno
                )
            return
        which = "filter" if kind == "filter" else "test"
        if not fits(which, node.name, len(node.args), tuple(pair.key for pair in node.kwargs)):
            raise UnsafeTemplateError(f"{kind} {node.name} takes other arguments than these", node.lineno)

    def _call(self, node: nodes.Call, state: _State) -> Shape:
        arguments = [self._needed(each, state) for each in [*node.args, *(pair.value for pair in node.kwargs)]]
        match node.node:
            case nodes.Name(name=name) if name in self.macros:
                self._macro(self.macros[name], node, arguments, state)
                return COMPUTED
            case nodes.Name(name=name) if name not in state.names:
                if name == "caller":
                    return COMPUTED
                if not exists("function", name):
                    raise UnsafeTemplateError(
                        unknown(name, known_names("function"), f"{name} is unknown: function"), node.lineno
                    )
                return Shape("list", element=COMPUTED) if name == "range" else Shape()
            case nodes.Name(name="loop"):
                return COMPUTED
            case nodes.Getattr(node=holder, attr=method):
                shape = self._needed(holder, state)
                if shape.path == "loop" and method in {"cycle", "changed"}:
                    return COMPUTED
                if shape.kind == "record" or not has_method(method):
                    raise UnsafeTemplateError(f"nothing has a method {method!r}; write it as a filter", node.lineno)
                return Shape()
            case _:
                raise UnsafeTemplateError("this cannot be called", node.lineno)

    def _macro(self, macro: nodes.Macro, call: nodes.Call, arguments: Sequence[Shape], state: _State) -> None:
        if self.depth >= _DEEPEST_CALL:
            raise UnsafeTemplateError(f"macro {macro.name} calls itself too often", call.lineno)
        names = [each.name for each in macro.args]
        bound = {name: replace(UNSURE, path=name) for name in names}
        defaults = names[len(names) - len(macro.defaults) :]
        bound |= {name: self._needed(value, state) for name, value in zip(defaults, macro.defaults, strict=True)}
        bound |= dict(zip(names, arguments[: len(call.args)], strict=False))
        bound |= {pair.key: shape for pair, shape in zip(call.kwargs, arguments[len(call.args) :], strict=True)}
        self.depth += 1
        self.body(macro.body, state.naming(**{name: shape.at(name) for name, shape in bound.items()}))
        self.depth -= 1

    # ------------------------------------------------------------------------------------- what a condition says

    def _implied(self, node: nodes.Node, state: _State, *, holds: bool) -> Facts:
        """What must be known when the condition holds, or when it does not."""
        match node:
            case nodes.Not():
                return self._implied(node.node, state, holds=not holds)
            case nodes.And() | nodes.Or():
                left = self._implied(node.left, state, holds=holds)
                right = self._implied(node.right, state.knowing(left), holds=holds)
                return left | right if holds == isinstance(node, nodes.And) else left & right
            case nodes.Test(name="defined" | "undefined"):
                path = self._path(node.node, state)
                return frozenset(_upwards(path)) if path and holds == (node.name == "defined") else frozenset()
            case _:
                return frozenset(self._shown_by_trying(node, state, holds=holds))

    def _shown_by_trying(self, node: nodes.Node, state: _State, *, holds: bool) -> Iterator[str]:
        """The only value that a condition asks about is known if without it the condition would come out otherwise."""
        unsure = {path: each for each in self._unsure(node, state) if (path := self._path(each, state))}
        if len(unsure) != 1:
            return
        [path] = unsure
        unknown_value = _tried(node, lambda each: self._path(each, state) == path, _PARSER.undefined())
        if unknown_value is None or unknown_value == holds:
            return
        yield from _upwards(path)
        for length in range(_LONGEST_TRIED):
            if _tried(node, lambda each: self._path(each, state) == path, ["x"] * length) != (not holds):
                return
            yield from (f"{path}[]", f"{path}[{length}]")

    def _unsure(self, node: nodes.Node, state: _State) -> Iterator[nodes.Node]:
        """The outermost names in an expression that need not have a value, or may be empty."""
        if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name):
            path = self._path(node, state)
            if path:
                yield node
                return
        for child in node.iter_child_nodes():
            yield from self._unsure(child, state)

    def _path(self, node: nodes.Node, state: _State) -> str:
        """How facts name the value; empty for what is computed. A default that holds nothing changes no name inside it."""
        match node:
            case nodes.Name():
                return state.names[node.name].path if node.name in state.names else ""
            case nodes.Getattr(node=holder, attr=name):
                return f"{path}.{name}" if (path := self._path(holder, state)) else ""
            case nodes.Getitem(node=holder, arg=nodes.Const(value=str(name))):
                return f"{path}.{name}" if (path := self._path(holder, state)) else ""
            case nodes.Getitem(node=holder, arg=nodes.Const(value=int(index))):
                return f"{path}[{index}]" if (path := self._path(holder, state)) else ""
            case nodes.Filter(
                name="default" | "d", node=nodes.Node() as value, args=[nodes.Dict(items=[]) | nodes.List(items=[])]
            ):
                return self._path(value, state)
            case _:
                return ""


def _wrong_words(node: nodes.Filter, named: Mapping[str, nodes.Expr]) -> str:
    """Why a filter of ours cannot take the word that is written out for it; empty when it can."""
    name = {"date": "style", "datetime": "style", "money": "currency"}.get(node.name)
    given = None if name is None else named.get(name, node.args[0] if node.args else None)
    if not isinstance(given, nodes.Const):
        return ""
    if name == "style":
        return "" if given.value in STYLES else unknown(given.value, STYLES, "a date has no style")
    is_code = isinstance(given.value, str) and re.fullmatch("[A-Z]{3}", given.value)
    return "" if is_code else f"money needs the code of a currency such as CNY, got {given.value!r}"


def _joined(ways: Sequence[_State]) -> _State | None:
    """What is known where several ways meet."""
    if not ways:
        return None
    names = {name: _meeting(name, ways) for way in ways for name in way.names}
    return _State(names, frozenset.intersection(*(way.facts for way in ways)))


def _meeting(name: str, ways: Sequence[_State]) -> Shape:
    """The variable after the ways: what is not set on one of them need not be there."""
    first, *others = (way.names.get(name, UNSURE.at(name)) for way in ways)
    for other in others:
        first = first if other is first else either(first, other).at(name)
    return first


def _list_of(elements: Sequence[Shape]) -> Shape:
    if not elements:
        return Shape("list")
    element = elements[0]
    for each in elements[1:]:
        element = either(element, each)
    return Shape("list", element=element, filled=True)


def _upwards(path: str) -> Iterator[str]:
    """The value and all that hold it; a list that holds it is not empty."""
    while path:
        yield path
        at = max(path.rfind("."), path.rfind("["))
        if at < 0:
            return
        if path[at] == "[":
            yield f"{path[:at]}[]"
        path = path[:at]


def _tried(node: nodes.Node, is_it: Callable[[nodes.Node], bool], value: object) -> bool | None:
    """Whether the condition holds once ``value`` stands in the place of a name; None where that cannot be computed."""

    def put(inside: nodes.Node) -> nodes.Node:
        if isinstance(inside, nodes.Getattr | nodes.Getitem | nodes.Name) and is_it(inside):
            constant = nodes.Const(value)
            constant.environment = _PARSER
            return constant
        for name, each in inside.iter_fields():
            if isinstance(each, nodes.Node):
                setattr(inside, name, put(each))
            elif isinstance(each, list):
                setattr(inside, name, [put(one) if isinstance(one, nodes.Node) else one for one in each])
        return inside

    expression = put(copy.deepcopy(node))
    if not isinstance(expression, nodes.Expr):
        return None
    try:
        return bool(expression.as_const(nodes.EvalContext(_PARSER)))
    except (nodes.Impossible, TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
