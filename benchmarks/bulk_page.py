"""A page of 1 MB of profiles, and a server on loopback that answers a Scan with it. Started by ``bulk_scan``.

It runs in a process of its own, so that it is not measured. A request with a projection gets the projected page, as
DynamoDB would answer: the page ends at 1 MB of stored items, whatever is returned of them.
"""

import json
import random
import socketserver
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from benchmarks.request_units import item_size
from waypost.aws import table
from waypost.aws.merges import LIVING
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact

PAGE_BYTES: Final = 1024 * 1024
NOW: Final = datetime(2031, 3, 3, 2, tzinfo=UTC)

_CITIES: Final = ("上海市", "北京市", "广州市", "深圳市", "杭州市", "成都市")
_TAGS: Final = ("interest-beauty", "interest-home", "dormant-warning", "high-intent-cart", "vip", "newsletter")
_EVENTS: Final = ("registered", "order_placed", "page_viewed", "cart_updated", "message_opened", "message_delivered")

Item = dict[str, Any]


def profiles() -> list[Item]:
    """The items of a page: customers of a shop as they are after a year, 1.7 KB each; the same ones every time."""
    chance = random.Random(7)  # noqa: S311 - people, not secrets
    items: list[Item] = []
    size = 0
    for number in range(100_000):
        item = _item(_contact(number, chance))
        size += item_size(item)
        if size > PAGE_BYTES:
            break
        items.append(item)
    return items


def _contact(number: int, chance: random.Random) -> Contact:
    since = NOW - timedelta(days=chance.randrange(30, 700), seconds=chance.randrange(86400))
    attributes = {
        "email": f"customer{number}@example.com",
        "phone": f"+86138{number:08d}",
        "name": "王小明",
        "gender": chance.choice(["female", "male"]),
        "birthday": f"{chance.randrange(1960, 2010)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 28):02d}",
        "city": chance.choice(_CITIES),
        "province": "上海市",
        "level": chance.randrange(5),
        "locale": "zh-CN",
        "timezone": "Asia/Shanghai",
        "order_count": chance.randrange(20),
        "total_spent": chance.randrange(100_000) / 100,
        "source": "mini-program",
    }
    tags = chance.sample(_TAGS, 2)
    stamps = dict.fromkeys(attributes, since) | {f"tag:{tag}": since for tag in tags}
    return Contact(
        contact_id=f"c-{number:024x}",
        created_at=since,
        attributes=attributes,
        attributes_at=stamps,
        identities={
            "user_id": [f"u-{number}"],
            "email": [str(attributes["email"])],
            "phone": [str(attributes["phone"])],
            "openid": [f"shop:o{number:027d}"],
        },
        tags=frozenset(tags),
        consents={
            "email/*": Consent(granted=chance.random() < 0.8, at=since, source="shop"),
            "sms/*": Consent(granted=chance.random() < 0.7, at=since, source="shop"),
        },
        lifecycle=chance.choice(["lead", "new", "active", "mature", "dormant"]),
        points=chance.randrange(5000),
        metrics={"activity": 12.5, "rfm_r": 3, "rfm_f": 2, "rfm_m": 4, "rfm": "324", "rfm_segment": "promising"},
        seen={
            event: (since.date(), (NOW - timedelta(days=chance.randrange(60))).date())
            for event in chance.sample(_EVENTS, 4)
        },
        version=17,
    )


def _item(contact: Contact) -> Item:
    return table.dump_item(contact.to_dict() | {LIVING: True})


def projected(item: Item, expression: str, names: Mapping[str, str]) -> Item:
    """What DynamoDB returns of an item for a projection of names and of names inside maps."""
    found: Item = {}
    for path in expression.split(", "):
        outer, *inner = [names[part] for part in path.split(".")]
        if outer in item and not inner:
            found[outer] = item[outer]
        elif outer in item and inner[0] in item[outer]["M"]:
            found.setdefault(outer, {"M": {}})["M"][inner[0]] = item[outer]["M"][inner[0]]
    return found


class _Pages:
    """The bodies of answers, made once for each projection that is asked for."""

    def __init__(self) -> None:
        self._items = profiles()
        self._bodies: dict[str, bytes] = {}

    def answer(self, request: Mapping[str, Any]) -> bytes:
        expression = request.get("ProjectionExpression", "")
        if expression not in self._bodies:
            self._bodies[expression] = b"".join(self._body(request, expression))
        return self._bodies[expression]

    def _body(self, request: Mapping[str, Any], expression: str) -> Iterator[bytes]:
        items = self._items
        if expression:
            items = [projected(item, expression, request["ExpressionAttributeNames"]) for item in items]
        units = {"TableName": "contacts", "CapacityUnits": PAGE_BYTES / 4096 / 2}
        content = {"Count": len(items), "Items": items, "ScannedCount": len(items), "ConsumedCapacity": units}
        yield json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def serve() -> None:
    """Answer until standard input closes; the first line of standard output is the port."""
    pages = _Pages()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = pages.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: a benchmark prints figures."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answer) as server:
        import threading

        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    serve()
