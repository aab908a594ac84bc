"""Every function runs with its own folder and its layers alone, and gets every setting that it reads."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.bundling import Target, dependency_layer, source_layer
from infra.deployment import host_architecture, host_runtime
from infra.project import ROOT
from tests.infra.template import Template
from waypost.authoring.publishing import publish

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
READ_WHEN_USED = {"stage", "api_url"}
ONLY_FOR_BOOKING = {"scheduler_role_arn", "schedule_dead_letters_arn", "resume_journey_arn", "deferred_messages_arn"}
SECTIONS = {
    "receive_callback": {"defaults", "replies", "scenes", "sending"},
    "answer_task": {"defaults"},
    "archive_events": {"retention"},
    "ask_task_results": {"defaults"},
    "show_task_results": {"defaults"},
    "sync_person": {"tags"},
    "assign_task": {"defaults", "retention", "sending"},
    "build_audience_slice": {"retention"},
    "change_policy": {"sending"},
    "control_journey": {"journeys", "sending"},
    "close_enrolment": {"listening"},
    "resume_journey": {"defaults", "listening"},
    "sweep_journeys": {"defaults"},
    "call_webhook": {"destinations"},
    "count_purchases": {"defaults", "metrics", "retention"},
    "deliver_event": {"destinations"},
    "evaluate_segment": {"defaults", "retention", "segments"},
    "explain_contact": {"defaults"},
    "export_slice": {"attributes"},
    "gather_audience": {"segments"},
    "issue_coupon": {"coupons", "defaults"},
    "import_part": {"identity", "retention"},
    "leave_list": {"identity", "retention"},
    "merge_contacts": {"identity"},
    "pause_journey": {"defaults", "retention"},
    "plan_audience": {"defaults", "listening", "segments"},
    "plan_export": {"attributes", "segments"},
    "plan_refresh": {"metrics", "segments", "tags"},
    "preview_segment": {"defaults", "listening", "retention", "segments"},
    "receive_webhook": {"sources"},
    "reconcile_import": {"identity", "retention"},
    "refresh_contacts": {"defaults", "metrics", "retention", "segments", "tags"},
    "record_delivery": {"listening", "scenes", "sending"},
    "rescore_engagement": {"retention"},
    "route_events": {"defaults", "identity", "journeys", "listening", "metrics", "retention", "segments", "tags"},
    "send_message": {"coupons", "defaults", "products", "retention", "sending"},
    "send_deferred": {"coupons", "defaults", "products", "retention", "sending"},
    "notify_staff": {"defaults", "retention", "sending"},
    "publish_message": {"defaults", "sending"},
    "ask_for_approval": {"defaults", "sending"},
    "send_test": {"coupons", "defaults", "products", "retention", "sending"},
    "serve_page": {"pages"},
    "show_contact": {"defaults"},
    "start_journey": {"defaults", "journeys"},
    "start_other_journey": {"journeys"},
    "spread_event": {"defaults"},
    "update_contact": {"attributes", "listening", "metrics", "retention", "tags"},
}
"""The published sections each function parses when it is wired; those that are missing here parse none."""

LOADED_WHEN_USED = {"cryptography", "_cffi_backend"}
"""Packages of the layer that cost a start too much (60 ms) to be loaded before a request needs them."""

OF_A_SENDER = {
    "resume_journey_arn",
    "email_reply_to",
    "email_bulk",
    "inbox_endpoint",
    "webhook_endpoint",
    "wechat_endpoint",
    "wecom_endpoint",
    "robot_endpoint",
    "loopback_receivers",
}
"""Settings that a function which sends may go without."""

MAY_BE_MISSING = {
    # they cancel schedules and book none
    "route_events": ONLY_FOR_BOOKING,
    "stop_journey": ONLY_FOR_BOOKING,
    "stop_other_journey": ONLY_FOR_BOOKING,
    "close_enrolment": ONLY_FOR_BOOKING,
    # they book schedules of one kind
    "pause_journey": {"deferred_messages_arn"},
    "resume_journey": {"deferred_messages_arn"},
    "sweep_journeys": {"deferred_messages_arn"},
    "ask_task_results": {"resume_journey_arn"},
    # … and answers go to the sender unless the stage names another address
    "send_message": OF_A_SENDER,
    "send_deferred": OF_A_SENDER,
    "send_test": OF_A_SENDER,
    "publish_message": OF_A_SENDER,
    "ask_for_approval": OF_A_SENDER,
    "control_journey": ONLY_FOR_BOOKING,
    "notify_staff": OF_A_SENDER,
    "assign_task": OF_A_SENDER,
    "answer_task": ONLY_FOR_BOOKING,
    "decide_approval": ONLY_FOR_BOOKING,
    # only a provider that posts has one
    "receive_callback": OF_A_SENDER | {"sms_secret"},
    # only the local harness says so
    "deliver_event": {"loopback_receivers"},
    "call_webhook": {"loopback_receivers", "called_webhooks"},
}


READ_BY_FEW_CALLS = {
    "record_delivery": {
        "event_bus",
        "schedule_group",
        "schedule_dead_letters_arn",
        "scheduler_role_arn",
        "deferred_messages_arn",
    },
    "route_events": {"person_syncs_url"},
    "ask_task_results": {"wecom_agent", "wecom_corp", "wecom_secret"},
    "sync_staff": {"wecom_agent", "wecom_corp", "wecom_secret"},
    "show_customers": {"wecom_agent", "wecom_corp", "wecom_secret"},
    "sync_person": {"wechat_accounts", "wechat_secret", "wecom_agent", "wecom_corp", "wecom_secret"},
    "make_codes": {
        "contacts_table",
        "wechat_accounts",
        "wechat_secret",
        "wecom_agent",
        "wecom_corp",
        "wecom_secret",
    },
}
"""What costs a start a client that hardly any of its calls needs."""


@dataclass(frozen=True)
class Loaded:
    """What loading a handler showed."""

    elsewhere: list[str]
    settings: set[str]
    sections: set[str]
    packages: set[str]


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The three layers, built for this interpreter as the app builds them."""
    target = Target(python=host_runtime().removeprefix("python"), architecture=host_architecture(), native=True)
    cache = ROOT / "out" / "layers"
    published = tmp_path_factory.mktemp("journeys")
    publish(ROOT / "statemachines", published)
    dependencies = dependency_layer(
        requirements=ROOT / "requirements" / "lambda.txt",
        contents=ROOT / "layers" / "dependencies" / "contents.toml",
        target=target,
        cache=cache,
    )
    waypost = source_layer(source=ROOT / "layers" / "waypost" / "python", target=target, cache=cache)
    return [dependencies.path / "python", waypost.path / "python", published / "python"]


