"""Explains the decisions on messages of the running system. Called by ``waypost why``."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from local.cloud.local_cloud import client, default_zone
from local.problems import LocalError
from local.project.current_project import current_project
from local.running.contact_lookup import known_id, nobody
from waypost.aws.contacts import DynamoContactItems, DynamoContacts
from waypost.reports.explanation_page import explanation_page
from waypost.reports.message_explanation import Explanation, explain


def explanation_of(
    access: Mapping[str, Any], *, message_key: str, contact: str, journey: str, message: str
) -> Explanation:
    """Why the messages named were (not) sent. Without ``contact`` the table is searched for the key. Raises LocalError."""
    database, table = client("dynamodb", access["endpoint_url"]), access["contacts_table"]
    contact_id = known_id(contact, DynamoContacts(database, table)) if contact else _owner(database, table, message_key)
    found = explain(
        contact_id,
        DynamoContactItems(database, table),
        default_zone=default_zone(current_project()),
        journey=journey,
        message=message,
        message_key=message_key,
    )
    if found is None:
        raise nobody(contact or contact_id)
    if not found.messages and found.absence is None:
        raise LocalError("no message of this name was decided on for the contact", "--journey says why none was")
    return found


def write_explanation_page(explanation: Explanation, *, now: datetime, language: str) -> Path:
    """The file with the page."""
    file = current_project().out / "pages" / f"{explanation.contact_id}-why.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(explanation_page(explanation, now=now, language=language), encoding="utf-8")
    return file


def _owner(database: Any, table: str, message_key: str) -> str:
    """The contact that a message went to. A key names no contact, so this reads the whole table of this machine's system."""
    pages = database.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="contact_id",
        FilterExpression="sk = :sk",
        ExpressionAttributeValues={":sk": {"S": f"message#{message_key}"}},
    )
    for page in pages:
        for item in page["Items"]:
            return str(item["contact_id"]["S"])
    raise LocalError(f"there is no message {message_key!r}", "waypost timeline shows the messages of a contact")
