"""The functions that build audiences, called with their samples: together the samples tell one story."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.audiences.audience_world import Audiences
from tests.functions.conftest import HANDLERS, LambdaContext, sample


@dataclass
class AudienceFunctions:
    """The functions on fakes; ``logs`` is what they write."""

    world: Audiences
    logs: io.StringIO

    def call(self, name: str) -> Any:
        """Call a function with its sample; gives the answer as JSON has it."""
        return json.loads(json.dumps(HANDLERS[name].handle(sample(name), LambdaContext())))


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> AudienceFunctions:
    world, logs = Audiences(size=40), io.StringIO()
    services = {
        "plan_audience": world.planner,
        "build_audience_slice": world.builder,
        "gather_audience": world.gatherer,
        "preview_segment": world.previewer,
    }
    for name, service in services.items():
        monkeypatch.setattr(HANDLERS[name], name, lambda service=service: service)
        for output in HANDLERS[name].logger.handlers:
            monkeypatch.setattr(output, "stream", logs)
    return AudienceFunctions(world, logs)


def test_the_samples_tell_one_story(functions: AudienceFunctions) -> None:
    planned = functions.call("plan_audience")
    assert planned["slices"] == [sample("build_audience_slice")]
    assert functions.call("build_audience_slice") == {**sample("build_audience_slice"), "done": True}
    built, previewed = functions.call("gather_audience"), functions.call("preview_segment")
    assert built["contacts"] == 40
    assert previewed["done"]
    assert previewed["preview"]["digest"] == built["digest"]


def test_their_logs_name_nobody(functions: AudienceFunctions, capsys: pytest.CaptureFixture[str]) -> None:
    test_the_samples_tell_one_story(functions)
    output = functions.logs.getvalue() + "".join(capsys.readouterr())
    assert "example.com" not in output
    assert "上海市" not in output
