"""What WeCom knows of a customer: the unionid, the members who serve them, and the company's tags. Used by sync_person.

Sources: https://developer.work.weixin.qq.com/document/path/92114 (customer), .../92117 (the company's tags) and .../92118 (putting them on)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from waypost.channels.contract import ProviderPorts
from waypost.channels.people_contract import NotAnswered, NotKnown, Person, ServingMember
from waypost.channels.wecom.provider_qyapi import LATER, QUOTA, REFUSES_THE_ACCOUNT, api_of, with_advice
from waypost.contacts.tag_system import OutsideTag
from waypost.errors import RetryableError
from waypost.http.ports import NoAnswer, NotSent
from waypost.tencent.api import Api, Replied, Reply

LONGEST_NAME: Final = 30
"""Characters of the name of a tag, and of a group of tags."""
_GET: Final = "/cgi-bin/externalcontact/get"
_TAGS: Final = "/cgi-bin/externalcontact/get_corp_tag_list"
_ADD_TAG: Final = "/cgi-bin/externalcontact/add_corp_tag"
_MARK: Final = "/cgi-bin/externalcontact/mark_tag"
_OF_THE_COMPANY: Final = 1
"""The type of a tag that is the company's; others are a member's own."""
_MOST_PAGES: Final = 10
"""Of 500 members each."""


@dataclass(slots=True)
class Customers:
    """A TaggedPeople of one company. The ids of tags are asked for once in a process, and again for one that is missing."""

    api: Api = field(repr=False)
    _tag_ids: dict[OutsideTag, str] = field(default_factory=dict, init=False)

    def read(self, address: str) -> Person | NotKnown | NotAnswered:
        """See People. Only the company's own tags count, not those that a member keeps for themselves."""
        try:
            pages = list(self._pages(address))
        except _NoUse as nothing:
            return nothing.why
        about = pages[0].get("external_contact", {}) if pages else {}
        served_by = [_serving(each) for page in pages for each in page.get("follow_user", ())]
        served_by.sort(key=lambda each: (each.since or datetime.max.replace(tzinfo=UTC), each.member))
        unionid = str(about.get("unionid") or "")
        return Person(identities={"unionid": unionid} if unionid else {}, served_by=served_by)

    def change_tags(
        self, address: str, member: str, *, put: Sequence[OutsideTag], take: Sequence[OutsideTag]
    ) -> NotKnown | NotAnswered | None:
        """See TaggedPeople."""
        about = {"userid": member, "external_userid": address}
        try:
            ids = self._ids_of(put, make=True), self._ids_of(take, make=False)
            if any(ids):
                self._post(_MARK, {**about, **{name: each for name, each in zip(_CHANGES, ids, strict=True) if each}})
        except _NoUse as nothing:
            return nothing.why
        return None

    def _pages(self, address: str) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = {"external_userid": address, **({"cursor": cursor} if cursor else {})}
            try:
                page = _content(self.api.get(_GET, asked))
            except RetryableError as error:  # of the secret or of the token's item
                raise _NoUse(NotAnswered(str(error))) from error
            yield page
            cursor = str(page.get("next_cursor") or "")
            if not cursor:
                return

    def _ids_of(self, tags: Sequence[OutsideTag], *, make: bool) -> list[str]:
        """The ids of tags, made first where ``make`` says so; one that does not exist is left out otherwise."""
        if any(each not in self._tag_ids for each in tags):
            for group in self._post(_TAGS, {}).get("tag_group", ()):
                self._learn(group)
        for tag in tags if make else ():
            if tag not in self._tag_ids:
                made = self._post(_ADD_TAG, {"group_name": tag.group, "tag": [{"name": tag.name}]})
                self._learn(made.get("tag_group", {}))
        return [self._tag_ids[each] for each in tags if each in self._tag_ids]

    def _learn(self, group: Mapping[str, Any]) -> None:
        for each in group.get("tag", ()):
            if not each.get("deleted"):
                self._tag_ids[OutsideTag(str(group.get("group_name", "")), str(each["name"]))] = str(each["id"])

    def _post(self, path: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return _content(self.api.post(path, content))
        except RetryableError as error:
            raise _NoUse(NotAnswered(str(error))) from error


_CHANGES: Final = ("add_tag", "remove_tag")


class _NoUse(Exception):
    """A call that gave no answer that helps; raised and caught in this module."""

    def __init__(self, why: NotKnown | NotAnswered) -> None:
        super().__init__(why.reason)
        self.why = why


def _content(reply: Reply) -> Mapping[str, Any]:
    """The content of a success. Raises _NoUse: what the account or the moment is the reason for may be answered later."""
    match reply:
        case Replied(code=0, content=content):
            return content
        case Replied(code=code):
            is_passing = code in LATER or code == QUOTA or code in REFUSES_THE_ACCOUNT
            raise _NoUse(NotAnswered(with_advice(reply)) if is_passing else NotKnown(str(code)))
        case NotSent(reason=reason) | NoAnswer(reason=reason):
            raise _NoUse(NotAnswered(reason))
        case _:
            assert_never(reply)


def _serving(follow: Mapping[str, Any]) -> ServingMember:
    since, tags = follow.get("createtime"), follow.get("tags") or ()
    return ServingMember(
        member=str(follow["userid"]),
        since=datetime.fromtimestamp(since, tz=UTC) if isinstance(since, int) and since > 0 else None,
        tags=frozenset(
            OutsideTag(str(each.get("group_name", "")), str(each.get("tag_name", "")))
            for each in tags
            if each.get("type") == _OF_THE_COMPANY
        ),
    )


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Customers:
    """The customers of the company; settings as those of the provider."""
    return Customers(api_of(settings, ports))
