"""Previews, executes and undoes merges that a person asks for. Called by merge_contacts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from waypost.clock import Clock, format_instant
from waypost.contacts.identity.announcements import announcements, merged_event, unmerged_events
from waypost.contacts.identity.merge import Merge, Objection, is_kept_apart, merge_of, objection
from waypost.contacts.identity.named_contact import find_named, read_name, read_text
from waypost.contacts.identity.rules import IdentityRules
from waypost.contacts.identity.unmerge import rewritten, unmerged_profiles
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.events.ports import EventQueue

ATTEMPTS: Final = 12
LARGEST_TRANSACTION: Final = 3_500_000
"""Bytes; a DynamoDB transaction may have 4 MB."""

ACTIONS: Final = ("preview", "merge", "undo")
EXPLAINED: Final[Mapping[Objection, str]] = {
    "same_contact": "the two are one contact already",
    "erased": "one of the two was erased, and an erased contact is never merged",
    "kept_apart": "a merge of the two was undone; an event does not merge them again, a merge by hand does",
    "different_people": "the two have different values of an identity of which a person has only one",
    "too_many_merged": "together they would be more contacts than one can be made of",
    "too_large": "one of them is larger than a merge can record; remove attributes, tags or groups that nothing reads",
}
"""The text for each objection, for the person who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeContacts:
    """Previews, merges and unmerges the contacts of a request."""

    contacts: ContactStore
    queue: EventQueue
    rules: IdentityRules
    clock: Clock

    def act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``request``; a repeated one changes nothing.

        ``{action: preview | merge, contacts: [who, who], reason}`` or ``{action: undo, contact: who, merge_id, reason}``,
        ``who`` being ``{contact_id: …}`` or one identity such as ``{user_id: …}``. Without ``merge_id`` the contact's
        latest merge is undone; ``request_id`` then distinguishes a repetition from another request. Raises InvalidInput naming
        the field, ContactNotFound, and ConcurrentUpdate.
        """
        match request.get("action"):
            case "preview":
                return self.preview(*_two(request))
            case "merge":
                return self.merge(*_two(request), reason=read_text(request, "reason"))
            case "undo":
                return self.undo(
                    read_name(request.get("contact"), "contact"),
                    merge_id=read_text(request, "merge_id"),
                    reason=read_text(request, "reason"),
                    request_id=read_text(request, "request_id"),
                )
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def preview(self, one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, Any]:
        """What a merge of the two would do, or why there can be none; nothing is written."""
        found = find_named(self.contacts, one, "contacts[0]"), find_named(self.contacts, other, "contacts[1]")
        reason, merge = self._plan(*found, reason="")
        answer: dict[str, Any] = {
            "action": "preview",
            "contacts": [each.contact_id for each in found],
            "allowed": merge is not None,
            "reason": reason,
            "explanation": "" if reason is None else self._explanation(reason, *found),
        }
        if merge is not None:
            answer |= _changes(merge) | {"kept_apart": is_kept_apart(*found)}
        return answer

    def merge(self, one: Mapping[str, str], other: Mapping[str, str], *, reason: str = "") -> dict[str, Any]:
        """Merge the two. Raises InvalidInput with the reason when the rules forbid it."""
        for _ in range(ATTEMPTS):
            found = find_named(self.contacts, one, "contacts[0]"), find_named(self.contacts, other, "contacts[1]")
            if found[0].contact_id == found[1].contact_id:
                return self._merged_before(found[0])
            why_not, merge = self._plan(*found, reason=reason)
            if merge is None:
                raise InvalidInput("contacts", self._explanation(why_not or "too_large", *found))
            if self.contacts.merge(merge):
                self.queue.send([merged_event(merge)])
                return {"action": "merge", "merged": True} | _changes(merge)
        raise ConcurrentUpdate(f"the contacts changed {ATTEMPTS} times while they were merged")

    def undo(
        self, who: Mapping[str, str], *, merge_id: str = "", reason: str = "", request_id: str = ""
    ) -> dict[str, Any]:
        """Undo a merge into the contact. Raises InvalidInput when there is no such merge to undo."""
        for _ in range(ATTEMPTS):
            contact = find_named(self.contacts, who, "contact")
            if (before := self._undone_before(contact, merge_id, request_id)) is not None:
                self.queue.send(unmerged_events(before))
                return _parted(before, parted_now=False)
            known = self.contacts.merges(contact.contact_id)
            merge = _chosen(known, merge_id)
            if merge is None:
                raise InvalidInput("merge_id" if merge_id else "contact", self._nothing_to_undo(contact, merge_id))
            if contact.erased:
                raise InvalidInput("contact", "was erased, and with it what the merge could give back")
            undone = replace(merge, undone_at=self.clock(), undone_by=request_id, undone_cause=reason)
            later = [each for each in known if _is_built_on(merge, each)]
            recomputed = rewritten(merge, later, rules=self.rules)
            _check_size([undone, *recomputed])
            if self.contacts.unmerge(
                undone, *unmerged_profiles(merge, contact, later=later, recomputed=recomputed), rewritten=recomputed
            ):
                self.queue.send(unmerged_events(undone))
                return _parted(undone, parted_now=True)
        raise ConcurrentUpdate(f"the contact changed {ATTEMPTS} times while its merge was undone")

    def _plan(self, one: Contact, other: Contact, *, reason: str) -> tuple[Objection | None, Merge | None]:
        found = objection(one, other, rules=self.rules, ground="hand")
        if found is not None:
            return found, None
        merge = merge_of(one, other, rules=self.rules, at=self.clock(), ground="hand", cause=reason)
        return (None, merge) if merge is not None else ("too_large", None)

    def _explanation(self, reason: Objection, one: Contact, other: Contact) -> str:
        kind = self.rules.clash(one.identities, other.identities)
        return EXPLAINED[reason] + (f": {kind}" if reason == "different_people" else "")

    def _merged_before(self, contact: Contact) -> dict[str, Any]:
        """The answer to a merge of two that are one already; sends announcements that a crash left pending."""
        if pending := announcements(contact, self.contacts):
            self.queue.send(pending)
        return {
            "action": "merge",
            "merged": False,
            "into": contact.contact_id,
            "explanation": EXPLAINED["same_contact"],
        }

    def _undone_before(self, contact: Contact, merge_id: str, request_id: str) -> Merge | None:
        """The merge, if it was undone already: by an earlier call of this request, or the one of this id.

        The record is stored under its survivor: that is this contact, the one it was separated from, or a contact that
        has absorbed one of the two since.
        """
        owners = dict.fromkeys((contact.contact_id, *chain.from_iterable(sorted(contact.kept_apart))))
        undone = [each for owner in owners for each in self.contacts.merges(owner) if each.undone_at is not None]
        by_this = (
            each for each in undone if each.merge_id == merge_id or (request_id and each.undone_by == request_id)
        )
        return next(by_this, None)

    def _nothing_to_undo(self, contact: Contact, merge_id: str) -> str:
        """Why there is nothing to undo, and the way out when another merge has to be undone first."""
        if not merge_id:
            return f"no contact was merged into {contact.contact_id}, or that was undone already"
        for owner in contact.absorbed:
            if any(each.merge_id == merge_id and each.undone_at is None for each in self.contacts.merges(owner)):
                return (
                    f"{merge_id} merged a contact into {owner}, which is itself part of {contact.contact_id} now: "
                    "undo that merge first"
                )
        return f"{contact.contact_id} has no merge {merge_id!r}; the merges of a contact are on its timeline"


def _chosen(known: list[Merge], merge_id: str) -> Merge | None:
    """The merge of this id, or the latest one, of those that are not undone."""
    not_undone = [each for each in known if each.undone_at is None and merge_id in {"", each.merge_id}]
    return not_undone[-1] if not_undone else None


def _is_built_on(merge: Merge, other: Merge) -> bool:
    """Whether ``other`` is a later merge into the same contact and is not undone."""
    return other.undone_at is None and merge.absorbed.contact_id in other.survivor.absorbed


def _check_size(records: list[Merge]) -> None:
    size = sum(len(json.dumps(each.to_dict(), ensure_ascii=False).encode()) for each in records)
    if size > LARGEST_TRANSACTION:
        raise InvalidInput("merge_id", "too many large merges were built on this one: undo the latest of them first")


def _changes(merge: Merge) -> dict[str, Any]:
    """What a merge does to the survivor, with both sides where they differ."""
    before, after, gone = merge.survivor, merge.result, merge.absorbed
    names = before.attributes.keys() | gone.attributes.keys()
    attributes = {
        name: {
            "into": before.attributes.get(name),
            "from": gone.attributes.get(name),
            "after": after.attributes.get(name),
        }
        for name in sorted(names)
        if before.attributes.get(name) != gone.attributes.get(name)
    }
    consents = {
        key: {
            "into": _answer(before, key),
            "from": _answer(gone, key),
            "after": _answer(after, key),
        }
        for key in sorted(before.consents.keys() | gone.consents.keys())
    }
    return {
        "merge_id": merge.merge_id,
        "into": before.contact_id,
        "from": gone.contact_id,
        "attributes": attributes,
        "identities": after.identities,
        "tags": sorted(after.tags),
        "groups": sorted(after.groups),
        "consents": consents,
        "suppressions": after.closed,
        "left_out": list(merge.left_out),
        "points": {"into": before.points, "from": gone.points, "after": after.points},
    }


def _answer(contact: Contact, key: str) -> str:
    answer = contact.consents.get(key)
    return "none" if answer is None else "granted" if answer.granted else "withdrawn"


def _parted(merge: Merge, *, parted_now: bool) -> dict[str, Any]:
    return {
        "action": "undo",
        "undone": parted_now,
        "merge_id": merge.merge_id,
        "survivor": merge.survivor.contact_id,
        "restored": merge.absorbed.contact_id,
        "undone_at": None if merge.undone_at is None else format_instant(merge.undone_at),
    }


def _two(request: Mapping[str, Any]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    given = request.get("contacts")
    if not isinstance(given, list) or len(given) != 2:
        raise InvalidInput("contacts", 'should be a list of two, for example [{"user_id": "u-1"}, {"email": "…"}]')
    one, other = (read_name(each, f"contacts[{place}]") for place, each in enumerate(given))
    return one, other
