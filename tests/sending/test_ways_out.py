"""Every reason of every guard, and of the sender itself, comes with its way out."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from waypost.sending import send_message
from waypost.sending.guard import Guard
from waypost.sending.judge import all_guards
from waypost.sending.ledger import dump_seen, load_seen
from waypost.sending.ways_out import OWN_REASONS, SENT, all_reasons, what_would_help

GUARDS = pytest.mark.parametrize("guard", all_guards(), ids=lambda guard: type(guard).__name__)


def given_reasons(source: str, *calls: str) -> Iterator[str]:
    """The first text argument of each such call; of one that is put together, what stands before the first value."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in calls:
            yield from (text for each in node.args if (text := text_of(each)))


def text_of(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text
        case _:
            return ""


@GUARDS
def test_a_guard_declares_every_reason_that_it_gives(guard: Guard) -> None:
    source = Path(inspect.getfile(type(guard))).read_text(encoding="utf-8")
    declared = {reason.name for reason in guard.reasons}
    given = list(given_reasons(source, "Skip", "Defer"))
    assert given
    for reason in given:
        assert any(
            name == reason.removesuffix(": ") or (reason.endswith("_") and name.startswith(reason)) for name in declared
        ), reason


@GUARDS
def test_every_reason_of_a_guard_says_what_would_help(guard: Guard) -> None:
    assert guard.reasons
    for reason in guard.reasons:
        assert len(what_would_help(reason.name)) > 20
        assert what_would_help(reason.name) == reason.what_would_help


def test_every_reason_of_the_sender_says_what_would_help() -> None:
    source = Path(inspect.getfile(send_message)).read_text(encoding="utf-8")
    given = set(given_reasons(source, "_skip", "_decision")) - {"sent", "skipped", "deferred", "rejected", "unknown"}
    assert {"too_late", "every_guard_allowed"} <= given
    for reason in given - SENT:
        assert what_would_help(reason), reason
    assert all(OWN_REASONS.values())


def test_no_two_guards_give_one_reason() -> None:
    names = [reason.name for guard in all_guards() for reason in guard.reasons]
    assert len(names) == len(set(names))
    assert len(all_reasons()) == len(names) + len(OWN_REASONS)


def test_what_a_provider_says_is_explained_by_its_kind() -> None:
    assert what_would_help("provider: MessageRejected") == OWN_REASONS["provider"]
    assert what_would_help("not_renderable: no value for 'name'") == OWN_REASONS["not_renderable"]
    assert not any(what_would_help(reason) for reason in SENT)


def test_what_guards_saw_is_kept_as_a_short_text() -> None:
    saw = {"er": "", "co": "word 2027-03-01", "fc": "1/2 in 24h", "xx": "a=b"}
    assert load_seen(dump_seen(saw)) == saw
    assert load_seen(dump_seen({"er": "a;b"})) == {"er": "a,b"}
    assert load_seen("") == {}
    assert dump_seen({"er": "", "na": "", "lj": "active", "su": ""}) == "erna;lj=active;su"
    assert load_seen("er;na;lj=active") == {"er": "", "na": "", "lj": "active"}, "rows of before are read too"
