"""A stage without SES: the first journey sends its mails by SMTP, through a mail server over TLS."""

import json
from collections.abc import Iterator

import pytest

from infra.project import ROOT, Project
from local.cloud.assembly import synthesize
from local.cloud.local_cloud import LocalCloud
from local.project.init_project import copy_sample_content
from local.providers.record import Fault
from tests.flows.projects import link_layers
from tests.flows.steps import by_day, contact_id, decided, sign_up
from waypost.contacts.channels import Channel

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("by-smtp")
    link_layers(folder)
    copy_sample_content(folder)
    (folder / "cdk.json").write_text(
        json.dumps({"context": {"email_provider": "smtp", "email_reply_to": "help@waypost.example"}}), encoding="utf-8"
    )
    with LocalCloud(folder / "cloud", assembly=synthesize(Project.at(folder), ROOT / "out" / "assembly")) as cloud:
        yield cloud


def test_a_journey_sends_its_mail_by_smtp_with_the_headers_of_mail(cloud: LocalCloud) -> None:
    by_day(cloud)
    sign_up(cloud, "lin")
    cloud.time.settle()
    [call] = [call for call in cloud.providers.accepted if call.recipient == "lin@example.com"]
    assert (call.channel, call.provider) == ("email", "smtp")
    [first] = decided(cloud, "lin")
    assert (first.message, first.outcome, first.channel) == ("welcome", "sent", "email")
    headers = call.content.headers
    assert headers["Message-ID"].startswith(f"<{call.message_key}@")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Reply-To"] == "help@waypost.example"
    assert call.tags["contact_id"] == contact_id("lin")


def test_a_server_that_hangs_up_after_the_message_leaves_it_unknown_and_is_not_called_again(cloud: LocalCloud) -> None:
    by_day(cloud)
    cloud.providers.fail(Fault(kind="drop", channel=Channel("email")))
    sign_up(cloud, "wang")
    cloud.time.settle()
    [call] = [call for call in cloud.providers.calls if call.recipient == "wang@example.com"]
    assert call.outcome == "drop"
    [first] = decided(cloud, "wang")
    assert (first.message, first.outcome) == ("welcome", "unknown")