@pytest.fixture(scope="session")
def loaded(layers: list[Path]) -> dict[str, Loaded]:
    """Each handler, loaded in a fresh interpreter that knows nothing else."""
    return {folder: load(folder, layers) for folder in FOLDERS}


def load(folder: str, layers: list[Path]) -> Loaded:
    """Load a handler without site-packages and without an environment."""
    script = Path(__file__).with_name("load_handler.py")
    path = [str(ROOT / "functions" / folder), *map(str, layers)]
    answer = subprocess.run(  # noqa: S603  the interpreter of this test, on fixed arguments
        [sys.executable, "-S", "-I", "-B", str(script), *path], capture_output=True, text=True, check=False, env={}
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    return Loaded(
        elsewhere=found["elsewhere"],
        settings=set(found["settings"]),
        sections=set(found["sections"]),
        packages=set(found["packages"]),
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_handler_needs_only_its_folder_and_its_layers(loaded: dict[str, Loaded], folder: str) -> None:
    assert loaded[folder].elsewhere == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_gets_the_settings_it_reads_and_no_others(
    loaded: dict[str, Loaded], template: Template, folder: str
) -> None:
    variables = template.functions()[folder]["Environment"]["Variables"]
    given = {name.removeprefix("WAYPOST_").lower() for name in variables if name.startswith("WAYPOST_")}
    read = loaded[folder].settings

    assert read - given <= MAY_BE_MISSING.get(folder, set())
    assert given - read <= READ_WHEN_USED | READ_BY_FEW_CALLS.get(folder, set())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_parses_only_the_published_sections_it_uses(loaded: dict[str, Loaded], folder: str) -> None:
    assert loaded[folder].sections == SECTIONS.get(folder, set())


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_start_waits_for_a_package_that_few_requests_need(loaded: dict[str, Loaded], folder: str) -> None:
    assert not loaded[folder].packages & LOADED_WHEN_USED


def test_what_is_loaded_when_used_is_in_the_layer(layers: list[Path]) -> None:
    program = f"""
import sys
sys.path[:0] = {[str(layer) for layer in layers]!r}
from waypost.intake.sender_schemes import dingtalk_envelope
options = dict(token="t", encoding_key="a" * 43, owner="o", timestamp="1", nonce="n")
assert len(dingtalk_envelope("success", **options)["encrypt"]) == 44
assert {LOADED_WHEN_USED!r} <= set(sys.modules)
"""
    command = [sys.executable, "-S", "-I", "-B", "-c", program]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env={})  # noqa: S603 - our own program
    assert answer.returncode == 0, answer.stderr
