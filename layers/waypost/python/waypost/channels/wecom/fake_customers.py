"""The customers of the fake company: who serves them, their unionid, and the company's tags. Sources: those of ``people.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.channels import fake_contract as contract

CALLS: Final[Mapping[str, str]] = {
    "/cgi-bin/externalcontact/get": "get",
    "/cgi-bin/externalcontact/get_corp_tag_list": "list",
    "/cgi-bin/externalcontact/add_corp_tag": "add",
    "/cgi-bin/externalcontact/mark_tag": "mark",
    "/cgi-bin/externalcontact/batch/get_by_user": "served",
}
_LONGEST_NAME: Final = 30
_LARGEST_PAGE: Final = 100


@dataclass(slots=True)
class _Follow:
    """A member's own view of a customer: since when, by which parameter, and the ids of the tags put on."""

    since: datetime
    state: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Customer:
    unionid: str = ""
    follows: dict[str, _Follow] = field(default_factory=dict)


@dataclass(slots=True)
class CompanyCustomers:
    """Customers by external_userid, and the company's tags: (group, name) by id."""

    customers: dict[str, _Customer] = field(default_factory=dict)
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    marks: int = 0
    """How often tags were put on or taken off by a call."""

    def add(self, customer: str, member: str, *, state: str = "", unionid: str = "", now: datetime) -> None:
        """A member and a customer become friends; the time of the first time stays."""
        known = self.customers.setdefault(customer, _Customer())
        known.unionid = unionid or known.unionid
        known.follows.setdefault(member, _Follow(now, state))

    def remove(self, customer: str, member: str) -> None:
        """They are friends no more."""
        if known := self.customers.get(customer):
            known.follows.pop(member, None)

    def toggle(self, customer: str, member: str, group: str, name: str) -> None:
        """The member puts a tag on, or takes it off where it is. Raises ValueError for no customer of theirs."""
        follow = self.customers.get(customer, _Customer()).follows.get(member)
        if follow is None:
            raise ValueError(f"customer: {member} does not serve {customer}")
        tag = self._tag(group, name)
        (follow.tags.remove if tag in follow.tags else follow.tags.append)(tag)

    def tags_of(self, customer: str, member: str) -> list[str]:
        """The names of the tags that a member sees on a customer, in the order in which they were put on."""
        return [self.tags[each][1] for each in self.customers[customer].follows[member].tags]

    def answer(self, path: str, given: Mapping[str, Any]) -> contract.HttpAnswer:
        """What WeCom answers to one of ``CALLS``; of ``get`` the query is given."""
        match CALLS[path]:
            case "get":
                return self._get(str(given.get("external_userid", "")))
            case "list":
                groups = sorted({group for group, _ in self.tags.values()})
                return _answer(tag_group=[self._group(each) for each in groups])
            case "add":
                return self._add_tags(given)
            case "served":
                return self._served(given)
            case _:
                return self._mark(given)

    def _get(self, customer: str) -> contract.HttpAnswer:
        known = self.customers.get(customer)
        if known is None or not known.follows:
            return _answer(84061, "not external contact")
        follows = [
            {
                "userid": member,
                "createtime": int(each.since.timestamp()),
                "state": each.state,
                "tags": [self._shown(tag) for tag in each.tags],
            }
            for member, each in known.follows.items()
        ]
        about = {"external_userid": customer, "type": 1, "name": "客户"}
        return _answer(
            external_contact=about | ({"unionid": known.unionid} if known.unionid else {}), follow_user=follows
        )

    def _served(self, given: Mapping[str, Any]) -> contract.HttpAnswer:
        """A page of those whom the members serve; the cursor is the place of the next one."""
        limit, start = given.get("limit", 50), int(given.get("cursor") or 0)
        if not 1 <= limit <= _LARGEST_PAGE or len(given.get("userid_list", ())) != 1:
            return _answer(40058, "invalid Request Parameter")
        [member] = given["userid_list"]
        found = [
            {
                "external_contact": {"external_userid": customer, "type": 1},
                "follow_info": {
                    "userid": member,
                    "createtime": int(known.follows[member].since.timestamp()),
                    "state": known.follows[member].state,
                },
            }
            for customer, known in self.customers.items()
            if member in known.follows
        ]
        if not found:
            return _answer(84061, "not external contact")
        end = start + limit
        return _answer(external_contact_list=found[start:end], next_cursor=str(end) if end < len(found) else "")

    def _shown(self, tag: str) -> dict[str, Any]:
        group, name = self.tags[tag]
        return {"group_name": group, "tag_name": name, "tag_id": tag, "type": 1}

    def _group(self, group: str) -> dict[str, Any]:
        tags = [{"id": tag, "name": name} for tag, (its, name) in self.tags.items() if its == group]
        return {"group_id": ids.digest("group", group), "group_name": group, "tag": tags}

    def _add_tags(self, given: Mapping[str, Any]) -> contract.HttpAnswer:
        group, names = str(given.get("group_name", "")), [str(each.get("name", "")) for each in given.get("tag", ())]
        if not names or not all(0 < len(each) <= _LONGEST_NAME for each in (group, *names)):
            return _answer(40058, "invalid Request Parameter, group_name or tag")
        if any((group, each) in self.tags.values() for each in names):
            return _answer(40071, "invalid tag name, exists")
        made = {self._tag(group, each) for each in names}
        shown = self._group(group)
        return _answer(tag_group={**shown, "tag": [each for each in shown["tag"] if each["id"] in made]})

    def _tag(self, group: str, name: str) -> str:
        tag = f"et{ids.digest(group, name)}"
        self.tags[tag] = (group, name)
        return tag

    def _mark(self, given: Mapping[str, Any]) -> contract.HttpAnswer:
        known = self.customers.get(str(given.get("external_userid", "")))
        follow = known.follows.get(str(given.get("userid", ""))) if known else None
        if follow is None:
            return _answer(84061, "not external contact")
        add, remove = given.get("add_tag") or [], given.get("remove_tag") or []
        if not (add or remove):
            return _answer(40058, "invalid Request Parameter, add_tag and remove_tag both empty")
        if any(each not in self.tags for each in (*add, *remove)):
            return _answer(40068, "invalid tagid")
        follow.tags = [each for each in dict.fromkeys((*follow.tags, *add)) if each not in remove]
        self.marks += 1
        return _answer()


def _answer(code: int = 0, message: str = "ok", **content: Any) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": message, **content})
