"""When a contact has more values of a kind of identity than a person has."""

import pytest

from waypost.contacts.identity.crowding import MOST_USUAL_OF_OTHERS, crowded_kind

MANY = [f"{number}@example.com" for number in range(MOST_USUAL_OF_OTHERS + 1)]


@pytest.mark.parametrize(
    ("identities", "named", "kind"),
    [
        ({"email": MANY}, {"email": MANY[-1]}, "email"),
        ({"email": MANY}, {"user_id": "u", "email": MANY[-1]}, "email"),
        ({"email": MANY[:-1]}, {"email": MANY[-2]}, ""),
        ({"email": MANY}, {"email": MANY[0]}, ""),
        ({"email": MANY, "user_id": ["u"]}, {"user_id": "u"}, ""),
        ({"anonymous_id": MANY * 10}, {"anonymous_id": MANY[-1]}, ""),
        ({"anonymous_id": MANY * 20}, {"anonymous_id": MANY[-1]}, "anonymous_id"),
        ({}, {"contact_id": "c-1"}, ""),
    ],
)
def test_a_contact_is_crowded_by_one_value_too_many(
    identities: dict[str, list[str]], named: dict[str, str], kind: str
) -> None:
    assert crowded_kind(identities, named) == kind
