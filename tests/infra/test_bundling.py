"""Layers hold wheels of the target and its bytecode, and are built once."""

import os
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from infra import bundling
from infra.app import synthesize
from infra.bundling import Target, dependency_layer, kept_services, source_layer
from infra.deployment import host_architecture, host_runtime
from infra.project import ROOT, Project
from waypost.contacts.channels import CHANNELS, Channel, declared_channels
from waypost.errors import InvalidInput

HOST = Target(python=host_runtime().removeprefix("python"), architecture=host_architecture(), native=True)
CONTENTS = ROOT / "layers" / "dependencies" / "contents.toml"
UNKNOWN = "3.99"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The source root of a small package."""
    package = tmp_path / "source" / "greeting"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('WORD = "hello"\n', encoding="utf-8")
    return package.parent


def test_every_module_of_the_dependency_layer_has_its_bytecode() -> None:
    built = dependency_layer(
        requirements=ROOT / "requirements" / "lambda.txt", contents=CONTENTS, target=HOST, cache=ROOT / "out" / "layers"
    )

    assert built.compiled
    assert list(uncompiled(built.path, HOST.python)) == []
    assert len(list(built.path.rglob("*.pyc"))) > 500


def test_the_dependency_layer_keeps_only_the_services_we_call() -> None:
    built = dependency_layer(
        requirements=ROOT / "requirements" / "lambda.txt", contents=CONTENTS, target=HOST, cache=ROOT / "out" / "layers"
    )
    definitions = built.path / "python" / "botocore" / "data"

    assert {path.name for path in definitions.iterdir() if path.is_dir()} == {
        "dynamodb",
        "events",
        "s3",
        "scheduler",
        "secretsmanager",
        "sqs",
        "stepfunctions",
        "sts",
        *(service for channel in declared_channels().values() for service in channel.services),
    }
    assert not list(built.path.rglob("*.dist-info"))
    assert sum(path.stat().st_size for path in built.path.rglob("*") if path.is_file()) < 50_000_000


def test_bytecode_is_trusted_without_its_source_date_and_shows_the_path_in_lambda(source: Path, tmp_path: Path) -> None:
    built = source_layer(source=source, target=HOST, cache=tmp_path / "cache")

    [compiled] = built.path.rglob("*.pyc")
    content = compiled.read_bytes()
    assert int.from_bytes(content[4:8], "little") == 0b01  # hash-based, unchecked (PEP 552)
    assert b"/opt/python/greeting/__init__.py" in content


def test_the_layer_of_our_own_package_has_what_pages_are_made_of(tmp_path: Path) -> None:
    source = ROOT / "layers" / "waypost" / "python"
    built = source_layer(source=source, target=HOST, cache=tmp_path / "cache")

    shipped = {path.relative_to(built.path / "python").as_posix() for path in built.path.rglob("*") if path.is_file()}
    pages = {
        path.relative_to(source).as_posix()
        for path in (source / "waypost" / "pages").rglob("*")
        if path.suffix in {".html", ".css", ".mo"}
    }
    assert {Path(name).suffix for name in pages} == {".html", ".css", ".mo"}
    assert pages <= shipped
    assert not [name for name in shipped if name.endswith(".po") or "/authoring/" in name]


def test_a_layer_is_built_once_for_each_content(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first = source_layer(source=source, target=HOST, cache=cache)
    monkeypatch.setattr(bundling, "_compile", lambda *_, **__: pytest.fail("built again"))

    assert source_layer(source=source, target=HOST, cache=cache) == first

    monkeypatch.undo()
    (source / "greeting" / "__init__.py").write_text('WORD = "good day"\n', encoding="utf-8")
    assert source_layer(source=source, target=HOST, cache=cache).digest != first.digest


def test_layers_that_nobody_uses_any_more_are_removed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "_KEPT", 2)
    cache, built = tmp_path / "cache", []
    for day, word in enumerate(("hello", "good day", "hello", "good evening")):
        (source / "greeting" / "__init__.py").write_text(f"WORD = {word!r}\n", encoding="utf-8")
        built.append(source_layer(source=source, target=HOST, cache=cache).path)
        os.utime(built[-1], (day, day))

    hello, good_day, again, good_evening = built

    assert again == hello
    assert set(cache.iterdir()) == {hello, good_evening}
    assert not good_day.exists()


def test_an_interrupted_build_leaves_nothing_that_looks_finished(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundling, "_compile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        source_layer(source=source, target=HOST, cache=tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_without_an_interpreter_of_the_target_the_layer_has_no_bytecode(source: Path, tmp_path: Path) -> None:
    built = source_layer(source=source, target=Target(python=UNKNOWN, architecture="arm64"), cache=tmp_path / "cache")

    assert not built.compiled
    assert [path.name for path in uncompiled(built.path, UNKNOWN)] == ["__init__.py"]


def test_a_synth_without_bytecode_says_what_it_costs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundling, "interpreter", lambda _: None)

    [stack] = synthesize(
        project=Project.at(project), context={"aws:cdk:bundling-stacks": []}, output=project / "cdk.out"
    ).stacks

    [warning] = {text for message in stack.messages if "bytecode" in (text := str(message.entry.data))}
    assert "2.3 to 2.7 times" in warning
    assert "Put python3.13 on PATH" in warning


def test_a_wrapper_on_path_that_starts_another_version_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = tmp_path / f"python{UNKNOWN}"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert bundling.interpreter(UNKNOWN) is None
    assert bundling.interpreter(HOST.python) == sys.executable


def test_wheels_are_chosen_for_the_linux_of_the_runtime() -> None:
    def platforms(python: str, architecture: str) -> list[str]:
        options = Target(python=python, architecture=architecture).pip_options
        return [value for option, value in pairwise(options) if option == "--platform"]

    assert platforms("3.13", "arm64")[0] == "manylinux_2_34_aarch64"
    assert platforms("3.11", "x86_64")[0] == "manylinux_2_26_x86_64"
    assert "manylinux2014_x86_64" in platforms("3.11", "x86_64")
    assert HOST.pip_options == []


def test_a_package_that_cannot_be_installed_is_reported_with_its_requirements(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        f"waypost-has-no-such-package @ file://{tmp_path}/missing.whl --hash=sha256:{'0' * 64}\n", encoding="utf-8"
    )

    with pytest.raises(InvalidInput, match=r"requirements\.txt: pip could not install it for this machine"):
        dependency_layer(requirements=requirements, contents=CONTENTS, target=HOST, cache=tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_the_layer_knows_every_service_that_is_called() -> None:
    modules = [*(ROOT / "layers" / "waypost").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    called = {
        service
        for module in modules
        for service in re.findall(r"client\(\"([\w-]+)\"\)", module.read_text(encoding="utf-8"))
    }

    assert called
    assert called <= kept_services(CONTENTS)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_declares_the_services_that_its_providers_call(channel: Channel) -> None:
    providers = (ROOT / "layers/waypost/python/waypost/channels" / channel).glob("provider_*.py")
    called = {
        service
        for provider in providers
        for service in re.findall(r"ports\.aws\(\"([\w-]+)\"\)", provider.read_text(encoding="utf-8"))
    }
    assert called == declared_channels()[channel].services


def uncompiled(layer: Path, python: str) -> Iterator[Path]:
    """The modules of a built layer that have no bytecode for this version of Python."""
    tag = f"cpython-{python.replace('.', '')}"
    for module in layer.rglob("*.py"):
        if not (module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc").exists():
            yield module
