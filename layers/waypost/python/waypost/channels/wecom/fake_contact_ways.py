"""The contact ways (联系我) of the fake company, by which its customers add members. Source: that of ``qr_codes.py``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from waypost import ids
from waypost.channels import fake_contract as contract

CALLS: Final[Mapping[str, str]] = {
    "/cgi-bin/externalcontact/add_contact_way": "add",
    "/cgi-bin/externalcontact/update_contact_way": "update",
}
_USERID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_LONGEST: Final = 30
_MOST: Final = 100


@dataclass(slots=True)
class ContactWay:
    """A code: the members whom a customer may add by it, in order, and its parameter."""

    type: int
    members: list[str]
    state: str
    skip_verify: bool


@dataclass(slots=True)
class ContactWays:
    """The contact ways of a company, by their config_id."""

    ways: dict[str, ContactWay] = field(default_factory=dict)

    def with_state(self, state: str) -> ContactWay:
        """The way with this parameter that was made last. Raises ValueError where none has it."""
        found = [each for each in self.ways.values() if each.state == state]
        if not found:
            raise ValueError(f"state: no code has {state!r}; make-codes makes those of scenes.yaml")
        return found[-1]

    def answer(self, path: str, given: Mapping[str, Any]) -> contract.HttpAnswer:
        """What WeCom answers to one of ``CALLS``. Each call of ``add`` makes another way, with the same parameter too."""
        former = self.ways.get(str(given.get("config_id", "")))
        if refused := _refusal(given, former, is_new=CALLS[path] == "add"):
            return refused
        state, kind = str(given.get("state", "")), former.type if former else int(given["type"])
        config_id = str(given.get("config_id") or ids.digest(state, str(len(self.ways))))
        self.ways[config_id] = ContactWay(kind, list(given["user"]), state, bool(given.get("skip_verify", True)))
        if former:
            return _answer()
        return _answer(config_id=config_id, qr_code=f"https://wework.qpic.cn/wwpic/{config_id}/0")


def _refusal(given: Mapping[str, Any], former: ContactWay | None, *, is_new: bool) -> contract.HttpAnswer | None:
    """The answer to what WeCom does not take."""
    kind, members = former.type if former else given.get("type"), given.get("user") or []
    texts = [str(given.get(name, "")) for name in ("state", "remark")]
    wrong = {
        "config_id": former is None and not is_new,
        "type or scene": kind not in (1, 2) or (is_new and given.get("scene") != 2),
        "user": not 1 <= len(members) <= (1 if kind == 1 else _MOST),
        "state or remark": max(map(len, texts)) > _LONGEST,
    }
    if named := next((name for name, is_wrong in wrong.items() if is_wrong), ""):
        return _answer(40058, f"invalid Request Parameter, {named}")
    if not all(_USERID.fullmatch(each) for each in members):
        return _answer(60111, "invalid string value, userid not found")
    return None


def _answer(code: int = 0, message: str = "ok", **content: Any) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": message, **content})
