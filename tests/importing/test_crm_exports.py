"""Exports of the CRM and mail systems for which mappings are shipped, in the shapes they really have."""

from pathlib import Path
from typing import Any

import pytest

from tests.audiences.audience_world import SHANGHAI
from tests.importing.machine import Machines, counts
from tests.importing.shipped import sections, shipped
from waypost.clock import parse_instant
from waypost.contacts.attributes import AttributeDeclaration
from waypost.contacts.cleaning import Unusable
from waypost.contacts.profile import Contact
from waypost.journeys.pause_times import Circumstances, first_due
from waypost.segments.compile import compile_rule
from waypost.segments.subject import subject_of

SALESFORCE = """Id,FirstName,LastName,Phone,MobilePhone,HomePhone,Email,Birthdate,MailingCity,MailingState,HasOptedOutOfEmail,LeadSource
0035i00001AbCdE,Mei,Li,010-62345678,138 0013 8000,,mei@example.com,1990-01-05,Shanghai,Shanghai,false,Web
0035i00001AbCdF,Tom,Wu,13900139000,,,tom@example.com,,#N/A,,true,
0035i00001AbCdG,An,Bo,n/a,,+86 137 0013 7000,an@example,,,,,
"""
SALESFORCE_REPORT = """"Contact ID","First Name","Last Name","Phone","Mobile","Email","Mailing City","Mailing State/Province","Email Opt Out"
"0035i00001AbCdE","Mei","Li","010-62345678","13800138000","mei@example.com","Hangzhou","Zhejiang","1"
"""
HUBSPOT = """"Record ID","First Name","Last Name","Email","Phone Number","Mobile Phone Number","Contact owner","Lifecycle Stage","City"
"51","Mei","Li","mei@example.com","+86 10 6234 5678","+86 138 0013 8000","Anna","Lead","Shanghai"
"52","Tom","Wu","tom@example.com","+8613900139000","","","",""
"""
MAILCHIMP = (
    '"Email Address","First Name","Last Name","Phone Number",Birthday,MEMBER_RATING,OPTIN_TIME,CC,LEID,EUID,NOTES,TAGS\n'
    '''mei@example.com,Mei,Li,13800138000,05/21,2,"2020-02-03 04:05:06",CN,123,abc,,"""vip"",""staff"""\n'''
    '''tom@example.com,Tom,Wu,,03/04,4,"2020-02-03 04:05:06",CN,124,abd,,"""vip"",""Blog"""\n'''
    """an@example.com,An,Bo,,02/29,4,,CN,125,abe,,\n"""
)
SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address Address2,"
    "Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,"
    "Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags\n"
    "'7001,Mei,Li,mei@example.com,yes,,1 Nanjing Road,,Shanghai,SH,CN,200000,13900139000,'+8613800138000,no,120.50,3,,no,\"vip, horeca\"\n"
    "'7002,Tom,Wu,,no,,,,,,,,13900139001,,no,0.00,0,,no,\n"
)
YOUZAN = "客户姓名,客户昵称,免费等级,付费等级,客户手机号,客户积分,客户储值余额\n李梅,小梅,银卡,,13800138000,120,0.00\n"


def taken(content: str, mapping: str, **given: Any) -> tuple[Machines, dict[str, Any]]:
    machines = Machines()
    machines.upload(content)
    return machines, machines.import_file(mapping=mapping, **given)


def attributes(machines: Machines, kind: str, value: str, *names: str) -> list[Any]:
    found = machines.one(kind, value).attributes
    return [found.get(name) for name in names]


@pytest.mark.parametrize("mapping", ["salesforce", ""])
def test_salesforce_by_data_loader(mapping: str) -> None:
    with shipped():
        machines, report = taken(
            SALESFORCE if mapping else SALESFORCE.replace("Id,", "User ID,").replace(",an@example,", ",,"), mapping
        )
        assert counts(report)["created"] == 3
        assert attributes(machines, "user_id", "0035i00001AbCdE", "phone", "city", "birthday")[0] == "+8613800138000"
        assert attributes(machines, "user_id", "0035i00001AbCdF", "phone") == ["+8613900139000"]
        if mapping:
            assert attributes(machines, "user_id", "0035i00001AbCdG", "phone", "email") == ["+8613700137000", None]
            assert machines.one("user_id", "0035i00001AbCdF").consent("email", "*") == "withdrawn"
            assert machines.one("user_id", "0035i00001AbCdE").consent("email", "*") == "none"


def test_salesforce_clears_what_its_token_for_null_says() -> None:
    with shipped():
        machines, _ = taken(SALESFORCE.replace("#N/A", "Hangzhou"), "salesforce")
        machines.clock.advance(days=1)
        machines.upload(SALESFORCE, "imports/next.csv")
        report = machines.import_file("imports/next.csv", mapping="salesforce")
        assert report["cleared"] == {"city": 1}
        assert attributes(machines, "user_id", "0035i00001AbCdF", "city", "first_name") == [None, "Tom"]


def test_a_salesforce_report() -> None:
    with shipped():
        machines, report = taken(SALESFORCE_REPORT, "salesforce")
        assert counts(report) == {"rows": 1, "created": 1}
        assert attributes(machines, "user_id", "0035i00001AbCdE", "phone", "city", "province") == [
            "+8613800138000", "杭州市", "浙江省",
        ]  # fmt: skip
        assert machines.one("user_id", "0035i00001AbCdE").consent("email", "*") == "withdrawn"


