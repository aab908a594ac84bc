"""The definitions in the layer are thin, and make the same clients."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.session import Session

from infra.bundling import Target, dependency_layer
from infra.deployment import host_architecture, host_runtime
from infra.project import ROOT
from infra.service_definitions import thin

SERVICES = (
    "dynamodb",
    "events",
    "pinpoint-sms-voice-v2",
    "scheduler",
    "secretsmanager",
    "sesv2",
    "sqs",
    "stepfunctions",
)


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    """A folder like botocore/data with one service."""
    operation = {
        "documentation": "<p>What it does.</p>",
        "members": {"documentation": {"shape": "Text", "documentation": "A member of this name."}},
    }
    service = {"metadata": {"endpointPrefix": "email"}, "shapes": {"SendRequest": operation}}
    folder = tmp_path / "sesv2" / "2019-09-27"
    folder.mkdir(parents=True)
    (folder / "service-2.json.gz").write_bytes(gzip.compress(json.dumps(service).encode()))
    endpoints = {"partitions": [{"partition": "aws", "services": {"email": {"endpoints": {}}, "s3": {}}}]}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    return tmp_path


def test_texts_go_and_members_that_are_called_documentation_stay(definitions: Path) -> None:
    thin(definitions, services=["sesv2"])

    folder = definitions / "sesv2" / "2019-09-27"
    assert [path.name for path in folder.iterdir()] == ["service-2.json"]
    service = json.loads((folder / "service-2.json").read_text(encoding="utf-8"))
    assert service["shapes"] == {"SendRequest": {"members": {"documentation": {"shape": "Text"}}}}


def test_only_the_endpoints_of_the_kept_services_stay(definitions: Path) -> None:
    thin(definitions, services=["sesv2"])

    [partition] = json.loads((definitions / "endpoints.json").read_text(encoding="utf-8"))["partitions"]
    assert partition == {"partition": "aws", "services": {"email": {"endpoints": {}}}}


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_a_client_of_the_layer_calls_the_same_address_with_the_same_operations(region: str) -> None:
    built = dependency_layer(
        requirements=ROOT / "requirements" / "lambda.txt",
        contents=ROOT / "layers" / "dependencies" / "contents.toml",
        target=Target(python=host_runtime().removeprefix("python"), architecture=host_architecture(), native=True),
        cache=ROOT / "out" / "layers",
    )
    thinned, stock = Session(), Session()
    data = built.path / "python" / "botocore" / "data"
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    thinned.register_component("data_loader", loader)

    for service in SERVICES:
        ours, theirs = _client(thinned, service, region), _client(stock, service, region)
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        assert ours.meta.method_to_api_mapping == theirs.meta.method_to_api_mapping
        settings = (
            [each.name for each in client.meta.service_model.client_context_parameters] for client in (ours, theirs)
        )
        assert next(settings) == next(settings), "read at the first call"


def _client(session: Session, service: str, region: str) -> Any:
    return session.create_client(service, region, aws_access_key_id="none", aws_secret_access_key="none")
