"""Who says consent, and how: a field that programs send again never undoes what a person did."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contacts.people import contact, minutes
from waypost.contacts.consent import Answer, Consent, consent_state, joined_consents
from waypost.contacts.profile import IMPORTED, Contact, with_event
from waypost.events.envelope import Event

TRAIT: dict[str, Any] = {"type": "profile_updated", "source": "segment", "profile": {"consent": {"email": True}}}
SIGNED_TRAIT = TRAIT | {"source": "shop"}
FILE = TRAIT | {"type": IMPORTED, "source": "import:spring"}
NO_TRAIT = TRAIT | {"profile": {"consent": {"email": False}}}
FILE_WITHOUT = FILE | {"profile": {"consent": {"email": False}}}
LINK: dict[str, Any] = {"type": "unsubscribed", "source": "waypost", "properties": {"channel": "email", "topic": None}}
PAGE_CALL = LINK | {"source": "segment"}
TOPIC_LINK = LINK | {"properties": {"channel": "email", "topic": "news"}}
FORM = LINK | {"type": "consent_granted", "source": "shop", "properties": {"channel": "email", "evidence": "form 7"}}
BROWSER_GRANT = FORM | {"source": "segment"}


def events(*answers: dict[str, Any]) -> list[Event]:
    """One event a minute."""
    return [
        Event(id=f"e-{at}", contact={}, occurred_at=minutes(at), received_at=minutes(at), **each)
        for at, each in enumerate(answers, 1)
    ]


def after(*answers: Event) -> Contact:
    """A contact that these events happened to, in this order of arrival."""
    person = contact("c-1")
    for event in answers:
        person = with_event(person, event)
    return person


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([LINK, TRAIT], "withdrawn"),
        ([LINK, SIGNED_TRAIT], "withdrawn"),
        ([LINK, FILE], "withdrawn"),
        ([LINK, BROWSER_GRANT], "withdrawn"),
        ([LINK, TRAIT, TRAIT, BROWSER_GRANT], "withdrawn"),
        ([LINK, FORM], "granted"),
        ([LINK, FORM, TRAIT], "granted"),
        ([FORM, LINK, TRAIT], "withdrawn"),
        ([FORM, NO_TRAIT], "withdrawn"),
        ([FORM, NO_TRAIT, TRAIT], "granted"),
        ([NO_TRAIT, TRAIT], "granted"),
        ([TRAIT, NO_TRAIT], "withdrawn"),
        ([LINK, NO_TRAIT, TRAIT], "withdrawn"),
        ([PAGE_CALL, TRAIT], "withdrawn"),
        ([PAGE_CALL, BROWSER_GRANT], "granted"),
        ([FILE_WITHOUT, TRAIT], "withdrawn"),
        ([FILE_WITHOUT, FORM], "granted"),
        ([TOPIC_LINK, TRAIT], "withdrawn"),
        ([TRAIT], "granted"),
    ],
)
def test_what_holds_does_not_depend_on_the_order_of_arrival(answers: list[dict[str, Any]], state: str) -> None:
    assert {after(*order).consent("email", "news") for order in permutations(events(*answers))} == {state}


def test_the_withdrawal_of_one_topic_leaves_the_others() -> None:
    assert after(*events(FORM, TOPIC_LINK, TRAIT)).consent("email", "tips") == "granted"


def test_the_evidence_that_counts_is_shown() -> None:
    kept = after(*events(LINK, TRAIT)).consents["email/*"]

    assert (kept.granted, kept.at, kept.source) == (False, minutes(1), "waypost")


def test_a_withdrawal_by_link_stored_before_the_way_was_noted_is_not_undone_by_a_trait() -> None:
    person = contact("c-1", consents={"email/*": Consent(granted=False, at=minutes(0), source="waypost")})
    (trait,) = events(TRAIT)

    assert with_event(person, trait).consent("email", "news") == "withdrawn"


ANSWERS = st.builds(
    Answer,
    granted=st.booleans(),
    at=st.integers(0, 4).map(minutes),
    source=st.sampled_from(["waypost", "shop", "segment"]),
    given=st.sampled_from(["", "trait", "call", "word"]),
)


@given(st.lists(ANSWERS, min_size=1, max_size=8), st.randoms(use_true_random=False), st.data())
def test_answers_amount_to_the_same_in_any_order_and_in_any_parts(
    answers: list[Answer], chance: Any, data: st.DataObject
) -> None:
    whole = Consent.of(answers)
    shuffled = list(answers)
    chance.shuffle(shuffled)
    one_by_one = Consent.of(shuffled[:1])
    for answer in shuffled[1:]:
        one_by_one = Consent.of((*one_by_one.answers, answer))
    cut = data.draw(st.integers(1, len(answers)))
    parts = [{"sms/*": Consent.of(part)} for part in (shuffled[:cut], shuffled[cut:]) if part]

    assert _essence(one_by_one) == _essence(whole)
    assert _essence(joined_consents(parts[0], parts[-1])["sms/*"]) == _essence(whole)
    assert Consent.from_dict(whole.to_dict()) == whole


@given(st.lists(ANSWERS, min_size=1, max_size=8))
def test_a_heavier_withdrawal_stands_until_a_newer_grant_of_its_weight(answers: list[Answer]) -> None:
    stands = any(
        not no.granted and not any(yes.granted and yes.weight >= no.weight and yes.at > no.at for yes in answers)
        for no in answers
    )

    state = consent_state({"sms/*": Consent.of(answers)}, "sms", "news")

    assert state == ("withdrawn" if stands else "granted")


def _essence(consent: Consent) -> Any:
    """What two of one weight, moment and source amount to is the same, whichever of them is named."""
    return consent.granted, consent.at, {(each.weight, each.recency) for each in consent.answers}
