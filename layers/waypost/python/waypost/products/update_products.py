"""Takes in what a shop reports of its products: price, stock, published. Called by update_products, part by part.

What has changed for who watches a product is in the answer, and the machine has it announced. A call that is repeated answers the same:
the row remembers the run and the offer before it.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from waypost.batches import batched
from waypost.clock import Clock, format_instant, parse_instant
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.files.ports import Files
from waypost.files.uploads import uploaded_text
from waypost.products.catalogue import Catalogue
from waypost.products.changes import ProductChange, change_of
from waypost.products.states import Offer, ProductState, StateStore, offer_of

PER_CALL: Final = 400
"""Products of one call: their changes come back in one state of the machine, 256 KiB."""
MOST: Final = 20_000
"""Products of a run, as many as a catalogue has."""
LARGEST: Final = 4 * 1024**2
"""Bytes of a file."""
NAMED: Final = 100
"""Rejected reports that an answer names; the others are counted."""
EXAMPLE: Final = "imports/products.csv"
MOST_PRICE: Final = 1e9

_ATTEMPTS: Final = 4
_IN_ONE_READ: Final = 100
_REPORT: Final = frozenset({"taken", "changed", "notified", "rejected", "rejections"})
_FIELDS: Final = frozenset({"run", "at", "products", "file", "tag", "position", "done", "changes"}) | _REPORT
_OF_PRODUCT: Final = frozenset({"id", "price", "in_stock", "published", "at"})
_TRUE, _FALSE = frozenset({"true", "yes", "1", "是"}), frozenset({"false", "no", "0", "否"})


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported of one product; None: nothing. ``at``: when that was so."""

    product_id: str
    price: float | None
    in_stock: bool | None
    published: bool | None
    at: datetime

    def on(self, offer: Offer) -> Offer:
        """The offer that it makes of this one."""
        return Offer(
            offer.price if self.price is None else self.price,
            offer.in_stock if self.in_stock is None else self.in_stock,
            offer.published if self.published is None else self.published,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProducts:
    """Stores reports. One that is older than what is stored is left out, so that a late one announces no old price."""

    states: StateStore
    catalogue: Callable[[], Catalogue]
    files: Files
    clock: Clock

    def take(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{run, products | file}``, or what the last call answered → the same with ``done``, ``changes`` and the report.

        ``changes`` are those of this call. The report is of the run so far: ``taken``, ``changed``, ``rejected``, ``rejections`` (the
        first 100: product, reason), and ``notified`` as the machine has counted. Raises InvalidInput that names the field or the
        column, and RetryableError.
        """
        if strangers := sorted(payload.keys() - _FIELDS):
            raise InvalidInput(strangers[0], "unknown field; expected products or file")
        at = parse_instant(payload["at"]) if "at" in payload else self.clock()
        rows, tag = self._rows(payload)
        position = int(payload.get("position", 0))
        catalogue, rejections, reports = self.catalogue(), list[dict[str, str]](), dict[str, Report]()
        for row in rows[position : position + PER_CALL]:
            try:
                report = _report(row, at, self.clock(), catalogue)
                reports[report.product_id] = report
            except InvalidInput as error:
                rejections.append({"product": str(row.get("id", ""))[:64], "reason": str(error)})
        changes = list(self._changes(reports, payload["run"], catalogue))
        begun = {name: payload[name] for name in ("run", "products", "file") if name in payload}
        return {
            **begun,
            **({"tag": tag} if tag else {}),
            "at": format_instant(at),
            "position": position + PER_CALL,
            "done": position + PER_CALL >= len(rows),
            "changes": [change.to_dict() for change in changes],
            "taken": payload.get("taken", 0) + len(reports),
            "changed": payload.get("changed", 0) + len(changes),
            "notified": payload.get("notified", 0),
            "rejected": payload.get("rejected", 0) + len(rejections),
            "rejections": [*payload.get("rejections", []), *rejections][:NAMED],
        }

    def _rows(self, payload: Mapping[str, Any]) -> tuple[Sequence[Mapping[str, Any]], str]:
        """The rows, and the tag of their file."""
        given = payload.get("products")
        if (given is None) == (payload.get("file") is None):
            raise InvalidInput(
                "products", 'expected one of products, such as [{"id": "serum-30", "price": 159}], and file'
            )
        if given is None:
            file = uploaded_text(payload["file"], self.files, example=EXAMPLE, largest=LARGEST)
            if payload.get("tag", file.tag) != file.tag:
                raise InvalidInput("file", f"{file.key} was replaced during its import; start the import again")
            return _read_rows(file.text), file.tag
        if not isinstance(given, list) or not given or not all(isinstance(each, Mapping) for each in given):
            raise InvalidInput("products", 'expected a list such as [{"id": "serum-30", "price": 159}]')
        return given, ""

    def _changes(self, reports: Mapping[str, Report], run: str, catalogue: Catalogue) -> Iterator[ProductChange]:
        for some in batched(list(reports.values()), _IN_ONE_READ):
            known = self.states.read([each.product_id for each in some])
            for report in some:
                state = self._stored(report, run, known.get(report.product_id), catalogue)
                if state is not None and (kind := change_of(state.before, state.offer)) is not None:
                    offer, old = state.offer, state.before
                    yield ProductChange(run, report.product_id, kind, offer.price, old.price, state.at)

    def _stored(
        self, report: Report, run: str, known: ProductState | None, catalogue: Catalogue
    ) -> ProductState | None:
        """What this run has stored of the product, now or before; None for a report that came too late."""
        for _ in range(_ATTEMPTS):
            if known is not None and known.run == run:
                return known
            if known is not None and report.at < known.at:
                return None
            before = offer_of(report.product_id, known, catalogue)
            state = ProductState(report.on(before), before, report.at, run)
            if self.states.put(report.product_id, state, instead_of=known):
                return state
            known = self.states.read([report.product_id]).get(report.product_id)
        raise ConcurrentUpdate(f"product {report.product_id} was reported {_ATTEMPTS} times meanwhile")


def _read_rows(text: str) -> Sequence[Mapping[str, Any]]:
    reader = csv.DictReader(text.splitlines())
    columns = {(name or "").strip() for name in reader.fieldnames or ()}
    if "id" not in columns or columns - _OF_PRODUCT:
        raise InvalidInput("file", f"expected the columns {', '.join(sorted(_OF_PRODUCT))}; id is required")
    rows = [
        {(name or "").strip(): value.strip() for name, value in row.items() if isinstance(value, str) and value.strip()}
        for row in reader
    ]
    if len(rows) > MOST:
        raise InvalidInput("file", f"expected at most {MOST:,} rows, got {len(rows):,}; split it")
    return rows


def _report(row: Mapping[str, Any], at: datetime, now: datetime, catalogue: Catalogue) -> Report:
    """Raises InvalidInput that names the field."""
    if strangers := sorted(row.keys() - _OF_PRODUCT):
        raise InvalidInput(str(strangers[0]), f"unknown field; expected {', '.join(sorted(_OF_PRODUCT))}")
    if not isinstance(row.get("id"), str) or not row["id"]:
        raise InvalidInput("id", "is missing")
    if row["id"] not in catalogue.products:
        raise InvalidInput("id", "is not in the catalogue")
    found = Report(
        row["id"],
        _price(row.get("price")),
        _truth("in_stock", row.get("in_stock")),
        _truth("published", row.get("published")),
        _instant(row.get("at"), at, now),
    )
    if (found.price, found.in_stock, found.published) == (None, None, None):
        raise InvalidInput("price", "expected one of price, in_stock, published")
    return found


def _price(given: Any) -> float | None:
    if given is None:
        return None
    try:
        price = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else -1.0
    except ValueError:
        price = -1.0
    if not 0 <= price <= MOST_PRICE:  # nan is neither
        raise InvalidInput("price", "expected a number from 0 to a thousand millions")
    return int(price) if price.is_integer() else price


def _truth(name: str, given: Any) -> bool | None:
    text = str(given).lower() if isinstance(given, str | bool | int) else given
    if given is None:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidInput(name, "expected true or false")


def _instant(given: Any, at: datetime, now: datetime) -> datetime:
    if given is None:
        return at
    try:
        found = parse_instant(given)
    except (TypeError, ValueError):
        raise InvalidInput("at", "expected an instant such as 2031-03-03T10:00:00Z") from None
    return min(found, now)
