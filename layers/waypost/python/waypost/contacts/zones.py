"""The time zone a contact lives in. Used by pauses, quiet hours, rules and reports."""

from zoneinfo import ZoneInfo

from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.places import time_zone
from waypost.contacts.profile import Contact


def zone_of(contact: Contact, default: ZoneInfo) -> ZoneInfo:
    """The contact's zone, or ``default`` when it has none or one that does not exist."""
    name = contact.attributes.get("timezone")
    return zone_named(name, default) if isinstance(name, str) and name else default


def zone_named(name: str, default: ZoneInfo) -> ZoneInfo:
    """The zone of a name in any spelling that ``time_zone`` reads, or ``default`` when there is none."""
    match time_zone(name):
        case Unusable():
            return default
        case zone:
            return ZoneInfo(zone)
