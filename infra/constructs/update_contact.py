"""Hop 7: tags a contact or sets an attribute. Called by journey machines."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform


class UpdateContact(Hop):
    """Writes tags and attributes."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable) -> None:
        super().__init__(
            scope,
            "update_contact",
            platform=platform,
            purpose="Tags a contact or sets an attribute",
            settings={"contacts_table": contacts.name},
        )
        contacts.writable_by(self)
