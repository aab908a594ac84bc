"""A product is back in stock: one start of spread-event, and everybody who waits for it gets one message, once per product."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.running.operation_runs import run_operation
from tests.flows.steps import by_day, decided, introduce

pytestmark = pytest.mark.flow

WAITS = {"attribute": "waiting_for", "contains_property": "sku"}
FILES = {
    "journey.yaml": """
scenario: back in stock
description: Says once for each product that it is back.
owner: shop team
trigger:
  event: back_in_stock
  where: { attribute: waiting_for, contains_property: sku }
re_entry: { per: sku, after: 30d }
""",
    "definition.asl.yaml": """
Comment: It is back.
QueryLanguage: JSONata
StartAt: Say that it is back
States:
  Say that it is back:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: "${SendMessage}"
      Payload: { message: back, context: "{% $states.context %}" }
    Next: Finished
  Finished:
    Type: Succeed
""",
    "messages/back/message.yaml": "kind: marketing\ntopic: stock\nchannels: [sms]\n",
    "messages/back/sms.zh-CN.txt": '【路标商店】{{ event.properties.sku | default("你要的商品") }} 到货了。回T退订',
}


def drop_in(statemachines: Path) -> None:
    for name, text in FILES.items():
        path = statemachines / "journeys" / "back-in-stock" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, changed_assembly: Callable[[Callable[[Path], None]], Assembly]
) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("stock") / "cloud"
    with LocalCloud(folder, assembly=changed_assembly(drop_in)) as cloud:
        by_day(cloud)
        for name, skus in WAITING.items():
            introduce(cloud, name, waiting_for=skus)
        cloud.time.settle()
        yield cloud


WAITING = {"u-one": ["s-1"], "u-both": ["s-1", "s-2"], "u-other": ["s-2"], "u-none": []}


def restock(cloud: LocalCloud, sku: str) -> dict[str, Any]:
    request = {"event": "back_in_stock", "properties": {"sku": sku}, "rule": WAITS}
    answer = run_operation(cloud.access.to_dict(), "spread-event", request)
    cloud.time.settle()
    return answer


def outcomes(cloud: LocalCloud) -> dict[str, list[str]]:
    """How each contact's messages ended."""
    return {name: [each.outcome for each in decided(cloud, name)] for name in WAITING}


def test_everybody_who_waits_hears_of_it_once_per_product(cloud: LocalCloud) -> None:
    first = restock(cloud, "s-1")
    assert (first["given"], first["done"]) == (2, True)
    assert outcomes(cloud) == {"u-one": ["sent"], "u-both": ["sent"], "u-other": [], "u-none": []}

    restock(cloud, "s-1")
    assert outcomes(cloud) == {"u-one": ["sent"], "u-both": ["sent"], "u-other": [], "u-none": []}

    restock(cloud, "s-2")
    assert outcomes(cloud) == {"u-one": ["sent"], "u-both": ["sent", "sent"], "u-other": ["sent"], "u-none": []}
