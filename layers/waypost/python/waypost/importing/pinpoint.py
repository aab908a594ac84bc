"""Reads endpoints of Amazon Pinpoint, exported or prepared for its import, as rows of contacts. Used by the cleaner.

An endpoint is one address of a user; several endpoints with one ``User.UserId`` become one contact, because each row
carries that id. Source: Amazon Pinpoint User Guide, "Importing segments", supported attributes
(https://docs.aws.amazon.com/pinpoint/latest/userguide/segments-importing.html), and the API reference's EndpointResponse for
what an export adds (``ApplicationId``, ``CohortId``, ``CreationDate``, ``EndpointStatus``).

``OptOut: ALL`` withdraws consent for the endpoint's channel. ``NONE`` is Pinpoint's default and proves nothing, so it grants
nothing. A push token becomes the attribute ``push_token``, beside ``push_service``.
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.contacts.attributes import AttributeSystem
from waypost.events.names import attribute_name
from waypost.importing.mapping import by_alias
from waypost.importing.rows import Cell, RowProblem
from waypost.importing.spec import Column

_CHANNELS: Final = {"EMAIL": "email", "SMS": "sms", "VOICE": "sms"}
_PUSH: Final = frozenset(
    {"APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "GCM", "ADM", "BAIDU", "PUSH", "IN_APP", "CUSTOM"}
)  # fmt: skip
_EVIDENCE: Final = "OptOut in Amazon Pinpoint"

_COLUMNS: Final[Mapping[str, Column]] = {
    "User.UserId": Column("identity", "user_id"),
    "Address.email": Column("identity", "email"),
    "Address.phone": Column("identity", "phone"),
    "Id.alone": Column("identity", "anonymous_id"),
    "Address.push": Column("attribute", "push_token"),
    "PushService": Column("attribute", "push_service"),
    "OptOut.email": Column("consent", "email", evidence=_EVIDENCE),
    "OptOut.sms": Column("consent", "sms", evidence=_EVIDENCE),
    "Location.City": Column("attribute", "city", wrong="leave_out"),
    "Location.Country": Column("attribute", "country", wrong="leave_out"),
    "Location.Region": Column("attribute", "province", wrong="leave_out"),
    "Location.PostalCode": Column("attribute", "postal_code"),
    "Location.Latitude": Column("attribute", "latitude"),
    "Location.Longitude": Column("attribute", "longitude"),
    "Demographic.Locale": Column("attribute", "locale"),
    "Demographic.Timezone": Column("attribute", "timezone"),
    "Demographic.AppVersion": Column("attribute", "app_version"),
    "Demographic.Make": Column("attribute", "device_make"),
    "Demographic.Model": Column("attribute", "device_model"),
    "Demographic.ModelVersion": Column("attribute", "device_model_version"),
    "Demographic.Platform": Column("attribute", "platform"),
    "Demographic.PlatformVersion": Column("attribute", "platform_version"),
}
_FREE: Final = ("User.UserAttributes.", "Attributes.", "Metrics.")


def endpoint(cells: Mapping[str, Cell]) -> dict[str, Cell] | RowProblem:
    """The cells of an endpoint with what its channel type says about them; the user's attributes come first."""
    channel = str(cells.get("ChannelType") or "").strip().upper()
    status = str(cells.get("EndpointStatus") or "ACTIVE").strip().upper()
    address, user = cells.get("Address"), cells.get("User.UserId")
    if status == "INACTIVE":
        return RowProblem(
            "is INACTIVE: Pinpoint sends nothing to this endpoint, because another has its address", "EndpointStatus"
        )
    if isinstance(user, str) and " " in user.strip() and not address:
        return RowProblem("holds several user ids; write one in a row", "User.UserId")
    if channel and channel not in _CHANNELS and channel not in _PUSH:
        return RowProblem(f"should be one of {', '.join(sorted({*_CHANNELS, *_PUSH}))}", "ChannelType")
    if address and not channel:
        return RowProblem("is missing, so the kind of the address is unknown", "ChannelType")
    found = dict(_sorted(cells))
    if address:
        if channel in _PUSH:
            found["Address.push"], found["PushService"] = address, channel.lower()
        else:
            found["Address.email" if channel == "EMAIL" else "Address.phone"] = address
    if str(cells.get("OptOut") or "").strip().upper() == "ALL" and channel in _CHANNELS:
        found[f"OptOut.{_CHANNELS[channel]}"] = False
    if not user and (channel in _PUSH or not address) and cells.get("Id"):
        found["Id.alone"] = f"pinpoint:{cells['Id']}"
    return found


def _sorted(cells: Mapping[str, Cell]) -> list[tuple[str, Any]]:
    """What is a contact's, the user's own attributes before the endpoint's; a list of one is its element."""
    named = [(name, cell[0] if isinstance(cell, list) and len(cell) == 1 else cell) for name, cell in cells.items()]
    kept = [(name, cell) for name, cell in named if name in _COLUMNS or name.startswith(_FREE)]
    return sorted(kept, key=lambda each: each[0].startswith(_FREE[1:]))


def column(name: str, attributes: AttributeSystem) -> Column | None:
    """Where a member of an endpoint goes: custom attributes by their own name, or the declared attribute that is meant."""
    if name in _COLUMNS:
        return _COLUMNS[name]
    for prefix in _FREE:
        if name.startswith(prefix):
            own = name.removeprefix(prefix)
            declared = by_alias(own, attributes)
            if declared is not None and declared.goes_to == "attribute":
                return declared
            try:
                return Column("attribute", attribute_name(own))
            except ValueError:
                return None
    return None
