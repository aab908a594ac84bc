"""Stores the plan of a run once, so that every slice decides by the same one. Used by what plans a run and what carries it out."""

import json
from typing import TypeVar

from waypost.codec import JsonForm
from waypost.errors import InvalidInput
from waypost.files.ports import Files

P = TypeVar("P", bound=JsonForm)


def store_plan(files: Files, key: str, plan: P) -> P:
    """Store the plan under ``key`` unless there is one; the plan that is stored there now."""
    content = json.dumps(plan.to_dict(), ensure_ascii=False).encode()
    return plan if files.write_once(key, content) else load_plan(files, key, type(plan))


def load_plan(files: Files, key: str, kind: type[P]) -> P:
    """The plan under ``key``. Raises InvalidInput when there is none."""
    stored = files.read(key)
    if stored is None:
        raise InvalidInput("run", f"there is no run under way at {key}; start it again")
    return kind.from_dict(json.loads(stored))
