"""A company's own repository: made by the installed package, checked, synthesized and rehearsed without a checkout."""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.project import ROOT
from tests.infra.built_wheel import build_wheel

pytestmark = pytest.mark.flow


@dataclass(frozen=True)
class Company:
    """A virtual environment that has the wheel, and the folder of the company's repository."""

    environment: Path
    folder: Path

    def waypost(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the installed command, in the company's folder unless ``folder`` names another."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(  # noqa: S603 - the command that the wheel installed
            [self.environment / "bin" / "waypost", *arguments],
            cwd=cwd or self.folder,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The third-party packages are those of this environment, which come from the same lock."""
    folder = tmp_path_factory.mktemp("company")
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)  # noqa: S603
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "third-party.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    wheel = build_wheel(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--no-compile", "--ignore-installed", wheel], check=True)  # noqa: S603
    company = Company(environment, folder / "our-marketing")
    made = company.waypost("init", str(company.folder), cwd=folder)
    assert made.returncode == 0, made.stderr
    (company.folder / "out").mkdir()
    (ROOT / "out" / "layers").mkdir(parents=True, exist_ok=True)
    (company.folder / "out" / "layers").symlink_to(ROOT / "out" / "layers")  # layers that are built already
    return company


def test_a_new_project_holds_content_and_names_waypost_as_a_dependency(company: Company) -> None:
    assert {path.name for path in company.folder.iterdir()} == {
        ".github",
        ".gitignore",
        "README.md",
        "cdk.json",
        "examples",
        "out",
        "requirements.txt",
        "statemachines",
    }
    assert not (company.folder / "statemachines" / "operations").exists()
    assert "waypost==0.1.0" in (company.folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "@" not in (company.folder / "README.md").read_text(encoding="utf-8")


def test_a_folder_that_holds_something_is_refused(company: Company) -> None:
    refused = company.waypost("init", str(company.folder))
    assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)


def test_its_content_is_checked_and_a_mistake_has_its_place(company: Company) -> None:
    fine = company.waypost("check", "--json")
    assert fine.returncode == 0, fine.stderr
    counts = json.loads(fine.stdout)["counts"]
    assert counts["journeys"] == len(list((ROOT / "statemachines" / "journeys").iterdir())) >= 3, "the whole library"
    assert counts["operations"] >= 6, "those that the product ships"
    extra = company.folder / "statemachines" / "segments" / "broken.yaml"
    extra.write_text("rule: {tag: }\n", encoding="utf-8")
    try:
        wrong = company.waypost("check")
    finally:
        extra.unlink()
    assert wrong.returncode == 1
    assert "statemachines/segments/broken.yaml" in wrong.stdout


def test_it_is_rehearsed_from_the_installed_package(company: Company) -> None:
    """The assembly is synthesized for this machine on the way."""
    scenarios = (company.folder / "statemachines/journeys/new-user-nurture/scenarios.yaml").read_text(encoding="utf-8")
    [name] = [line.partition("name:")[2].strip() for line in scenarios.splitlines() if "- name:" in line][:1]
    rehearsed = company.waypost("rehearse", "new-user-nurture", "--scenario", name, "--json")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert [each["scenario"] for each in json.loads(rehearsed.stdout)] == [name]


def test_its_template_is_that_of_the_product_with_its_own_choices(company: Company) -> None:
    cdk = company.folder / "cdk.json"
    choices = json.loads(cdk.read_text(encoding="utf-8"))
    choices["context"] |= {"email_sender": "hello@company.example", "aws:cdk:bundling-stacks": []}
    cdk.write_text(json.dumps(choices), encoding="utf-8")

    made = company.waypost("synth", cwd=company.folder / "statemachines" / "journeys")

    assert made.returncode == 0, made.stderr
    templates = [file.read_text(encoding="utf-8") for file in (company.folder / "cdk.out").glob("*.template.json")]
    machines = {
        resource["Properties"]["StateMachineName"].partition("--")[0]  # without the version of a journey's flow
        for template in templates
        for resource in json.loads(template)["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    }
    assert {"waypost-dev-new-user-nurture", "waypost-dev-import-contacts"} <= machines
    assert any("company.example" in template for template in templates)
