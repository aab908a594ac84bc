"""Source code of compiled rules: constants by name, never as text. Used by the compiler alone.

A rule becomes one expression in one function, which is as fast as the same rule written by hand; a tree of closures costs
a call per condition. What an author wrote never becomes source: every value is a name in the namespace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Module:
    """The functions that one rule becomes, and the constants they use."""

    namespace: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    _known: dict[int, str] = field(default_factory=dict)
    _count: int = 0

    def constant(self, value: Any) -> str:
        """A name for the value."""
        if (known := self._known.get(id(value))) is not None:
            return known
        name = self._name("k")
        self.namespace[name] = value  # also keeps the value alive, so that its id stays its own
        self._known[id(value)] = name
        return name

    def function(self, parameters: str, body: Sequence[str], code: "Code") -> str:
        """A function of the given body, which ``code`` has written; its name."""
        name = self._name("f")
        self.lines.append(f"def {name}({parameters}):")
        self.lines.extend(f"    {variable} = {source}" for variable, source in code.prefetched.items())
        self.lines.extend(f"    {line}" for line in body)
        return name

    def load(self, name: str) -> Callable[..., Any]:
        """The function of this name, ready to be called."""
        exec(compile("\n".join(self.lines), "<rule>", "exec"), self.namespace)  # noqa: S102 - holds no text of an author
        loaded: Callable[..., Any] = self.namespace[name]
        return loaded

    def _name(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"


@dataclass(slots=True)
class Code:
    """The expressions of one function. In it ``s`` is the subject and ``p`` the properties of the event at hand.

    ``groups`` are the event types whose events the function sorts by type once, in ``h``, for several conditions;
    ``asks_event`` says that an expression looks at ``p``.
    """

    module: Module
    groups: frozenset[str] = frozenset()
    depth: int = 0
    asks_event: bool = False
    prefetched: dict[str, str] = field(default_factory=dict)

    def constant(self, value: Any) -> str:
        """A name for the value."""
        return self.module.constant(value)

    def prefetch(self, name: str, source: str) -> str:
        """A variable that is fetched once at the start of the function."""
        self.prefetched[name] = source
        return name
