"""Every journey of the library starts as a marketer starts it: by hand, with a JSON of a few fields."""

from datetime import timedelta
from typing import Any, Final

import pytest

from infra.project import ROOT
from local.cloud.local_cloud import LocalCloud
from local.running.operation_runs import run_operation
from tests.flows.steps import accepted, introduce, rows
from waypost.channels.wechat.fake import ACCOUNT

pytestmark = pytest.mark.flow

LIBRARY: Final = sorted(path.parent.name for path in (ROOT / "statemachines" / "journeys").glob("*/journey.yaml"))
NOTICE: Final = "qUbpM2uH0Yy3cN7vXfKe1RzT5aLw8sJdGiOoE4tPz6B"
"""The template of the WeChat notice that cart-service-notice asks for."""
EVENT: Final[dict[str, Any]] = {
    "ends_at": "2031-05-01T21:00:00+08:00",
    "starts_at": "2031-05-01T20:00:00+08:00",
    "cart_id": "c-1",
    "event_id": "e-1",
    "level": 2,
    "product_id": "p-77",
    "staff": "sales-consultant-1",
    "account": ACCOUNT,
    "launch_id": "l-1",
    "launches_on": "2031-05-01",
    "promotion_id": "618-2031",
    "starts_on": "2031-05-01",
    "ends_on": "2031-05-03",
    "link": "order",
}
"""What the journeys ask of the event that starts them, whichever it is."""


@pytest.fixture(scope="module")
def answers(cloud: LocalCloud) -> dict[str, Any]:
    """Journey → what the operation answered; each was started for a contact of its own."""
    for number, name in enumerate(LIBRARY):
        known = {"openid": f"{ACCOUNT}:oByHand{number:021d}", "consent": {"email": True, "sms": True, "wechat": True}}
        introduce(cloud, f"by-hand-{name}", birthday="1990-05-20", level=2, registered_on="2031-03-01", **known)
        last_week = cloud.clock.now() - timedelta(days=7)  # so long ago that it starts nothing by itself
        for case in ("retail", "school"):
            accepted(cloud.tracking.track(f"by-hand-{name}", "case_read", {"case_id": case}, at=last_week))
    cloud.time.settle()
    for number in range(len(LIBRARY)):
        agreed = {"template": NOTICE}
        cloud.providers.act_out("wechat_subscription_accepted", {"openid": f"{ACCOUNT}:oByHand{number:021d}"}, agreed)
    cloud.time.settle()
    found = {
        name: run_operation(
            cloud.access.to_dict(),
            "start-journey",
            {
                "journey": name,
                "contact": {"user_id": f"by-hand-{name}"},
                "properties": EVENT,
                "by": "lin.chen",
                "reason": "asked the hotline",
            },
        )
        for name in LIBRARY
    }
    cloud.time.settle()
    return found


@pytest.mark.parametrize("name", LIBRARY)
def test_a_journey_is_started_by_hand_for_one_contact(name: str, cloud: LocalCloud, answers: dict[str, Any]) -> None:
    assert answers[name]["requested"] == 1
    assert {row["journey"] for row in rows(cloud, f"by-hand-{name}", "enrolment").values()} == {name}
