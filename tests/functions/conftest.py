"""The functions of the engine with fakes behind them, and the samples that lie beside them."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.coupons.pools import pool
from tests.fakes.codes import FakeCodes
from tests.fakes.posted import ScriptedPoster
from tests.fakes.published_journeys import email, journey, published
from tests.fakes.staff import FakeSource, directory
from tests.fakes.world import World
from tests.metrics.night import ACTIVITY, RFM, Night
from waypost.assembly import assemble
from waypost.aws.routing_batch import RoutingBatch
from waypost.channels.callback_contract import CallbackNotice
from waypost.channels.registry import callback_reader
from waypost.contacts.channels import Channel
from waypost.coupons.pool import CouponPools
from waypost.destinations.call_webhook import CallWebhook
from waypost.destinations.declared import Destination
from waypost.intake.receive_callback import ReceiveCallback
from waypost.products.catalogue import Catalogue, Product
from waypost.reports.explain_contact import ExplainContact
from waypost.reports.show_contact import ShowContact
from waypost.sending.occasion import dump_occasion

FUNCTIONS = Path(__file__).parents[2] / "functions"
JOURNEY = "new-user-nurture"

SHOP = Catalogue("CNY", {id_: Product(id_, {"en": id_}, price) for id_, price in (("serum-30", 199), ("lip-balm", 39))})
"""The catalogue of the samples."""

HANDLERS: dict[str, ModuleType] = {
    path.parent.name: import_module(f"functions.{path.parent.name}.handler")
    for path in sorted(FUNCTIONS.glob("*/handler.py"))
}


def substituted(monkeypatch: pytest.MonkeyPatch, wired: Mapping[str, Mapping[str, Any]]) -> io.StringIO:
    """Let the factories of these handlers give the services in ``wired``; what the handlers log goes to the result."""
    logs = io.StringIO()
    for function, factories in wired.items():
        module = HANDLERS[function]
        for name, service in factories.items():
            monkeypatch.setattr(module, name, lambda service=service: service)
        for output in module.logger.handlers:
            monkeypatch.setattr(output, "stream", logs)
    return logs


def called(world: World) -> CallWebhook:
    """The CRM of the samples, which approves of everybody."""

    class Secrets:
        def read(self, destination: str) -> dict[str, str]:
            return {"signing_keys": "whsec_" + "a" * 48}

    return assemble.call_webhook(
        world.ports,
        destinations={"crm": Destination("crm", "standard_webhooks", "https://crm.example.com/in", (), called=True)},
        secrets=Secrets(),
        poster=ScriptedPoster(lambda *_: {"result": {"approved": True}}),
    )


@dataclass(frozen=True)
class LambdaContext:
    """What Lambda says of a call."""

    function_name: str = "waypost-dev"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:waypost-dev"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        """All of a call's time is before it."""
        return 900_000


@dataclass
class FakeDeadLetters:
    """Where hopeless messages go: their ids and errors."""

    letters: list[tuple[str, BaseException]] = field(default_factory=list)

    def put(self, record: Any, error: BaseException) -> None:
        """See SqsDeadLetters."""
        self.letters.append((record.message_id, error))


@dataclass
class Deployment:
    """All functions of the engine on one world; ``logged`` is what they write."""

    world: World
    dead_letters: FakeDeadLetters
    logs: io.StringIO
    notices: "KeptNotices"

    def begin(self) -> None:
        """The contact of the samples is enrolled, and its first hop taken."""
        self.call("route_events")
        self.call("pause_journey", {"begin": True, "context": sample("send_message")["context"]})

    def call(self, name: str, event: dict[str, Any] | None = None) -> Any:
        """Call a function with an event, or with its sample; gives the answer as JSON has it."""
        answer = HANDLERS[name].handle(sample(name) if event is None else event, LambdaContext())
        return json.loads(json.dumps(answer))

    @property
    def logged(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.logs.getvalue().splitlines()]


def sample(name: str) -> dict[str, Any]:
    """The sample event of a function."""
    content: dict[str, Any] = json.loads((FUNCTIONS / name / "event.json").read_text(encoding="utf-8"))
    return content


class KeptItems:
    """The profile, the enrolments and the messages of the one contact of ``world``, as its partition has them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def everything(self, contact_id: str) -> list[dict[str, Any]]:
        """See ContactItems."""
        contact = self._world.contacts.load(contact_id)
        messages = [
            {
                "sk": f"message#{row.message_key}",
                "message_key": row.message_key,
                "occasion": dump_occasion(row.occasion),
                "message": row.message,
                "state": row.state,
                "decisions": [decision.to_dict() for decision in row.decisions],
            }
            for row in self._world.ledger
        ]
        enrolments = [
            {"sk": f"enrolment#{each.enrolment_id}", **each.to_dict()}
            for each in self._world.enrolments.of_contact(contact_id)
        ]
        return [{"sk": "profile", **contact.to_dict()}, *enrolments, *messages] if contact else []


def shown_contact(world: World) -> ShowContact:
    """What draws a contact's journeys; no journey has a graph."""
    return assemble.show_contact(
        world.ports, items=KeptItems(world), graphs=lambda _: None, default_zone=world.default_zone
    )


def explained_contact(world: World) -> ExplainContact:
    """What explains the decisions on a contact's messages."""
    return assemble.explain_contact(world.ports, items=KeptItems(world), default_zone=world.default_zone)


@dataclass
class KeptNotices:
    """The queue behind the door of callbacks."""

    kept: list[CallbackNotice] = field(default_factory=list)

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        """See NoticeQueue."""
        self.kept += notices


