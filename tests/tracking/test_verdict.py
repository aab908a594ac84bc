"""Readers and programs are told apart, by a corpus of what was seen."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from waypost.tracking.verdict import Verdict, judge
from waypost.tracking.visit import Visit, network_of

CORPUS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "visits.yaml").read_text(encoding="utf-8"))


def request(entry: dict[str, Any]) -> dict[str, Any]:
    headers = {"user-agent": entry["agent"], **entry.get("headers", {})}
    http = {"method": entry.get("method", "GET"), "sourceIp": entry["address"]}
    return {"headers": headers, "requestContext": {"http": http}}


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry["is"])
def test_each_visit_of_the_corpus_gets_its_verdict_and_reason(entry: dict[str, Any]) -> None:
    visit = Visit.of(entry["act"], request(entry), seconds=entry["seconds"])
    seen: dict[str, Any] = {name: entry[name] for name in ("trapped", "links_at_once") if name in entry}
    visit = Visit.from_dict(visit.to_dict() | seen)
    assert judge(visit) == Verdict(entry.get("reader", False), entry["by"])
    assert entry["source"].startswith("https://")


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry["is"])
def test_nothing_that_is_kept_holds_the_address(entry: dict[str, Any]) -> None:
    assert entry["address"] not in str(Visit.of(entry["act"], request(entry), seconds=1).to_dict())


def test_the_verdict_can_be_given_again_from_what_is_kept() -> None:
    for entry in CORPUS:
        visit = Visit.of(entry["act"], request(entry), seconds=entry["seconds"])
        assert judge(Visit.from_dict(visit.to_dict())) == judge(visit)


@pytest.mark.parametrize(
    ("act", "by_reader", "expected"),
    [
        ("opened", True, "message_opened"),
        ("opened", False, "message_prefetched"),
        ("clicked", True, "message_clicked"),
        ("clicked", False, "message_scanned"),
    ],
)
def test_what_a_program_does_is_an_event_of_another_type(act: Any, by_reader: bool, expected: str) -> None:
    assert Verdict(by_reader, "").event(act) == expected


@pytest.mark.parametrize("address", ["", "unknown", "999.1.1.1", "203.0.113.9", "::1"])
def test_an_address_of_nobody_in_particular_is_of_no_network(address: str) -> None:
    assert network_of(address) == "other"
