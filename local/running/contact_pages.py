"""Writes the page of a contact of the running system. Called by ``waypost timeline --page``."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from local.cloud.local_cloud import client, default_zone
from local.project.current_project import current_project
from local.project.journey_files import find_graph
from local.running.contact_lookup import known_id, nobody
from waypost.aws.contacts import DynamoContactItems, DynamoContacts
from waypost.pages.texts import DEFAULT
from waypost.reports.journey_page import contact_page


def write_contact_page(contact: str, access: Mapping[str, Any], *, now: datetime) -> Path:
    """The file with the page of a contact named by any of its identities. Raises LocalError."""
    database, table, project = client("dynamodb", access["endpoint_url"]), access["contacts_table"], current_project()
    contact_id = known_id(contact, DynamoContacts(database, table))
    page = contact_page(
        contact_id,
        DynamoContactItems(database, table),
        graphs=find_graph,
        default_zone=default_zone(project),
        now=now,
        language=DEFAULT,
    )
    if page is None:
        raise nobody(contact)
    file = project.out / "pages" / f"{contact_id}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")
    return file
