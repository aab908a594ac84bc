"""What botocore's model says of the calls that adapters make: operations, parameters, error codes.

The source is read for every call of an AWS client and for every error code that is compared; ``tests.adapters.recording`` adds
what the tests really call, with its parameters.
"""

import ast
import importlib
import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from botocore import xform_name
from botocore.model import ServiceModel
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from botocore.session import Session

from infra.bundling import kept_services
from infra.project import ROOT

SOURCE: Final = ROOT / "layers" / "waypost" / "python"
ADAPTERS: Final = SOURCE / "waypost" / "aws"
CLIENT: Final = ADAPTERS / "json_services"
PROVIDERS: Final = tuple((SOURCE / "waypost" / "channels").glob("*/provider_*.py"))
SERVICES: Final[Sequence[str]] = sorted(kept_services(ROOT / "layers/dependencies/contents.toml") - {"sts"})
"""What the layer ships a definition of; botocore itself asks sts for credentials."""

NO_OPERATION: Final = frozenset({"generate_presigned_url", "get_paginator", "meta"})
"""What a client has besides operations, and adapters use."""

_S3: Final = "Amazon S3 API reference, List of error codes"
_NO_BODY: Final = "the answer to HeadObject has no body, so botocore gives its status"
_COMMON: Final = "Common errors of every API reference"
UNDECLARED: Final[Mapping[str, Mapping[str, str]]] = {
    "files": {
        "403": _NO_BODY,
        "404": _NO_BODY,
        "412": _NO_BODY,
        "AccessDenied": _S3,
        "ConditionalRequestConflict": "Amazon S3 user guide, Conditional writes",
        "NotFound": "Amazon S3 API reference, HeadObject, Errors",
        "PreconditionFailed": _S3,
    },
    "translation": {
        "InternalError": _S3,
        "InternalFailure": _COMMON,
        "ServiceUnavailable": _COMMON,
        "ServiceUnavailableException": f"{_COMMON}, as newer services spell it",
        **dict.fromkeys(
            (
                *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
                *TransientRetryableChecker._TRANSIENT_ERROR_CODES,
            ),
            "botocore.retries.standard",
        ),
    },
}
"""Codes that exist and that no model declares for the operation, by module, with where they are documented."""

FINAL: Final[Mapping[str, str]] = {
    "ItemCollectionSizeLimitExceededException": "a partition with a local index is full; a repetition meets the same",
}
"""Declared codes that sound temporary and are not."""

TEMPORARY: Final = re.compile(r"Throttl|TooManyRequests|Limit|Quota|Conflict|Internal")
"""How temporary errors are named."""


@cache
def model(service: str) -> ServiceModel:
    """A service as botocore describes it."""
    return Session().get_service_model(service)


@cache
def operations() -> Mapping[str, Sequence[tuple[str, str]]]:
    """The services and operations by the method's name: ``send_message`` → ``[("sqs", "SendMessage")]``."""
    found: dict[str, list[tuple[str, str]]] = {}
    for service in SERVICES:
        for name in model(service).operation_names:
            found.setdefault(xform_name(name), []).append((service, name))
    return found


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of a client in the source: the file below the source root, its function, its lines, the method.

    ``pages`` is set for a paginator, whose calls happen where its pages are asked for, in the same function.
    """

    file: str
    function: str
    first: int
    last: int
    method: str
    pages: bool = False

    def made(self, call: "RecordedCall") -> bool:
        """Whether this site made the call."""
        if (call.file, call.method) != (self.file, self.method):
            return False
        return call.function == self.function if self.pages else self.first <= call.line <= self.last

    def __str__(self) -> str:
        return f"{self.file}:{self.first} {self.function}: {self.method}"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that a test made: where in the source, and of which method."""

    file: str
    function: str
    line: int
    method: str


def call_sites(folder: Path | None = None) -> list[CallSite]:
    """Every call of a client below a folder, or of the adapters and the channels' providers."""
    return [site for path in _sources(folder) for site in _Sites(path).found]


def _sources(folder: Path | None) -> list[Path]:
    return sorted([*ADAPTERS.rglob("*.py"), *PROVIDERS] if folder is None else folder.rglob("*.py"))


class _Sites(ast.NodeVisitor):
    """The call sites of one file."""

    def __init__(self, path: Path) -> None:
        self.found: list[CallSite] = []
        self._file = path.relative_to(SOURCE).as_posix() if path.is_relative_to(SOURCE) else path.name
        self._scope: list[str] = []
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node)

    def _inside(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        self._scope.append(node.name)
        self.generic_visit(node)
        self._scope.pop()

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=receiver, attr="get_paginator") if _is_client(receiver):
                (name,) = node.args
                assert isinstance(name, ast.Constant), f"{self._file}:{node.lineno}: a paginator is named by a literal"
                self._add(node, str(name.value), pages=True)
            case ast.Attribute(value=receiver, attr=method) if _is_client(receiver) and method not in NO_OPERATION:
                self._add(node, method)
            case _:
                pass
        self.generic_visit(node)

    def _add(self, node: ast.Call, method: str, *, pages: bool = False) -> None:
        last = node.end_lineno or node.lineno
        self.found.append(CallSite(self._file, ".".join(self._scope), node.lineno, last, method, pages))


def _is_client(receiver: ast.expr) -> bool:
    match receiver:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_") == "client"
        case _:
            return False


