"""Which AWS operations the code of each function can reach, found by reading it from its wired objects on.

Run in a process of its own, with settings that name themselves: ``python -m tests.infra.reachable_calls`` prints
``{"calls": {function: [[service, operation, resource], …]}, "unreached": […]}``, where the resource is the setting that the calling adapter holds
(``events_queue_url``), ``contacts_table/due`` for an index, ``files_bucket/imports/`` for each folder that the adapter reads or writes, or empty.

The handlers' cached factories build the real objects, without a call to AWS. From the functions of a handler on, bodies are
read with those objects in their names: ``self.queue.send(event)`` leads to the ``send`` of the very object in ``queue``.
Branches are not decided, so what is found is what may happen; code is left out only where nothing leads to it.
"""

import ast
import functools
import importlib
import inspect
import json
import os
import pkgutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any, Final

from botocore import xform_name
from botocore.session import Session

import waypost.aws
from tests.infra.rights import SECRETS_BY_SETTING
from waypost.aws.clients import LazyClient
from waypost.contacts.channels import CHANNELS
from waypost.errors import InvalidInput
from waypost.files.folders import Folders
from waypost.settings import Settings

OURS: Final = ("waypost", "functions")
_CONSTRUCTS: Final = {
    "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}  # fmt: skip
"""What a part of a DynamoDB transaction is: each needs the right of the call that does it alone."""
_READS_FILES: Final = frozenset({"GetObject", "HeadObject", "ListObjectsV2"})
"""Operations on the folders that an adapter reads; all others of S3 are on those that it writes."""
_ROUNDS: Final = 2  # a body is read twice, because a loop may use below what it learns above

Values = dict[Any, Any]
"""The objects that an expression may be, by what tells them apart."""


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """An operation of a service that may be called, on the resource that the setting names."""

    service: str
    operation: str
    resource: str


@dataclass(frozen=True, slots=True)
class Resource:
    """What an adapter works on: the setting that names it, and of the bucket of files the folders."""

    setting: str = ""
    folders: Folders = field(default_factory=Folders)

    def places(self, service: str, operation: str) -> list[str]:
        """The parts of it that an operation works on; the whole bucket for an adapter that names no folder."""
        if service != "s3":
            return [self.setting]
        folders = self.folders.reads if operation in _READS_FILES else self.folders.writes
        return [f"{self.setting}/{folder}" for folder in folders or ("",)]


NOWHERE: Final = Resource()


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a client."""

    client: LazyClient
    method: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of an object, or a function and nothing."""

    function: Any
    owner: Any = None


@dataclass(slots=True, eq=False)
class Made:
    """An object that the code makes itself while it runs; ``resource`` is that of the adapter that makes it."""

    of: type
    resource: Resource
    attributes: dict[str, Values] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A function inside of a function, or a lambda, with the names around it."""

    node: ast.Lambda | ast.FunctionDef
    frame: "Frame"


@dataclass(slots=True, eq=False)
class Frame:
    """A body that is being read: its names, what it returns, and the resource of the adapter it works for."""

    module: Mapping[str, Any]
    names: dict[str, Values]
    resource: Resource
    source: ast.AST
    returned: Values = field(default_factory=dict)


class Reading:
    """Reads the code of one function; ``calls`` has what was found, ``functions`` what was read."""

    def __init__(self) -> None:
        self.calls: set[Call] = set()
        self.functions: set[FunctionType] = set()
        self._known: dict[Any, Values] = {}
        self._made: dict[Any, Made] = {}
        self._learned: dict[Any, Values] = {}  # what the code puts into attributes of the wired objects

    def run(self, function: FunctionType) -> None:
        """Read a function of a handler and all it leads to."""
        self._call(Bound(function), [], {}, NOWHERE)

    # -- bodies

    def _call(self, bound: Bound, positional: list[Values], named: dict[str, Values], resource: Resource) -> Values:
        function = inspect.unwrap(bound.function)
        if not _may_call(function, bound.owner, [*positional, *named.values()]):
            return {}
        own = _resource(bound.owner)
        resource = own if own.setting else resource if _touches_aws(function) else NOWHERE
        key = (
            function,
            resource,
            _key(bound.owner),
            *(_keys(each) for each in positional),
            *((n, _keys(v)) for n, v in named.items()),
        )
        if key in self._known:
            return self._known[key]
        self._known[key] = {}
        self.functions.add(function)
        node = _definition(function)
        if node is None:
            return {}
        owner = [] if bound.owner is None else [_one(bound.owner)]
        names = {**_closed_over(function), **_parameters(node.args, [*owner, *positional], named)}
        frame = Frame(function.__globals__, names, resource, node)
        self._read(frame, node.body)
        self._known[key] = frame.returned
        return frame.returned

    def _call_closure(self, closure: Closure, positional: list[Values], named: dict[str, Values]) -> Values:
        key = (closure.node, id(closure.frame), *(_keys(each) for each in positional))
        if key in self._known:
            return self._known[key]
        self._known[key] = {}
        around = closure.frame
        names = {**around.names, **_parameters(closure.node.args, positional, named)}
        frame = Frame(around.module, names, around.resource, closure.node)
        if isinstance(closure.node, ast.Lambda):
            frame.returned.update(self._value(closure.node.body, frame))
        else:
            self._read(frame, closure.node.body)
        self._known[key] = frame.returned
        return frame.returned

    def _read(self, frame: Frame, body: list[ast.stmt]) -> None:
        for _ in range(_ROUNDS):
            for statement in body:
                self._statement(statement, frame)

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        match node:
            case ast.FunctionDef():
                closure = Closure(node, frame)
                frame.names.setdefault(node.name, {})[node] = closure
                self._call_closure(closure, [], {})
                return
            case ast.Import() | ast.ImportFrom():
                frame.names.update({name: _one(value) for name, value in _imported(node)})
                return
            case ast.Assign(targets=targets, value=value):
                found = self._value(value, frame)
                for target in targets:
                    self._bind(target, found, frame)
                return
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
                self._bind(target, self._value(value, frame), frame)
                return
            case ast.Return(value=ast.expr() as value):
                frame.returned.update(self._value(value, frame))
                return
            case ast.For(target=target, iter=iterated):
                self._bind(target, self._elements(self._value(iterated, frame)), frame)
            case ast.With(items=items):
                for item in items:
                    entered = self._entered(self._value(item.context_expr, frame))
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, entered, frame)
            case ast.Match(subject=subject, cases=cases):
                found = self._elements(self._value(subject, frame))
                for case in cases:
                    for part in ast.walk(case.pattern):
                        if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                            frame.names.setdefault(part.name, {}).update(found)
            case _:
                pass
        self._inner(node, frame)

    def _inner(self, node: ast.AST, frame: Frame) -> None:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.stmt():
                    self._statement(child, frame)
                case ast.expr():
                    self._value(child, frame)
                case _:
                    self._inner(child, frame)

    def _bind(self, target: ast.expr, found: Values, frame: Frame) -> None:
        match target:
            case ast.Name(id=name):
                frame.names.setdefault(name, {}).update(found)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._bind(part, self._elements(found), frame)
            case ast.Starred(value=value):
                self._bind(value, found, frame)
            case ast.Attribute(value=value, attr=attribute):
                for owner in list(self._value(value, frame).values()):
                    if isinstance(owner, Made):
                        owner.attributes.setdefault(attribute, {}).update(found)
                    else:
                        self._learned.setdefault((_key(owner), attribute), {}).update(found)
            case ast.Subscript(value=value):
                self._bind(value, found, frame)
            case _:
                pass

    # -- expressions

    def _value(self, node: ast.expr, frame: Frame) -> Values:
        match node:
            case ast.Name(id=name):
                if name in frame.names:
                    return frame.names[name]
                return _one(frame.module[name]) if name in frame.module else {}
            case ast.Attribute(value=value, attr=attribute):
                return self._attribute(self._value(value, frame), attribute)
            case ast.Call():
                return self._called(node, frame)
            case ast.Lambda():
                closure = Closure(node, frame)
                self._call_closure(closure, [], {})
                return {node: closure}
            case ast.NamedExpr(target=target, value=value):
                found = self._value(value, frame)
                self._bind(target, found, frame)
                return found
            case ast.Yield(value=ast.expr() as value) | ast.YieldFrom(value=value):
                frame.returned.update(self._elements(self._value(value, frame)))
                return {}
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for generator in node.generators:
                    self._bind(generator.target, self._elements(self._value(generator.iter, frame)), frame)
                    for condition in generator.ifs:
                        self._value(condition, frame)
                parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                return self._all(parts, frame)
            case ast.Dict(keys=keys, values=values):
                self._note_transaction(keys, frame)
                return self._all([*(key for key in keys if key is not None), *values], frame)
            case ast.Subscript(value=value, slice=index):
                self._value(index, frame)
                return self._elements(self._value(value, frame))
            case ast.Constant():
                return {}
            case _:
                return self._all([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)], frame)

    def _all(self, nodes: Iterable[ast.expr], frame: Frame) -> Values:
        return {key: value for node in nodes for key, value in self._value(node, frame).items()}

    def _attribute(self, owners: Values, name: str) -> Values:
        found: Values = {}
        for owner in list(owners.values()):
            found.update(self._attribute_of(owner, name))
            found.update(self._learned.get((_key(owner), name), {}))
        return found

    def _attribute_of(self, owner: Any, name: str) -> Values:
        match owner:
            case LazyClient():
                return _one(Operation(owner, name))
            case Operation() | Closure():
                return {}
            case ModuleType():
                return _one(vars(owner).get(name))
            case Made():
                own = owner.attributes.get(name, {})
                return own or self._of_class(owner, owner.of, name)
            case type():
                return self._of_class(None, owner, name)
            case Bound():
                return {}
            case _ if _is_ours(type(owner)):
                found = self._of_class(owner, type(owner), name)
                return found or _one(_attribute(owner, name))
            case _:
                return {}

    def _of_class(self, owner: Any, of: type, name: str) -> Values:
        match inspect.getattr_static(of, name, None):
            case FunctionType() as function:
                return _one(Bound(function, owner))
            case staticmethod() as method:
                return _one(Bound(method.__func__))
            case classmethod() as method:
                return _one(Bound(method.__func__, of))
            case property(fget=FunctionType() as function) | functools.cached_property(func=function):
                return self._call(Bound(function, owner), [], {}, NOWHERE)
            case _:
                return {}

    # -- calls

    def _called(self, node: ast.Call, frame: Frame) -> Values:
        positional = [self._value(each.value if isinstance(each, ast.Starred) else each, frame) for each in node.args]
        named = {each.arg or "**": self._value(each.value, frame) for each in node.keywords}
        callees = self._value(node.func, frame)
        result: Values = {}
        understood = False
        for callee in list(callees.values()):
            understood |= self._is_read(callee)
            result.update(self._result(callee, node, positional, named, frame))
        if not understood:
            for found in [*positional, *named.values()]:
                self._handed_over(found)
                result.update(found)
            if isinstance(node.func, ast.Attribute):  # items.append(x), found.values()
                owners = self._value(node.func.value, frame)
                result.update(self._elements(owners))
                if isinstance(node.func.value, ast.Name) and (positional or named):
                    frame.names.setdefault(node.func.value.id, {}).update(result)
        return result

    @staticmethod
    def _is_read(callee: Any) -> bool:
        return (
            isinstance(callee, Operation | Closure | Bound)
            or (isinstance(callee, FunctionType | MethodType | type) and _is_ours(getattr(callee, "__func__", callee)))
            or _is_factory(callee)
            or _call_of(callee) is not None
        )

    def _result(
        self, callee: Any, node: ast.Call, positional: list[Values], named: dict[str, Values], frame: Frame
    ) -> Values:
        match callee:
            case Operation():
                self._note(callee, node, frame)
                return {}
            case Closure():
                return self._call_closure(callee, positional, named)
            case _ if _is_factory(callee):
                return _given(callee)
            case Bound(owner=owner) if not _is_ours(callee.function):
                if owner is not None and not isinstance(owner, type):
                    self._every_method(owner, type(owner))  # a method that it inherits may call its own
                return {}
            case Bound():
                return self._call(callee, positional, named, frame.resource)
            case FunctionType() if _is_ours(callee):
                return self._call(Bound(callee), positional, named, frame.resource)
            case MethodType() if _is_ours(callee.__func__):
                return self._call(Bound(callee.__func__, callee.__self__), positional, named, frame.resource)
            case type() if _is_ours(callee):
                return self._make(callee, node, positional, named, frame)
            case functools.partial():
                return self._result(callee.func, node, [*map(_one, callee.args), *positional], named, frame)
            case _ if bound := _call_of(callee):
                return self._call(bound, positional, named, frame.resource)
            case _:
                return {}

    def _make(
        self, of: type, node: ast.Call, positional: list[Values], named: dict[str, Values], frame: Frame
    ) -> Values:
        made = self._made.setdefault((of, node, frame.resource), Made(of, frame.resource))
        names = [each.name for each in fields(of)] if is_dataclass(of) else []
        for name, found in [*zip(names, positional, strict=False), *named.items()]:
            made.attributes.setdefault(name, {}).update(found)
        for method in ("__init__", "__post_init__"):
            function = inspect.getattr_static(of, method, None)
            if isinstance(function, FunctionType) and _is_ours(function):
                self._call(Bound(function, made), positional if method == "__init__" else [], named, frame.resource)
        return _one(made)

    def _handed_over(self, found: Values) -> None:
        """What is given to code that is not ours may be called by it: functions, and all methods of what we made."""
        for value in list(found.values()):
            match value:
                case Closure():
                    self._call_closure(value, [], {})
                case Bound() if _is_ours(value.function):
                    self._call(value, [], {}, NOWHERE)
                case FunctionType() if _is_ours(value):
                    self._call(Bound(value), [], {}, NOWHERE)
                case Made():
                    self._every_method(value, value.of)
                case _:
                    pass

    def _every_method(self, owner: Any, of: type) -> None:
        for name, function in inspect.getmembers_static(of, inspect.isfunction):
            if name != "__init__" and _is_ours(function):
                self._call(Bound(function, owner), [], {}, NOWHERE)

    def _entered(self, found: Values) -> Values:
        entered: Values = dict(found)
        for value in list(found.values()):
            for method in ("__enter__", "__exit__"):
                of = value.of if isinstance(value, Made) else type(value)
                for bound in self._of_class(value, of, method).values():
                    entered.update(self._call(bound, [], {}, NOWHERE) if _is_ours(bound.function) else {})
        return entered

    def _elements(self, found: Values) -> Values:
        """The objects, and what they hold when they are containers or iterate over something."""
        held: Values = {}
        for key, value in list(found.items()):
            held[key] = value
            if isinstance(value, Mapping):
                held.update({k: v for each in value.values() for k, v in _one(each).items()})
            elif isinstance(value, list | tuple | set | frozenset):
                held.update({k: v for each in value for k, v in _one(each).items()})
            elif isinstance(value, Made) or _is_ours(type(value)):
                of = value.of if isinstance(value, Made) else type(value)
                for bound in self._of_class(value, of, "__iter__").values():
                    held.update(self._call(bound, [], {}, NOWHERE) if _is_ours(bound.function) else {})
        return held

    # -- what is found

    def _note(self, operation: Operation, node: ast.Call, frame: Frame) -> None:
        name = operation.method
        if name == "get_paginator" and node.args and isinstance(node.args[0], ast.Constant):
            name = str(node.args[0].value)
        service = operation.client._service
        real = _operations(service).get(name)
        if real is None:
            return
        index = _index(frame)
        for place in frame.resource.places(service, real):
            resource = f"{place}/{index}" if index else place
            self.calls.add(Call(service, real, resource))
            if any(keyword.arg == "Tagging" for keyword in node.keywords):
                self.calls.add(Call(service, "PutObjectTagging", resource))

    def _note_transaction(self, keys: Iterable[ast.expr | None], frame: Frame) -> None:
        """``{"Put": {…}}`` is a part of a transaction."""
        for key in keys:
            if (
                isinstance(key, ast.Constant)
                and key.value in _CONSTRUCTS
                and "waypost.aws" in str(frame.module["__name__"])
            ):
                self.calls.add(Call("dynamodb", _CONSTRUCTS[str(key.value)], frame.resource.setting))


def _one(value: Any) -> Values:
    """A value as the only one, unless it can lead to no call."""
    return {_key(value): value} if _is_kept(value) else {}


def _is_kept(value: Any) -> bool:
    match value:
        case (
            LazyClient()
            | Operation()
            | Bound()
            | Closure()
            | Made()
            | ModuleType()
            | functools.partial()
            | MethodType()
        ):
            return True
        case FunctionType() | type():
            return _is_ours(value)
        case _:
            return _is_factory(value) or _leads_to_a_client(value)


def _call_of(value: Any) -> "Bound | None":
    """What calling an object of a class of ours runs."""
    if isinstance(value, type):
        return None
    of = value.of if isinstance(value, Made) else type(value)
    function = inspect.getattr_static(of, "__call__", None)
    return Bound(function, value) if isinstance(function, FunctionType) and _is_ours(function) else None


_LEADS: Final[dict[int, tuple[Any, bool]]] = {}


def _leads_to_a_client(value: Any) -> bool:
    """Whether an object holds a client, or something that holds one."""
    if id(value) not in _LEADS:
        _LEADS[id(value)] = (value, False)  # what holds itself leads no further
        _LEADS[id(value)] = (value, _search(value))
    return _LEADS[id(value)][1]


def _search(value: Any) -> bool:
    match value:
        case LazyClient() | ModuleType() | type():
            return isinstance(value, LazyClient)
        case str() | bytes() | int() | float() | None:
            return False
        case FunctionType():
            return _touches_aws(value) or any(map(_leads_to_a_client, _cells(value)))
        case Mapping():
            return any(map(_leads_to_a_client, value.values()))
        case list() | tuple() | set() | frozenset():
            return any(map(_leads_to_a_client, value))
        case MethodType():
            return _leads_to_a_client(value.__self__)
        case _:
            return _is_factory(value) or (_is_ours(type(value)) and any(map(_leads_to_a_client, _held(value))))


def _touches_aws(function: Any) -> bool:
    """Whether its module may make clients; import-linter keeps the others from it."""
    return str(function.__module__).startswith(("functions.", "waypost.aws"))


def _may_call(function: FunctionType, owner: Any, arguments: list[Values]) -> bool:
    """Whether reading a function can find a call: it may make a client, or it is given what leads to one."""
    given = [] if owner is None else [owner]
    given += [value for found in arguments for value in found.values()]
    return (
        _touches_aws(function)
        or any(map(_carries, given))
        or any(_leads_to_a_client(cell) for cell in _cells(function))
    )


def _carries(value: Any) -> bool:
    match value:
        case LazyClient() | Operation() | Closure() | functools.partial():
            return True
        case Made():
            return _made_carries(value)
        case Bound():
            return _may_call(value.function, value.owner, [])
        case ModuleType() | type():
            return False
        case _:
            return _leads_to_a_client(value)


def _made_carries(made: Made) -> bool:
    seen, waiting = {id(made)}, [made]
    while waiting:
        for held in waiting.pop().attributes.values():
            for each in held.values():
                if not isinstance(each, Made) and _carries(each):
                    return True
                if isinstance(each, Made) and id(each) not in seen:
                    seen.add(id(each))
                    waiting.append(each)
    return False


def _cells(function: FunctionType) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__ or ()]


def _key(value: Any) -> Any:
    match value:
        case Bound(function, owner):
            return (function, _key(owner))
        case Operation(client, method):
            return (id(client), method)
        case None:
            return None
        case _:
            return id(value)


def _keys(found: Values) -> frozenset[Any]:
    return frozenset(found)


def _is_ours(value: Any) -> bool:
    return str(getattr(inspect.unwrap(value), "__module__", "")).partition(".")[0] in OURS


def _is_factory(callee: Any) -> bool:
    """A cached function without parameters, or of a channel: it is called, and gives the real object (of each channel)."""
    return (
        hasattr(callee, "cache_info")
        and _is_ours(callee)
        and list(inspect.signature(callee).parameters) in [[], ["channel"]]
        and not _is_plain(callee)
    )


def _is_plain(callee: Any) -> bool:
    """Whether a cached function of a channel only looks something up: it is read like any other."""
    return not _touches_aws(callee) and bool(inspect.signature(callee).parameters)


def _given(factory: Any) -> Values:
    """What a factory gives."""
    made = list(_of_channels(factory)) if inspect.signature(factory).parameters else [factory()]
    return {key: value for each in made for key, value in _one(each).items()}


def _of_channels(factory: Any) -> Iterator[Any]:
    """What it gives for each channel that has such a thing: not each makes codes."""
    for channel in CHANNELS:
        with suppress(InvalidInput):
            yield factory(channel)


def _attribute(owner: Any, name: str) -> Any:
    try:
        return object.__getattribute__(owner, name)
    except AttributeError:
        return None


def _held(owner: Any) -> Iterator[Any]:
    names = [name for of in type(owner).__mro__ for name in getattr(of, "__slots__", ())]
    yield from (_attribute(owner, name) for name in [*names, *getattr(owner, "__dict__", {})])


def _resource(owner: Any) -> Resource:
    """The setting that an adapter holds, ``<events_queue_url>`` in one of its attributes, and its folders."""
    if isinstance(owner, Made):
        return owner.resource
    held = list(_held(owner))
    if not any(isinstance(each, LazyClient) for each in held):
        return NOWHERE
    named = [each.partition("<")[2].partition(">")[0] for each in held if isinstance(each, str) and "<" in each]
    folders = next((each for each in held if isinstance(each, Folders)), NOWHERE.folders)
    return Resource(min(named, default=""), folders)


def _index(frame: Frame) -> str:
    """The index that a body asks, by the constant beside ``IndexName``."""
    for node in ast.walk(frame.source):
        pairs: list[tuple[Any, ast.expr]] = []
        if isinstance(node, ast.Dict):
            pairs = [
                (key.value, value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
        if isinstance(node, ast.Call):
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords]
        for name, value in pairs:
            if name == "IndexName":
                return str(value.value if isinstance(value, ast.Constant) else frame.module[ast.unparse(value)])
    return ""


@functools.cache
def _operations(service: str) -> dict[str, str]:
    """Method of a client → operation of the service. A signed link reads with the rights of the role that signed it."""
    signed = {"generate_presigned_url": "GetObject"} if service == "s3" else {}
    return {xform_name(name): name for name in Session().get_service_model(service).operation_names} | signed


@functools.cache
def _definition(function: FunctionType) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None  # made by a dataclass or by a lambda of a class body
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef)), None)


def _closed_over(function: FunctionType) -> dict[str, Values]:
    return {name: _one(cell) for name, cell in zip(function.__code__.co_freevars, _cells(function), strict=True)}


def _parameters(given: ast.arguments, positional: list[Values], named: dict[str, Values]) -> dict[str, Values]:
    names = [each.arg for each in [*given.posonlyargs, *given.args]]
    bound = {each.arg: dict(named.get(each.arg, {})) for each in [*given.posonlyargs, *given.args, *given.kwonlyargs]}
    for name, found in zip(names, positional, strict=False):
        bound[name].update(found)
    if given.vararg:
        bound[given.vararg.arg] = {k: v for found in positional[len(names) :] for k, v in found.items()}
    if given.kwarg:
        rest = [found for name, found in named.items() if name not in bound]
        bound[given.kwarg.arg] = {k: v for found in rest for k, v in found.items()}
    return bound


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Any]]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield alias.asname or alias.name.partition(".")[0], importlib.import_module(alias.name)
        else:
            module = importlib.import_module(str(node.module))
            yield alias.asname or alias.name, getattr(module, alias.name, None)


def read(handler: ModuleType) -> Reading:
    """Read the functions of a handler's module."""
    reading = Reading()
    for value in list(vars(handler).values()):
        function: Any = inspect.unwrap(value) if callable(value) else value
        if isinstance(function, FunctionType) and function.__module__ == handler.__name__ and not _is_factory(value):
            reading.run(function)
    return reading


def unreached(readings: Iterable[Reading]) -> list[str]:
    """The public methods of all adapters that none of the readings came to."""
    read_all = {function for reading in readings for function in reading.functions}
    found = []
    for module in pkgutil.iter_modules(waypost.aws.__path__):
        for name, adapter in vars(importlib.import_module(f"waypost.aws.{module.name}")).items():
            if not isinstance(adapter, type) or name[0] == "_" or adapter.__module__ != f"waypost.aws.{module.name}":
                continue
            methods = [(of, method) for of, method in vars(adapter).items() if isinstance(method, FunctionType)]
            found += [
                f"{name}.{of}" for of, method in methods if of[0] != "_" and inspect.unwrap(method) not in read_all
            ]
    return sorted(found)


def main(names: list[str]) -> None:
    """Print what each of the functions may call, and what no function does."""
    for setting in fields(Settings):
        os.environ[f"WAYPOST_{setting.name.upper()}"] = f"<{setting.name}>"
    os.environ |= {
        "WAYPOST_RATES": "email=14,sms=10",
        "WAYPOST_EMAIL_SENDER": "<email_sender>",
        "WAYPOST_EMAIL_CONFIGURATION_SET": "<email_configuration_set>",
        **{
            f"WAYPOST_{channel.upper()}_SECRET": f"<{channel}_secret>"
            for channel in CHANNELS
            if f"{channel}_secret" in SECRETS_BY_SETTING
        },
    }
    readings = {name: read(importlib.import_module(f"functions.{name}.handler")) for name in names}
    calls = {
        name: [[call.service, call.operation, call.resource] for call in sorted(reading.calls)]
        for name, reading in readings.items()
    }
    print(json.dumps({"calls": calls, "unreached": unreached(readings.values())}))  # noqa: T201 - the answer to its caller


if __name__ == "__main__":
    main(sys.argv[1:])