@dataclass
class KnownSecret:
    """A channel's secret that does not change."""

    values: dict[str, str]

    def read(self) -> dict[str, str]:
        """See ChannelSecret."""
        return self.values

    def read_again(self) -> dict[str, str]:
        """See ChannelSecret."""
        return self.values


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """The engine when the samples begin."""
    asked = email("approval-requested", kind="transactional")
    notices_of_staff = published(journey("notices", messages={"approval-requested": asked}))
    messages = {"welcome": email("welcome"), "new-lead": email("new-lead", kind="transactional")}
    given = published(journey(JOURNEY, messages=messages))
    world = World(
        published=replace(given, messages={**given.messages, **notices_of_staff.messages}),
        staff=directory("lin.chen", "wei.zhang"),
        pools=CouponPools({"welcome-10": pool("welcome-10")}),
    )
    world.clock.now = world.clock.now.replace(year=2026, month=3, day=2, hour=2, second=1, microsecond=482_000)
    night = Night(world=world, metrics={"scores": ACTIVITY, "rfm": RFM})
    letters, notices = FakeDeadLetters(), KeptNotices()
    batch = RoutingBatch(router=world.route_events, dead_letters=letters)  # type: ignore[arg-type]
    wired: dict[str, dict[str, Any]] = {
        "change_policy": {"change_policy": world.change_policy},
        "close_enrolment": {"close_enrolment": world.close_enrolment},
        "evaluate_segment": {"evaluate_segment": world.evaluate_segment},
        "plan_refresh": {"plan_refresh": night.plan_refresh},
        "count_purchases": {"count_purchases": night.count_purchases},
        "rank_customers": {"rank_customers": night.rank_customers},
        "relate_products": {"relate_products": night.relate_products},
        "update_products": {"update_products": assemble.update_products(world.ports, catalogue=lambda: SHOP)},
        "notify_watchers": {"notify_watchers": assemble.notify_watchers(world.ports)},
        "refresh_contacts": {"refresh_contacts": night.refresh_contacts},
        "explain_contact": {"explain_contact": explained_contact(world)},
        "lift_suppression": {"lift_suppression": world.lift_suppression},
        "mark_test_contact": {"mark_test_contact": world.mark_test_contact},
        "issue_coupon": {"issue_coupon": world.issue_coupon},
        "receive_callback": {
            "receive_callback": ReceiveCallback(
                reader=callback_reader,
                secrets={"sms": KnownSecret({"callback_key": "local-callback-key-of-aliyun"})},
                queue=notices,
                real_clock=world.clock,
            )
        },
        "merge_contacts": {"merge_contacts": world.merge_contacts},
        "pause_journey": {"pause_journey": world.pause_journey},
        "record_delivery": {"record_delivery": world.record_delivery},
        "resume_journey": {"resume_journey": world.resume_journey},
        "route_events": {"batch": batch},
        "send_message": {"send_message": world.send_message},
        "send_deferred": {"send_deferred": world.send_deferred},
        "rescore_engagement": {"rescore_engagement": assemble.rescore_engagement(world.ports)},
        "send_test": {"send_test": world.send_test},
        "publish_message": {"publish_message": world.publish_message},
        "decide_approval": {"decide_approval": world.decide_approval},
        "show_contact": {"show_contact": shown_contact(world)},
        "spread_event": {"spread_event": assemble.spread_event(world.ports, default_zone=world.default_zone)},
        "show_customers": {
            "show_customers": assemble.show_customers(world.ports, staff=lambda: world.staff, source=FakeSource)
        },
        "sync_staff": {"sync_staff": assemble.sync_staff(world.ports, source=FakeSource)},
        "import_staff": {"import_staff": assemble.import_staff(world.ports, deployed=lambda: world.staff)},
        "import_coupons": {"import_coupons": assemble.import_coupons(world.ports, pools=lambda: world.pools)},
        "sync_person": {"sync_person": world.sync_person},
        "make_codes": {"make_codes": assemble.make_codes(world.ports, scenes=lambda: world.scenes, makers=FakeCodes)},
        "start_journey": {
            "start_journey": assemble.start_journey(
                world.ports, journeys=world.published.journeys, default_zone=world.default_zone
            )
        },
        "control_journey": {"control_journey": world.control_journey},
        "ask_for_approval": {"ask_for_approval": world.ask_for_approval},
        "stop_journey": {"stop_journey": world.stop_journey},
        "call_webhook": {"call_webhook": called(world)},
        "start_other_journey": {"start_other_journey": world.start_other_journey},
        "stop_other_journey": {"stop_other_journey": world.stop_other_journey},
        "sweep_journeys": {"sweep_journeys": world.sweep_journeys},
        "show_task_results": {
            "show_task_results": assemble.show_task_results(
                world.ports, channels=[Channel("wecom")], staff=lambda: world.staff, default_zone=world.default_zone
            )
        },
        "ask_task_results": {
            "ask_task_results": assemble.ask_task_results(
                world.ports,
                results=lambda _: None,
                notices=notices,
                staff=lambda: world.staff,
                default_zone=world.default_zone,
            )
        },
        "notify_staff": {"notify_staff": world.notify_staff},
        "assign_task": {"assign_task": world.assign_task},
        "update_contact": {"update_contact": world.update_contact},
    }
    logs = substituted(monkeypatch, wired)
    yield Deployment(world, letters, logs, notices)
    for module in HANDLERS.values():
        if hasattr(module, "metrics"):
            module.metrics.clear_metrics()
