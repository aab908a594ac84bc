"""The members of the company as WeCom has them, with their departments and leaders. Used by sync_staff.

The app sees those of its visible range (可见范围) alone, and since 2022 no mail addresses and telephone numbers.
Sources: https://developer.work.weixin.qq.com/document/path/90208 (departments) and .../90201 (members)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, assert_never

from waypost.channels.contract import ProviderPorts
from waypost.channels.wecom.provider_qyapi import LATER, NO_APP, QUOTA, api_of, with_advice
from waypost.errors import RetryableError
from waypost.http.ports import NoAnswer, NotSent
from waypost.staff.outside_members import NoList, OutsideCustomer, OutsideMember
from waypost.tencent.api import Api, Replied, Reply

_DEPARTMENTS: Final = "/cgi-bin/department/list"
_MEMBERS: Final = "/cgi-bin/user/list"
_CUSTOMERS: Final = "/cgi-bin/externalcontact/batch/get_by_user"
_PAGE: Final = 100
_MOST_PAGES: Final = 300
_NO_CUSTOMERS: Final = 84061
"""The answer about a member who has none."""
_ACTIVE: Final = 1
"""The status of a member who uses WeCom; others are disabled, have not joined yet, or have left."""
_LARGEST: Final = 8 * 1024**2
"""Bytes of an answer about a department: some thousand members."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """A StaffSource. ``missing`` is why nothing can be called."""

    api: Api = field(repr=False)
    missing: str = ""

    def members(self) -> Sequence[OutsideMember] | NoList:
        """See StaffSource: active members, each with the department that WeCom calls the main one."""
        if self.missing:
            return NoList(self.missing)
        try:
            departments = {each["id"]: each for each in self._get(_DEPARTMENTS, {}).get("department", ())}
            found: dict[str, Mapping[str, Any]] = {}
            for department in departments:
                for each in self._get(_MEMBERS, {"department_id": str(department)}).get("userlist", ()):
                    found.setdefault(str(each["userid"]), each)
        except _NoUse as nothing:
            return nothing.why
        return [_member(each, departments) for each in found.values() if each.get("status", _ACTIVE) == _ACTIVE]

    def customers(self, userid: str) -> Sequence[OutsideCustomer] | NoList:
        """See StaffSource. Source: https://developer.work.weixin.qq.com/document/path/92994."""
        if self.missing:
            return NoList(self.missing)
        found, cursor = list[OutsideCustomer](), ""
        try:
            for _ in range(_MOST_PAGES):
                asked = {"userid_list": [userid], "limit": _PAGE, **({"cursor": cursor} if cursor else {})}
                page = _content(partial(self.api.post, _CUSTOMERS, asked))
                found += [_customer(each) for each in page.get("external_contact_list", ())]
                cursor = str(page.get("next_cursor") or "")
                if not cursor:
                    return found
        except _NoUse as nothing:
            return [] if nothing.code == _NO_CUSTOMERS else nothing.why
        return NoList(f"{userid} has more than {_PAGE * _MOST_PAGES:,} customers")

    def _get(self, path: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        return _content(partial(self.api.get, path, asked, answer_limit=_LARGEST))


def _content(call: Callable[[], Reply]) -> Mapping[str, Any]:
    """The content of a success. Raises _NoUse."""
    try:
        reply = call()
    except RetryableError as error:  # of the secret or of the token's item
        raise _NoUse(NoList(str(error), later=True)) from error
    match reply:
        case Replied(code=0, content=content):
            return content
        case Replied(code=code):
            raise _NoUse(NoList(with_advice(reply), later=code in LATER or code == QUOTA), code)
        case NotSent(reason=reason) | NoAnswer(reason=reason):
            raise _NoUse(NoList(reason, later=True))
        case _:
            assert_never(reply)


class _NoUse(Exception):
    """A call that gave no answer that helps; raised and caught in this module."""

    def __init__(self, why: NoList, code: int = 0) -> None:
        super().__init__(why.reason)
        self.why, self.code = why, code


def _member(entry: Mapping[str, Any], departments: Mapping[int, Mapping[str, Any]]) -> OutsideMember:
    """The manager is the direct leader, else the leader of the nearest department that has another one than the member."""
    userid = str(entry["userid"])
    main = entry.get("main_department") or next(iter(entry.get("department") or ()), 0)
    leaders = [str(each) for each in entry.get("direct_leader") or ()]
    seen, at = set[int](), main
    while at in departments and at not in seen:
        seen.add(at)
        leaders += [str(each) for each in departments[at].get("department_leader") or ()]
        at = departments[at].get("parentid", 0)
    return OutsideMember(
        userid=userid,
        name=str(entry.get("name", "")),
        department=str(departments.get(main, {}).get("name", "")),
        manager=next((each for each in leaders if each.lower() != userid.lower()), ""),
        email=str(entry.get("biz_mail") or entry.get("email") or ""),
    )


def _customer(entry: Mapping[str, Any]) -> OutsideCustomer:
    follow = entry.get("follow_info", {})
    return OutsideCustomer(
        address=str(entry["external_contact"]["external_userid"]),
        since=datetime.fromtimestamp(int(follow.get("createtime", 0)), tz=UTC),
        state=str(follow.get("state") or ""),
    )


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Organisation:
    """The company; settings as those of the provider."""
    missing = "" if settings.get("corp") and settings.get("agent", "").isdigit() else NO_APP
    return Organisation(api_of(settings, ports), missing)