def strangers(folder: Path | None = None) -> list[str]:
    """Calls of something that is not named ``client`` and has an operation's name: they would escape this check."""
    found = []
    for path in _sources(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {
            (name.asname or name.name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in node.names
        }
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if method in operations():
                    known = isinstance(receiver, ast.Name) and receiver.id in modules | {"self"}
                    if not known and not _is_client(receiver):
                        found.append(f"{path.name}:{node.lineno}: {ast.unparse(node.func)}")
                case _:
                    pass
    return found


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """What of a value its shape forbids: unknown and missing members, types, lengths, ranges, enums, patterns."""
    kind = shape.type_name
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: a {type(value).__name__} is no {kind}"
    elif kind == "structure":
        yield from (f"{path}: {name} is missing" for name in shape.required_members if name not in value)
        yield from (f"{path}: {name} is unknown" for name in value if name not in shape.members)
        for name in shape.members.keys() & value.keys():
            yield from violations(shape.members[name], value[name], f"{path}.{name}")
    else:
        yield from _outside(shape.metadata, value, path)
        if kind == "list":
            for index, each in enumerate(value):
                yield from violations(shape.member, each, f"{path}[{index}]")
        elif kind == "map":
            for name, each in value.items():
                yield from violations(shape.key, name, f"{path} key")
                yield from violations(shape.value, each, f"{path}.{name}")


_TYPES: Final[Mapping[str, Any]] = {
    "structure": Mapping,
    "map": Mapping,
    "list": (list, tuple),
    "string": str,
    "blob": (bytes, bytearray, str, io.IOBase),
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (datetime, str, int, float),
}
"""The Python types of each kind of shape, as ``botocore.validate`` has them."""


def _outside(metadata: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """Why a value is not within the limits of its shape."""
    size = len(value) if isinstance(value, (Sized, str)) else value
    if size < metadata.get("min", size):
        yield f"{path}: {size} is below {metadata['min']}"
    if size > metadata.get("max", size):
        yield f"{path}: {size} is above {metadata['max']}"
    if (names := metadata.get("enum")) and value not in names:
        yield f"{path}: not one of {names}"
    if (pattern := metadata.get("pattern")) and not _pattern(pattern).search(value):
        yield f"{path}: does not match {pattern}"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "[^[]" is a set of its own in another dialect
        return re.compile(pattern)


@dataclass(frozen=True, slots=True)
class HandledCode:
    """An error code that a module of the adapters asks for, and where."""

    module: str
    line: int
    code: str


def handled_codes(folder: Path = ADAPTERS) -> list[HandledCode]:
    """Every error code that is compared. Raises AssertionError for a use of ``error_code`` that is not understood."""
    return [each for path in sorted(folder.glob("*.py")) for each in _codes_of(path)]


def _codes_of(path: Path) -> Iterator[HandledCode]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = importlib.import_module(f"waypost.aws.{path.stem}")
    asked = sum(map(_asks, ast.walk(tree)))
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef):
            named = [_name_of_code(node) for node in ast.walk(scope)]
            names = set(filter(None, named))
            asked -= len(names)
            for node in ast.walk(scope):
                subject = _compared(node)
                if subject and (_asks(subject) or (isinstance(subject, ast.Name) and subject.id in names)):
                    asked -= _asks(subject)
                    for each in _compared_with(node):
                        yield from (HandledCode(path.stem, subject.lineno, code) for code in _values(each, module))
    assert asked == 0, f"{path.name}: error_code is used in a way that this check does not understand"


def _name_of_code(node: ast.AST) -> str | None:
    """``code`` of ``code = error_code(error)``."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _asks(value):
            return name
        case _:
            return None


def _compared(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Compare(left=subject) | ast.Match(subject=subject):
            return subject
        case _:
            return None


def _compared_with(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(comparators=[right]):
            yield right
        case ast.Match(cases=cases):
            for case in cases:
                yield from _patterns(case.pattern)
        case _:
            raise AssertionError(f"codes are compared in a way that this check does not understand: {ast.dump(node)}")


def _asks(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="error_code") | ast.Attribute(attr="error_code")):
            return True
        case _:
            return False


def _patterns(pattern: ast.pattern) -> Iterator[ast.expr]:
    match pattern:
        case ast.MatchValue(value=value):
            yield value
        case ast.MatchOr(patterns=patterns):
            for each in patterns:
                yield from _patterns(each)
        case ast.MatchAs(pattern=None, name=None):
            pass
        case _:
            raise AssertionError(f"codes are matched in a way that this check does not understand: {ast.dump(pattern)}")


def _values(node: ast.expr, module: ModuleType) -> set[str]:
    value = eval(compile(ast.Expression(node), module.__name__, "eval"), vars(module))  # noqa: S307 - our own source
    return {value} if isinstance(value, str) else set(value)


def declared_codes(module: str) -> set[str]:
    """The error codes that the operations which a module calls declare.

    A module that calls none itself answers for the modules that import it.
    """
    own = {site.method for site in call_sites() if Path(site.file).stem == module}
    return _declared(own or {each.method for each in call_sites() if Path(each.file).stem in set(_importers(module))})


def all_declared_codes() -> set[str]:
    """The error codes that any operation declares which an adapter calls; a channel's provider has a table of its own."""
    return _declared({site.method for site in call_sites(ADAPTERS)})


def _declared(methods: Iterable[str]) -> set[str]:
    return {
        error.metadata.get("error", {}).get("code", error.name)
        for method in methods
        for service, operation in operations().get(method, ())
        for error in model(service).operation_model(operation).error_shapes
    }


def _importers(module: str) -> Iterator[str]:
    for path in ADAPTERS.glob("*.py"):
        if re.search(rf"\b{module}\b", path.read_text(encoding="utf-8")) and path.stem not in {module, "wiring"}:
            yield path.stem
