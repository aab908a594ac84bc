"""Whatever is stored of contacts comes out as a file that changes nothing where it came from and makes the same contacts elsewhere."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.importing.machine import START, Machines, base
from tests.importing.shipped import shipped
from waypost.clock import parse_instant
from waypost.contacts.attributes import load_attributes
from waypost.contacts.cleaning import Unusable
from waypost.contacts.consent import Consent
from waypost.contacts.file_columns import COMPUTED
from waypost.contacts.identity.acceptance import clean_identity
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import load_tag_system

AT = parse_instant(START)
with shipped():
    DECLARED, TAGS = load_attributes().attributes, load_tag_system()

texts = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from(
        ["N/A", "无", "007", "5", "true", "null", '"quoted"', "[1]", "{}", "1e999", "NaN", "=1+1", "'0138", '="0138"', "+5", "-",
         "a;b", "a, b", "line\nbreak", "ＡＢ１", "  two  spaces ", "@x", "'", '"', "2026-11-30", "yes", "\u2028", "c-1"]
    ),
).filter(lambda text: bool(text.strip()) and not any("\ud800" <= each <= "\udfff" for each in text))  # fmt: skip
decimals = st.floats(allow_nan=False, allow_infinity=False, width=32).filter(lambda value: not value.is_integer())
numbers = st.one_of(st.integers(-(2**53), 2**53), decimals)  # a whole number is an integer where it is stored
values = st.recursive(
    st.one_of(texts, numbers, st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)),
    max_leaves=6,
).filter(lambda value: value not in ("", [], {}))  # fmt: skip
undeclared = st.dictionaries(
    st.sampled_from(["score", "city_note", "plan", "points", "created_at", "suppressed", "newsletter", "客户备注"]),
    values,
    max_size=3,
)
MEANT = {
    "name": texts,
    "nickname": texts,
    "gender": st.sampled_from(["female", "male", "unknown"]),
    "birthday": st.dates().map(str),
    "city": st.sampled_from(["上海市", "杭州市", "苏州", "Paris", "无", "臺北"]),
    "province": st.sampled_from(["上海市", "浙江省", "Bavaria"]),
    "level": st.integers(0, 9),
    "total_spent": numbers,
    "order_count": st.integers(0, 10**12),
    "interests": st.lists(st.one_of(texts, numbers, st.booleans()), min_size=1, max_size=3),
    "last_order_at": st.just("2026-01-05T01:30:00.000Z"),
}


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """Declared ones as the doors store them, and others as they were given."""
    given_values = draw(st.fixed_dictionaries({}, optional=MEANT))
    found = dict(draw(undeclared))
    for name, value in given_values.items():
        cleaned = DECLARED[name].clean(value)
        if not isinstance(cleaned, Unusable) and cleaned not in ("", []):
            found[name] = cleaned
    return found | draw(
        st.sampled_from([{}, {"locale": "zh-CN", "timezone": "Asia/Shanghai"}, {"push_tokens": [{"token": "t", "platform": "ios"}]}])
    )  # fmt: skip


@st.composite
def contacts(draw: st.DrawFn) -> list[Contact]:
    """A few contacts, each with an identity of its own."""
    found = []
    for place in range(draw(st.integers(1, 4))):
        odd = draw(texts).strip()
        user_id = f"{odd}{place}" if draw(st.booleans()) else f"u-{place}"
        identities: dict[str, list[str]] = {"user_id": [user_id]}
        assume(not isinstance(clean_identity("user_id", user_id), Unusable))
        if draw(st.booleans()):
            identities["openid"] = [f"shop:{place}-a", f"mini:{place}-b"]
        own = draw(attributes())
        for kind, value in (("email", f"p{place}@example.com"), ("phone", f"+861380013800{place}")):
            if draw(st.booleans()):
                identities[kind] = [value]
                if draw(st.booleans()):
                    own[kind] = value
        tags = draw(st.sets(st.sampled_from(sorted(TAGS.tags)), max_size=3))
        answers = draw(st.sampled_from([None, True, False]))
        found.append(
            Contact(
                contact_id=f"c-{place:024x}",
                created_at=AT,
                attributes=own,
                identities=identities,
                tags=frozenset(tags),
                groups=frozenset(draw(st.sets(st.sampled_from(["north", "a;b", "c, d", "[1]"]), max_size=2))),
                consents={} if answers is None else {"email/*": Consent(granted=answers, at=AT, source="shop")},
                points=draw(st.integers(0, 50)),
                lifecycle=draw(st.sampled_from(["", "lead", "active"])),
                version=1,
            )
        )
    return found


def exported(machines: Machines, form: str) -> tuple[bytes, list[dict[str, Any]]]:
    """The file of everybody, and its rows without what is computed."""
    content = machines.files[machines.export(format=form)["files"][0]]
    if form == "csv":
        rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        rows = [json.loads(line) for line in content.decode().split("\n") if line]
    known = [{name: value for name, value in row.items() if name not in COMPUTED and value != ""} for row in rows]
    return content, sorted(known, key=lambda row: str(row["user_id"]))


def carried(row: dict[str, Any], form: str) -> dict[str, Any]:
    """What a file brings to another system: no tags that a rule alone gives, and of consents only a no."""
    row = dict(row)
    tags = row.pop("tags", [] if form == "jsonl" else "")
    left = [tag for tag in (tags.split(";") if isinstance(tags, str) else tags) if tag and tag not in TAGS.by_rule]
    if left:
        row["tags"] = ";".join(left) if form == "csv" else left
    if row.get("consent_email") in (True, "yes"):
        del row["consent_email"]
    return row


def rejected(machines: Machines, report: dict[str, Any]) -> str:
    """The rejected rows with their reasons, for the message of a failure."""
    key = report["files"]["rejected"]
    return machines.text(key) if key else str(report)


def odd(attribute: str, value: Any) -> list[Contact]:
    """One contact with one attribute."""
    return [
        Contact(
            contact_id="c-" + "0" * 24,
            created_at=AT,
            attributes={attribute: value},
            identities={"user_id": ["u"]},
            version=1,
        )
    ]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@example(people=odd("plan", {"a": [1, {"b": None}]}))
@example(people=odd("name", "N/A"))
@example(people=odd("city_note", "two\u2028lines"))
@example(people=odd("interests", [1, False, "tea"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(people=contacts())
def test_an_export_changes_nothing_here_and_makes_the_same_contacts_elsewhere(form: str, people: list[Contact]) -> None:
    with shipped():
        check(form, people)


def check(form: str, people: list[Contact]) -> None:
    here = Machines()
    for contact in people:
        here.contacts.put(contact)
    content, rows = exported(here, form)
    before, log = base(here), list(here.effects.log)

    here.clock.advance(days=1)
    here.upload(content, f"imports/again.{form}")
    report = here.import_file(f"imports/again.{form}")
    assert (report["unchanged"], report["rejected"]) == (len(people), 0), rejected(here, report)
    assert report["ignored_columns"] == []
    assert (base(here), here.effects.log) == (before, log)

    elsewhere = Machines()
    elsewhere.upload(content, f"imports/all.{form}")
    report = elsewhere.import_file(f"imports/all.{form}")
    assert (report["created"], report["rejected"]) == (len(people), 0), rejected(elsewhere, report)
    assert report["ignored_columns"] == []
    assert exported(elsewhere, form)[1] == [carried(row, form) for row in rows]
