"""Show whom a member of staff has added in WeCom, and when. Called by show_customers.

WeCom knows the time of every add, before Waypost was there too; of whom a member is the first, the contact's profile says.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.clock import format_instant
from waypost.contacts.channels import Channel
from waypost.contacts.ports import BulkContactStore
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.files.folders import EXPORTS
from waypost.files.ports import Files
from waypost.staff.directory import StaffDirectory
from waypost.staff.outside_members import NoList, OutsideCustomer, StaffSource

SHOWN: Final = 100
"""Customers that an answer names; the file has all."""
_WECOM: Final = Channel("wecom")
_IDENTITY: Final = "external_userid"
_SERVED_BY: Final = "wecom_staff"
"""The attribute that names those who serve a contact, who came first before the others."""
_COLUMNS: Final = ("since", "contact_id", "external_userid", "state", "first")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCustomers:
    """Asks WeCom for a member's customers, and finds the contacts that they are."""

    staff: Callable[[], StaffDirectory]
    source: Callable[[], StaffSource]
    contacts: BulkContactStore
    files: Files

    def show(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{member}`` → ``{member, userid, customers, known, first, file, shown}``; the oldest first.

        ``shown`` are the first 100, ``{since, contact_id, external_userid, state, first}``: ``contact_id`` "" for who is no contact,
        ``first`` whether nobody added them before. Raises InvalidInput for who is not in WeCom, and RetryableError.
        """
        if unknown := payload.keys() - {"member"}:
            raise InvalidInput(min(unknown), "is not known; expected member")
        member = self.staff().known_as(payload.get("member"))
        if member is None:
            raise InvalidInput(
                "member", f"{payload.get('member')!r} is nobody in the directory; waypost staff list shows it"
            )
        userid = member.channels.get(_WECOM, "")
        if not userid:
            raise InvalidInput("member", f"{member.id} has no userid of WeCom among their channels")
        match self.source().customers(userid):
            case NoList(reason=reason, later=True):
                raise TemporarilyUnavailable(f"wecom: {reason}")
            case NoList(reason=reason):
                raise InvalidInput("wecom", reason)
            case found:
                rows = self._rows(sorted(found, key=lambda each: (each.since, each.address)), userid)
        key = f"{EXPORTS}staff/customers-{member.id}.csv"
        self.files.write(key, _table(rows))
        return {
            "member": member.id,
            "userid": userid,
            "customers": len(rows),
            "known": sum(bool(each["contact_id"]) for each in rows),
            "first": sum(each["first"] for each in rows),
            "file": key,
            "shown": rows[:SHOWN],
        }

    def _rows(self, found: Sequence[OutsideCustomer], userid: str) -> list[dict[str, Any]]:
        resolved = self.contacts.resolve_many([{_IDENTITY: each.address} for each in found])
        ids = [each.get(_IDENTITY, "") for each in resolved]
        known = self.contacts.load_many({each for each in ids if each})
        return [
            {
                "since": format_instant(each.since),
                "contact_id": contact.contact_id if (contact := known.get(id_)) else "",
                "external_userid": each.address,
                "state": each.state,
                "first": _is_first(contact, userid),
            }
            for each, id_ in zip(found, ids, strict=True)
        ]


def _is_first(contact: Contact | None, userid: str) -> bool:
    served_by: Sequence[str] = (contact.attributes.get(_SERVED_BY) if contact else None) or ()
    return bool(served_by) and served_by[0].lower() == userid.lower()


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()  # a spreadsheet knows UTF-8 by the mark
