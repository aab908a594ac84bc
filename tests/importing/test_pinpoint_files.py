"""Endpoints of Amazon Pinpoint become contacts. The examples are those of its user guide, with other addresses."""

import gzip
import json
from typing import Any

from tests.importing.files import ATTRIBUTES, cleaned, one, refused
from waypost.importing.rows import CleanRow, RejectedRow

CSV = b"""ChannelType,Address,Location.Country,Demographic.Platform,Demographic.Make,User.UserId
SMS,+16045550182,CA,Android,LG,example-user-id-1
APNS,1a2b3c4d5e6f7g8h9i0j1a2b3c4d5e6f,US,iOS,Apple,example-user-id-2
EMAIL,mei@example.com,US,iOS,Apple,example-user-id-2
"""

EXPORTED: dict[str, Any] = {
    "ApplicationId": "2f3a",
    "Id": "endpoint-1",
    "ChannelType": "EMAIL",
    "Address": "Mei@Example.com",
    "EndpointStatus": "ACTIVE",
    "OptOut": "ALL",
    "CohortId": "39",
    "EffectiveDate": "2026-01-05T10:54:35.220Z",
    "CreationDate": "2026-01-05T10:54:35.220Z",
    "RequestId": "8a",
    "Location": {"City": "Shanghai", "Country": "CN", "PostalCode": "200000", "Latitude": 31.2, "Longitude": 121.5},
    "Demographic": {"Locale": "zh_CN", "Timezone": "Asia/Shanghai", "Make": "Apple", "AppVersion": "1.2"},
    "Attributes": {"Interests": ["Science", "Music"], "Name": ["from the endpoint"]},
    "Metrics": {"sessions": 4.0},
    "User": {"UserId": "u-7", "UserAttributes": {"Name": ["小明"], "生日": ["1990/1/5"]}},
}


def line(**changes: Any) -> bytes:
    return json.dumps({**EXPORTED, **changes}).encode() + b"\n"


def test_the_example_file_of_the_user_guide_is_read() -> None:
    first, second, third = cleaned(CSV)
    assert isinstance(first, CleanRow)
    assert first.identities == {"user_id": "example-user-id-1", "phone": "+16045550182"}
    assert first.profile == {"phone": "+16045550182", "country": "CA", "platform": "Android", "device_make": "LG"}
    assert isinstance(second, CleanRow)
    assert second.identities == {"user_id": "example-user-id-2"}
    assert (second.profile["push_token"], second.profile["push_service"]) == (
        "1a2b3c4d5e6f7g8h9i0j1a2b3c4d5e6f",
        "apns",
    )
    assert isinstance(third, CleanRow)
    assert third.identities == {"user_id": "example-user-id-2", "email": "mei@example.com"}


def test_an_exported_endpoint_brings_everything_it_knows() -> None:
    row = one(line())
    assert row.identities == {"user_id": "u-7", "email": "mei@example.com"}
    assert row.profile == {
        "email": "mei@example.com", "city": "上海市", "country": "CN", "postal_code": "200000", "latitude": 31.2, "longitude": 121.5,
        "locale": "zh-CN", "timezone": "Asia/Shanghai", "device_make": "Apple", "app_version": "1.2", "interests": ["Science", "Music"],
        "name": "小明", "birthday": "1990-01-05", "sessions": 4, "consent": {"email": False},
    }  # fmt: skip
    assert row.evidence == {"email": "OptOut in Amazon Pinpoint"}


def test_not_having_opted_out_is_no_consent() -> None:
    assert "consent" not in one(line(OptOut="NONE")).profile


def test_an_endpoint_without_user_is_known_by_its_address_or_its_id() -> None:
    assert one(line(User={})).identities == {"email": "mei@example.com"}
    assert one(line(User={}, ChannelType="GCM", Address="token")).identities == {"anonymous_id": "pinpoint:endpoint-1"}


def test_an_endpoint_pinpoint_itself_would_not_use_is_kept_out() -> None:
    assert refused(line(EndpointStatus="INACTIVE")).field == "EndpointStatus"
    assert refused(line(ChannelType="PIGEON")).field == "ChannelType"
    assert refused(line(ChannelType="SMS", Address="12")).reason.startswith("should be a phone number")


def test_a_list_of_several_user_ids_in_one_row_is_refused() -> None:
    row = refused(b"User.UserId\nid-1 id-2 id-3\n")
    assert (row.field, "one in a row" in row.reason) == ("User.UserId", True)


def test_a_repeated_header_is_a_list_of_values() -> None:
    data = b"ChannelType,Address,User.UserId,User.UserAttributes.likes,User.UserAttributes.likes\nSMS,+8613800138000,u,tea,silk\n"
    assert one(data).profile["likes"] == ["tea", "silk"]


def test_a_compressed_export_is_recognised() -> None:
    from waypost.importing.detecting import resolve
    from waypost.importing.spec import ImportSpec

    assert resolve(gzip.compress(line()), ImportSpec(), attributes=ATTRIBUTES).format == "pinpoint"


def test_an_endpoint_of_any_shape_ends_in_an_answer() -> None:
    for changes in (
        {"Address": ["a", "b"]},
        {"User": "x"},
        {"OptOut": [1]},
        {"Attributes": [1]},
        {"ChannelType": 5},
        {"Location": None},
        {"Id": None, "Address": None, "User": None},
    ):
        (row,) = cleaned(line(**changes))
        assert isinstance(row, (CleanRow, RejectedRow))
