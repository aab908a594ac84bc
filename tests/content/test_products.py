"""Products in messages: what goes with a cart, what a template may say of a product, and what reaches the contact."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.project import ROOT
from tests.content.test_library import MJML, SMS, folder, problems
from tests.fakes.published_journeys import email, journey, published
from tests.fakes.world import World, send_request
from waypost.authoring.discovery import discover
from waypost.content.products import ProductVariables, Wanted
from waypost.errors import InvalidInput
from waypost.events.history import RecordedEvent
from waypost.products.catalogue import Catalogue, Product
from waypost.products.purchases import products_in
from waypost.products.recommending import Recommendation, recommend
from waypost.products.sales import NothingCounted

NOW = datetime(2027, 3, 1, tzinfo=UTC)
SHIPPED = Catalogue.from_dict(discover(ROOT / "statemachines").sections["products"])


def catalogue(**products: dict[str, Any]) -> Catalogue:
    """A catalogue; a product is its category, tags and relations."""
    return Catalogue(
        "CNY",
        {
            name: Product(name, {"en": name.upper()}, 5, category=each.get("category", ""), tags=frozenset(each.get("tags", ())), related=tuple(each.get("related", ())))
            for name, each in products.items()
        },
    )  # fmt: skip


SHOP = catalogue(
    a={"category": "x", "tags": ["t1", "t2"], "related": ["d", "a", "gone"]},
    b={"category": "x", "tags": ["t1"]},
    c={"category": "y", "tags": ["t1", "t2"]},
    d={"category": "z"},
    e={"category": "x"},
    f={},
)


def related(shop: Catalogue, cart: list[str], *, count: int, **more: Any) -> list[str]:
    """What is recommended for the cart, with no purchases counted."""
    return ids(recommend(shop, cart, sales=NothingCounted(), now=NOW, count=count, **more))


def ids(found: list[Recommendation]) -> list[str]:
    return [each.product.id for each in found]


def test_what_is_declared_comes_first_and_then_what_is_most_alike() -> None:
    assert related(SHOP, ["a"], count=10) == ["d", "b", "c", "e"]


def test_what_is_in_the_cart_or_was_bought_is_not_shown() -> None:
    assert related(SHOP, ["a", "b"], without=["d"], count=10) == ["e", "c"]


def test_an_unknown_cart_has_nothing_related() -> None:
    assert related(SHOP, [], count=3) == []
    assert related(SHOP, ["nobody-knows"], count=3) == []


def test_the_shipped_catalogue_relates_what_belongs_together() -> None:
    assert related(SHIPPED, ["serum-30"], count=3) == ["cream-50", "cleanser-100", "lip-balm"]
    assert related(SHIPPED, ["earbuds"], count=3) == ["charger-65"]


@given(st.lists(st.sampled_from("abcdefg"), max_size=4), st.sets(st.sampled_from("abcdef")), st.integers(1, 4))
def test_what_is_related_is_always_the_same_and_never_known_already(
    cart: list[str], bought: set[str], count: int
) -> None:
    first = related(SHOP, cart, without=bought, count=count)
    assert first == related(SHOP, cart, without=sorted(bought, reverse=True), count=count)
    assert len(first) == len(set(first)) <= count
    assert not set(first) & ({*cart} | bought)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"products": ["a", "b", "a"]}, ["a", "b"]),
        ({"items": [{"product_id": "a"}, {"sku": "b"}, {"id": 7}, {"name": "x"}, None]}, ["a", "b", "7"]),
        ({"line_items": [{"sku": "", "product_id": None, "id": "c"}]}, ["c"]),
        ({"product_id": "a"}, ["a"]),
        ({"sku": "a", "products": "a"}, ["a"]),
        ({"product_id": True, "products": [False, {}]}, []),
        ({}, []),
    ],
)
def test_products_are_found_where_shops_put_them(properties: dict[str, Any], expected: list[str]) -> None:
    assert products_in(properties) == expected


class Purchases:
    """What was bought, by partition."""

    def __init__(self, **orders: list[str]) -> None:
        self.orders = orders
        self.asked: list[tuple[str, datetime]] = []

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        self.asked.append((contact_id, instant))
        properties = {"products": self.orders.get(contact_id, [])}
        return [order(properties)]


def order(properties: dict[str, Any]) -> RecordedEvent:
    """An order."""
    return RecordedEvent("e", "order_placed", NOW, NOW, properties)


def variables(wanted: Wanted, *, purchases: Purchases | None = None, locale: str = "en-GB") -> dict[str, Any]:
    """The variables of a message about a cart with a."""
    products = ProductVariables(catalogue=SHOP, purchases=purchases or Purchases())
    return products.of(
        wanted, event={"products": ["a", "nobody-knows"]}, partitions=("c1", "c0"), now=NOW, locale=locale, default_locale="zh-CN"
    )  # fmt: skip


def test_a_template_sees_cart_and_related_in_the_language_of_the_contact() -> None:
    found = variables(Wanted(2))
    assert [product["id"] for product in found["cart"]] == ["a"]
    assert [product["name"] for product in found["related"]] == ["D", "B"]
    assert found["currency"] == "CNY"


def test_what_was_bought_under_any_of_the_contacts_ids_in_two_years_is_left_out() -> None:
    purchases = Purchases(c0=["d"], c1=["b"])
    assert [product["id"] for product in variables(Wanted(5), purchases=purchases)["related"]] == ["c", "e"]
    assert purchases.asked == [("c1", NOW - timedelta(days=730)), ("c0", NOW - timedelta(days=730))]


def test_too_few_related_products_are_reported() -> None:
    with pytest.raises(InvalidInput, match="has 4 instead of at least 5"):
        variables(Wanted(6, at_least=5))


ASKS = "kind: marketing\ntopic: offers\nchannels: [sms]\nproducts: {related: 3}\n"
SAYS = " Reply STOP to opt out\n"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for p in products.related %}{{ p.name }} {{ p.price }}{% endfor %}", ""),
        ("{% for p in products.cart %}{{ p.url | default('') }}{% endfor %}", ""),
        ("{{ products.currency }}", ""),
        ("{% if products.related %}{{ products.related[0].name }}{% endif %}", ""),
        (
            "{% for p in products.related %}{{ p.nmae }}{% endfor %}",
            "a product has no field 'nmae'; did you mean 'name'?",
        ),
        ("{% for p in products.related %}{{ p.image }}{% endfor %}", "give it a default"),
        ("{{ products.relatd }}", "'products' has no 'relatd'; did you mean 'related'?"),
        ("{{ products.related[0].name }}", "products.related may be empty; put it into {% if products.related %}"),
        ("{{ product.name }}", "unknown variable 'product'"),
    ],
)
def test_what_a_template_says_of_products_is_checked_when_it_is_published(
    tmp_path: Path, template: str, reason: str
) -> None:
    found = problems(tmp_path, {"message.yaml": ASKS, "sms.en.txt": template + SAYS})
    assert (reason in found[0]) if reason else found == []


def test_a_message_that_insists_on_products_may_count_on_them(tmp_path: Path) -> None:
    asks = ASKS.replace("{related: 3}", "{related: 3, at_least: 1}")
    assert problems(tmp_path, {"message.yaml": asks, "sms.en.txt": "{{ products.related[0].name }}" + SAYS}) == []


def test_products_without_asking_for_them_are_refused_with_the_way_out(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, SMS | {"sms.en.txt": "{{ products.currency }}" + SAYS})
    assert "add products: { related: 3 }" in problem


def test_what_a_message_asks_for_is_published_with_it(tmp_path: Path) -> None:
    mail = {
        "message.yaml": "kind: marketing\ntopic: offers\nchannels: [email]\nsubject: {en: Hello}\nproducts: {related: 2}\n",
        "email.en.mjml": MJML.format('{% for p in products.related %}{{ p.name }} <a href="{{ p.url | default("https://shop.example.com") }}">go</a>{% endfor %}'),
    }  # fmt: skip
    content, found = folder(tmp_path, mail).read()
    assert found == []
    assert content is not None
    assert content["products"] == {"related": 2, "at_least": 0}


def world_with_products(**wanted: int) -> World:
    """An engine whose welcome mail shows products."""
    mail = email("welcome")
    text = "{% for p in products.related %}{{ p.name }} {% endfor %}"
    mail["variants"]["email"] = {locale: {"subject": "Hello", "html": text, "text": text} for locale in ("zh-CN", "en")}
    return World(published=published(journey(messages={"welcome": mail | {"products": wanted}})))


def sent(world: World, trigger: dict[str, Any], **wanted: int) -> Any:
    """What became of the mail of a contact who came in with this event."""
    world.have_contact()
    enrolment = world.have_enrolment()
    world.enrolments.put(replace(enrolment, trigger=replace(enrolment.trigger, properties=trigger)))
    products = ProductVariables(catalogue=SHIPPED, purchases=world.history)
    sender = replace(world.send_message, products=lambda: products)
    return sender.send(send_request(enrolment, "welcome", state="Day 1, welcome"))


def test_a_message_shows_what_goes_with_the_cart() -> None:
    world = world_with_products(related=2)
    assert sent(world, {"products": ["earbuds", "serum-30"]}).outcome == "sent"
    [mail] = world.email.sent
    assert mail.content.text.split("  ") == ["65 W charger Day cream 50 ml "]


def test_a_message_without_enough_products_is_not_sent_and_says_why() -> None:
    result = sent(world_with_products(related=3, at_least=2), {"products": ["earbuds"]})
    assert result.outcome == "skipped"
    assert "products.related" in result.reason


def test_a_catalogue_that_is_missing_is_reported() -> None:
    world = world_with_products(related=1)
    world.have_contact()
    enrolment = world.have_enrolment()
    result = world.send_message.send(send_request(enrolment, "welcome", state="Day 1, welcome"))
    assert (result.outcome, "no catalogue" in result.reason) == ("skipped", True)


def test_a_message_that_shows_no_products_never_asks_for_them() -> None:
    world = World()
    world.have_contact()
    enrolment = world.have_enrolment()

    def never() -> ProductVariables:
        raise AssertionError("the catalogue was loaded")

    sender = replace(world.send_message, products=never)
    assert sender.send(send_request(enrolment, "welcome", state="Day 1, welcome")).outcome == "sent"
