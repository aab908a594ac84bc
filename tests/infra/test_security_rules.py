"""The AWS Solutions rules of cdk-nag find nothing that is not acknowledged, resource by resource, with a reason."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations, aws_sqs
from cdk_nag import AwsSolutionsChecks

from infra.app import build_app
from tests.infra.template import NO_BUNDLING


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_no_finding_is_left_without_a_reason(tmp_path: Path, stage: str) -> None:
    choices = {"stage": stage, "alarm_email": "operators@waypost.example"}
    app = build_app(context={**NO_BUNDLING, **choices}, output=tmp_path)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))

    assert findings(app, tmp_path) == []


def test_what_nobody_has_acknowledged_is_found(tmp_path: Path) -> None:
    app = build_app(context=NO_BUNDLING, output=tmp_path)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    aws_sqs.Queue(Stack(app, "other"), "Unencrypted", encryption=aws_sqs.QueueEncryption.UNENCRYPTED)

    assert "AwsSolutions-SQS4 at other/Unencrypted/Resource" in findings(app, tmp_path)


def findings(app: App, output: Path) -> list[str]:
    """Synthesize; one line per finding: the rule and where."""
    with suppress(RuntimeError):  # findings end the synth; the report tells which
        app.synth()
    report = json.loads((output / "validation-report.json").read_text(encoding="utf-8"))
    return [
        f"{violation['ruleName']} at {place['constructPath']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for place in violation["violatingConstructs"]
    ]