def test_hubspot() -> None:
    with shipped():
        machines, report = taken(HUBSPOT, "hubspot")
        assert counts(report) == {"rows": 2, "created": 2}
        assert attributes(machines, "user_id", "51", "phone", "first_name", "city") == [
            "+8613800138000",
            "Mei",
            "上海市",
        ]
        assert attributes(machines, "user_id", "52", "phone") == ["+8613900139000"]
        assert report["ignored_values"] == {"Contact owner": 1, "Lifecycle Stage": 1}


def test_mailchimp_with_quoted_tags_and_birthdays_without_a_year() -> None:
    with shipped():
        machines, report = taken(MAILCHIMP, "mailchimp")
        assert counts(report) == {"rows": 3, "created": 3}
        assert machines.one("email", "mei@example.com").tags == {"vip", "staff"}
        assert machines.one("email", "tom@example.com").tags == {"vip"}
        assert "Blog" in machines.text(report["files"]["repairs"])
        birthdays = [attributes(machines, "email", f"{name}@example.com", "birthday") for name in ("mei", "tom", "an")]
        assert birthdays == [["--05-21"], ["--03-04"], ["--02-29"]]


def test_a_year_that_is_known_is_not_lost_to_a_birthday_without_one() -> None:
    with shipped():
        machines, _ = taken("email,birthday\nmei@example.com,1990-05-21\ntom@example.com,1990-05-21\n", "")
        machines.clock.advance(days=1)
        machines.upload(MAILCHIMP, "imports/mailchimp.csv")
        machines.import_file("imports/mailchimp.csv", mapping="mailchimp")
        assert attributes(machines, "email", "mei@example.com", "birthday") == ["1990-05-21"]
        assert attributes(machines, "email", "tom@example.com", "birthday") == ["--03-04"]


def test_shopify() -> None:
    with shipped():
        machines, report = taken(SHOPIFY, "shopify")
        assert counts(report) == {"rows": 2, "created": 2}
        assert attributes(machines, "user_id", "7001", "phone", "city", "country", "total_spent", "order_count") == [
            "+8613800138000", "上海市", "CN", 120.5, 3,
        ]  # fmt: skip
        assert attributes(machines, "user_id", "7002", "phone") == ["+8613900139001"]
        assert machines.one("user_id", "7001").consent("email", "*") == "none"
        assert machines.one("user_id", "7001").tags == {"vip"}


def test_youzan() -> None:
    with shipped():
        machines, report = taken(YOUZAN, "youzan")
        assert counts(report) == {"rows": 1, "created": 1}
        assert attributes(machines, "phone", "+8613800138000", "name", "nickname") == ["李梅", "小梅"]


def test_every_shipped_mapping_is_described_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "imports.md").read_text(encoding="utf-8")
    assert [name for name in sections()["imports"] if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("cell", "dates", "stored"),
    [
        ("05/21", "month_first", "--05-21"), ("05/06", "month_first", "--05-06"), ("05/06", "day_first", "--06-05"), ("21/5", "year_first", "--05-21"),
        ("5月21日", "year_first", "--05-21"), ("--05-21", "year_first", "--05-21"), ("02/29", "month_first", "--02-29"),
        ("1990-05-21", "month_first", "1990-05-21"), ("05/21/1990", "month_first", "1990-05-21"), ("２/３", "month_first", "--02-03"),
    ],
)  # fmt: skip
def test_a_date_that_may_lack_its_year(cell: str, dates: Any, stored: str) -> None:
    birthday = AttributeDeclaration(name="birthday", type="date", yearless=True, minimum="1900-01-01")
    assert birthday.clean(cell, dates=dates) == stored
    assert birthday.clean(stored) == stored


@pytest.mark.parametrize("cell", ["05/06", "02/30", "13/13", "5", "5/", "0/1"])
def test_a_day_without_a_year_that_is_ambiguous_or_none_is_refused(cell: str) -> None:
    birthday = AttributeDeclaration(name="birthday", type="date", yearless=True)
    assert isinstance(birthday.clean(cell), Unusable)


def test_a_date_that_needs_its_year_is_refused_without_one() -> None:
    assert isinstance(AttributeDeclaration(name="registered_on", type="date").clean("05/21"), Unusable)


@pytest.mark.parametrize(
    ("birthday", "now", "is_today"),
    [
        ("--05-21", "2027-05-21T10:00:00+08:00", True),
        ("--05-21", "2027-05-20T10:00:00+08:00", False),
        ("--02-29", "2027-02-28T10:00:00+08:00", True),
        ("--02-29", "2028-02-28T10:00:00+08:00", False),
    ],
)
def test_a_birthday_without_a_year_has_anniversaries_and_no_age(birthday: str, now: str, is_today: bool) -> None:
    at = parse_instant(now)
    contact = Contact(contact_id="c-1", created_at=at, attributes={"birthday": birthday})
    subject = subject_of(contact, now=at, default_zone=SHANGHAI)
    assert compile_rule({"attribute": "birthday", "anniversary": "today"})(subject) is is_today
    assert not compile_rule({"attribute": "birthday", "age": {"at_least": 0}})(subject)
    around = Circumstances(enrolled_at=at, anchor_at=None, zone=SHANGHAI, attributes=contact.attributes, properties={})
    due = first_due({"until": {"anniversary": "birthday", "at": "09:00"}}, parked_at=at, around=around)
    assert due.at > at
    assert due.at.astimezone(SHANGHAI).strftime("%H:%M") == "09:00"
