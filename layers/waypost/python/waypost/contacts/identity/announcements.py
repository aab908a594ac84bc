"""Merges and undone merges as events of the contact's stream. Used by the router and by merges by hand.

A merge is stored first and announced afterwards. The survivor's profile records pending announcements, so after a crash in
between the contact's next event sends them. Event ids are derived from the merge, so a repeated announcement is recognised.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from waypost.contacts.fitting import WAY_OUT
from waypost.contacts.identity.merge import Merge, first_names, summary
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact, announcement
from waypost.events.envelope import OWN_SOURCE, Event

MERGED: Final = "contacts_merged"
UNMERGED: Final = "contacts_unmerged"


def merged_event(merge: Merge) -> Event:
    """``contacts_merged``, on the survivor: both contacts, the reason, and the profiles before and after."""
    properties = {
        **_about(merge),
        "before": {"from": summary(merge.absorbed), "into": summary(merge.survivor)},
        "after": summary(merge.result),
    } | _left_out(merge)
    return Event(
        id=f"contacts-merged-{merge.merge_id}",
        type=MERGED,
        contact={"contact_id": merge.survivor.contact_id},
        occurred_at=merge.at,
        received_at=merge.at,
        source=OWN_SOURCE,
        properties=properties,
    )


def unmerged_events(merge: Merge) -> list[Event]:
    """``contacts_unmerged``, on each of the two contacts; empty for a merge that was not undone."""
    if merge.undone_at is None:
        return []
    on_survivor = Event(
        id=f"contacts-unmerged-{merge.merge_id}-into",
        type=UNMERGED,
        contact={"contact_id": merge.survivor.contact_id},
        occurred_at=merge.undone_at,
        received_at=merge.undone_at,
        source=OWN_SOURCE,
        properties=_about(merge),
    )
    return [
        on_survivor,
        replace(
            on_survivor,
            id=f"contacts-unmerged-{merge.merge_id}-from",
            contact={"contact_id": merge.absorbed.contact_id},
        ),
    ]


def announcements(contact: Contact, contacts: ContactStore) -> Sequence[Event]:
    """The pending announcements of the contact; reads nothing when there are none."""
    if not contact.unannounced:
        return []
    found: list[Event] = []
    for owner in contact.partitions:
        for merge in contacts.merges(owner):
            if announcement(merge.merge_id, undone=False) in contact.unannounced:
                found.append(merged_event(merge))
            if announcement(merge.merge_id, undone=True) in contact.unannounced:
                found += unmerged_events(merge)
    return found


def _left_out(merge: Merge) -> dict[str, Any]:
    """What the full survivor could not take of the other contact, by name; the record has the values."""
    if not merge.left_out:
        return {}
    return {"left_out": first_names(merge.left_out), "left_out_in_all": len(merge.left_out), "way_out": WAY_OUT}


def _about(merge: Merge) -> dict[str, Any]:
    return {
        "merge_id": merge.merge_id,
        "from": merge.absorbed.contact_id,
        "into": merge.survivor.contact_id,
        "ground": merge.ground,
        "cause": merge.cause,
    }
