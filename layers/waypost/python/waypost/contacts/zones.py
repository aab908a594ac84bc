"""The time zone a contact lives in. Used by pauses, quiet hours and reports."""

from zoneinfo import ZoneInfo

from waypost.contacts.profile import Contact


def zone_of(contact: Contact, default: ZoneInfo) -> ZoneInfo:
    """The contact's IANA zone, or ``default`` when it has none or one that does not exist."""
    name = contact.attributes.get("timezone")
    if not isinstance(name, str) or not name:
        return default
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown zone, malformed name, name of a folder
        return default
