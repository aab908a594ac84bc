"""The product catalogue, ``statemachines/products.yaml`` and ``products.jsonl``, checked. Used by declaring.

The two files are one catalogue: the first for what is written by hand, the second (one product a line) for what a shop
system exports.
"""

import json
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, explain, unknown
from waypost.authoring.sending_policy import Locale
from waypost.content.message import OF_EVENT

MOST_PRODUCTS: Final = 20_000
"""A function parses the catalogue when it starts: 20,000 products are some ten megabytes and a third of a second."""
_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"


def _link(text: str) -> str:
    if not text.startswith("https://") or any(sign.isspace() or sign in "<>\"'" for sign in text):
        raise ValueError(f"expected an address that begins with https://, got {text!r}")
    return text


Link = Annotated[str, AfterValidator(_link), Field(max_length=2000)]
Tag = Annotated[str, Field(pattern=r"^[^\s,][^,]{0,59}$")]
Id = Annotated[str, Field(pattern=_ID)]


class ProductEntry(Authored):
    """One product."""

    name: Annotated[dict[Locale, Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1)]
    price: Annotated[int | float, Field(ge=0, le=1e9)]
    category: Annotated[str, Field(max_length=60)] = ""
    image: Link | None = None
    url: Link | None = None
    tags: list[Tag] = Field(default_factory=list)
    related: list[Id] = Field(default_factory=list)
    published: bool = True
    in_stock: bool = True


class ProductLine(ProductEntry):
    """One line of ``products.jsonl``."""

    id: Id


class Recommending(Authored):
    """What the nightly count looks at: the orders of so many days; two products must be together in ``at_least`` of them."""

    days: Annotated[int, Field(ge=1, le=730)] = 180
    at_least: Annotated[int, Field(ge=1, le=1000)] = 2


class ProductFile(Authored):
    """``products.yaml``."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    recommend: Recommending | None = None
    products: dict[Id, ProductEntry] = Field(default_factory=dict)


def products(reader: FileReader) -> dict[str, Any]:
    """The section ``products``."""
    path = reader.root / "products.yaml"
    file = reader.declared(path, ProductFile) or ProductFile()
    found: dict[str, ProductEntry] = dict(file.products)
    for id_, entry in _lines(reader):
        if id_ in found:
            reader.add(reader.root / "products.jsonl", id_, "is in the catalogue twice")
        found[id_] = entry
    if len(found) > MOST_PRODUCTS:
        reader.add(path, "products", f"expected at most {MOST_PRODUCTS:,} products, got {len(found):,}")
    if OF_EVENT in found:
        reader.add(path, f"products.{OF_EVENT}", "is no id of a product: in messages it stands for what an event names")
    for id_, entry in found.items():
        for other in entry.related:
            if other not in found:
                reader.add(path, f"products.{id_}.related", unknown(other, found, "unknown product"))
    if not found:
        return {}
    recommending = {} if file.recommend is None else {"recommend": file.recommend.model_dump()}
    published = {id_: _published(found[id_]) for id_ in sorted(found)}
    return {"currency": file.currency, **recommending, "products": published}


def _lines(reader: FileReader) -> list[tuple[str, ProductEntry]]:
    path = reader.root / "products.jsonl"
    if not path.exists():
        return []
    found: list[tuple[str, ProductEntry]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            entry = ProductLine.model_validate(value)
        except ValidationError as error:
            reader.extend(path, ((f"line {number}: {where}", why) for where, why in explain(error, value, ProductLine)))
        except ValueError as error:
            reader.add(path, f"line {number}", f"expected a JSON object: {error}")
        else:
            found.append((entry.id, entry))
    return found


def _published(entry: ProductEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "price": entry.price,
        "category": entry.category,
        "image": entry.image or "",
        "url": entry.url or "",
        "tags": sorted(set(entry.tags)),
        "related": list(dict.fromkeys(entry.related)),
        **({} if entry.published else {"published": False}),
        **({} if entry.in_stock else {"in_stock": False}),
    }
