"""Find comparisons of a channel with a channel's name outside of ``channels/``: ``python -m lints.channels``. Run by ``make check``.

Another channel would fall into the other branch of each, unnoticed.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = ("layers/waypost/python/waypost", "local", "infra", "functions")
CHANNELS: Final = ROOT / "layers" / "waypost" / "python" / "waypost" / "channels"
NAMES: Final = frozenset(each.parent.name for each in CHANNELS.glob("*/channel.json"))


def comparisons(source: str) -> Iterator[int]:
    """The lines on which something called a channel is compared with the name of one, or matched against it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, comparators=[right]) if _is_channel(left) and _names(right):
                yield node.lineno
            case ast.Compare(left=left, comparators=[right]) if _is_channel(right) and _names(left):
                yield node.lineno
            case ast.Match(subject=subject, cases=cases) if _is_channel(subject):
                yield from (case.pattern.lineno for case in cases if _names(case.pattern))
            case _:
                pass


def _is_channel(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").endswith("channel")
        case _:
            return False


def _names(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Constant) and each.value in NAMES for each in ast.walk(node))


def main() -> int:
    """Print the places. The exit code: 1 when there are any."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "channels" not in path.relative_to(ROOT).parts
        for line in comparisons(path.read_text(encoding="utf-8"))
    ]
    sys.stdout.write(
        "".join(f"{each}: a channel is compared with a name → ask the channel instead\n" for each in found)
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
