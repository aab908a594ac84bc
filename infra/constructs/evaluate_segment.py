"""Hop 8: says whether a contact is in a segment. Called by journey machines."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform


class EvaluateSegment(Hop):
    """Reads a contact and its history, and writes nothing."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable) -> None:
        super().__init__(
            scope,
            "evaluate_segment",
            platform=platform,
            purpose="Says whether a contact is in a segment",
            settings={"contacts_table": contacts.name},
        )
        contacts.readable_by(self)
