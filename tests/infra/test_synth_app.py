"""``python -m infra.app`` needs nothing but Python, and tells a mistake in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.app import main, synthesize
from infra.project import ROOT, Project
from tests.infra.template import NO_BUNDLING
from waypost.errors import InvalidInput


def test_the_app_synthesizes_where_no_node_is_installed(tmp_path: Path) -> None:
    kept = {
        name: value for name, value in os.environ.items() if name in {"HOME", "PYTHONPATH", "COVERAGE_PROCESS_START"}
    }
    kept["CDK_CONTEXT_JSON"] = json.dumps(NO_BUNDLING)
    command = [sys.executable, "-m", "infra.app", "--output", str(tmp_path)]

    answer = subprocess.run(  # noqa: S603  the interpreter of this test, on fixed arguments
        command, cwd=ROOT, env={**kept, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "waypost-dev.template.json").is_file()


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ("stage=production", "error: context stage: must be one of dev, prod, not 'production'"),
        ("runtime=python3.9", "error: context runtime: must be one of python3.11, python3.12, python3.13, python3.14"),
        ("architecture=sparc", "error: context architecture: must be one of arm64, x86_64, not 'sparc'"),
        (
            "email_reply_to=help@shop.example,shop",
            "error: context email_reply_to: must be e-mail addresses, not 'shop'",
        ),
        (
            "email_sender=waypost",
            "error: context email_sender: must be an e-mail address, with or without a name before it in <>, not 'waypost'",
        ),
        ("email_provider=smpt", "error: context email_provider: must be one of ses, smtp, not 'smpt'"),
    ],
)
def test_a_choice_that_does_not_exist_is_reported_in_one_line(
    choice: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-c", choice]) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(reason)


def test_a_mail_server_is_asked_for_where_mail_goes_by_smtp(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "email_provider=smtp", "-c", "email_smtp_server=http://mail.example.com"]) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "error: context email_smtp_server: must be a mail server such as smtps://smtp.example.com:465"
    )


def test_a_broken_journey_is_reported_line_by_line_with_file_field_and_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journey = project / "statemachines" / "journeys" / "greeting"
    journey.mkdir()
    (journey / "journey.yaml").write_text("name: greeting\nversion: eleven\n", encoding="utf-8")

    assert main([], project=Project.at(project)) == 1

    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("error: statemachines/journeys/greeting/") for line in lines)
    [version] = [line for line in lines if "journey.yaml: version: " in line]
    assert "eleven" in version


def test_a_missing_handler_names_its_folder(project: Path, tmp_path: Path) -> None:
    product = tmp_path / "product"
    (product / "functions" / "receive_webhook").mkdir(parents=True)
    for shared in ("layers", "requirements", "statemachines", "cdk.json"):
        (product / shared).symlink_to(ROOT / shared)

    with pytest.raises(InvalidInput, match=r"functions/receive_webhook/handler\.py: is missing"):
        synthesize(project=Project.at(project, product=product), context=NO_BUNDLING, output=project / "cdk.out")
