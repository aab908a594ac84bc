"""Hop 15: plans a refresh of all contacts. Called by the operation refresh-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform


class PlanRefresh(Hop):
    """Asks how large the base is, about; reads no contact."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable) -> None:
        super().__init__(
            scope,
            "plan_refresh",
            platform=platform,
            purpose="Plans a refresh of all contacts",
            timeout=Duration.minutes(1),
            settings={"contacts_table": contacts.name},
        )
        contacts.profiles_countable_by(self)
