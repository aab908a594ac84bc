"""What is declared of services and endpoints, against botocore."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.endpoint_provider import EndpointProvider
from botocore.retries.standard import ExponentialBackoff, ThrottledRetryableChecker, TransientRetryableChecker
from botocore.session import Session

from tests.adapters.botocore_model import model
from waypost.aws.json_services import retries
from waypost.aws.json_services.endpoints import Endpoint, endpoint_in
from waypost.aws.json_services.services import PAGES, SERVICES, Operation, Service

EVERY = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
OPERATIONS = [(service, operation) for service in SERVICES.values() for operation in service.operations.items()]
EVERY_OPERATION = pytest.mark.parametrize(
    ("service", "method", "operation"),
    [(service, *operation) for service, operation in OPERATIONS],
    ids=[operation[1].name for _, operation in OPERATIONS],
)


@EVERY
def test_a_service_speaks_as_its_model_says(service: Service) -> None:
    metadata = model(service.name).metadata
    assert metadata["protocol"] == ("json" if service.target else "rest-json")
    named = metadata.get("targetPrefix", ""), metadata.get("jsonVersion", "")
    assert (service.target, service.json_version) == (named if service.target else ("", ""))
    assert service.signing_name == metadata.get("signingName", metadata["endpointPrefix"])
    assert metadata["signatureVersion"] == "v4"
    assert service.headers == ({"x-amzn-query-mode": "true"} if "awsQueryCompatible" in metadata else {})


@EVERY_OPERATION
def test_an_operation_is_one_of_the_service(service: Service, method: str, operation: Operation) -> None:
    described = model(service.name).operation_model(operation.name)
    assert method == xform_name(operation.name)
    assert (described.http["method"], described.http["requestUri"]) == ("POST", operation.path)
    members = described.input_shape.members.values() if described.input_shape else ()
    assert not [each for each in members if "location" in each.serialization], "a parameter that is not in the body"
    assert [operation.token] if operation.token else described.idempotent_members == []
    assert described.endpoint is None, "its host has a prefix of its own"


@EVERY_OPERATION
def test_an_answer_needs_no_conversion(service: Service, method: str, operation: Operation) -> None:
    shape = model(service.name).operation_model(operation.name).output_shape
    converted = set(kinds(shape, ())) if shape else set()
    binary = {path for path in converted if path[-1] in {"B", "BS"}}  # decoded by ``binary``
    assert converted - binary == set()


def kinds(shape: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Where in a shape a value is that botocore would convert."""
    match shape.type_name:
        case "timestamp" | "blob":
            yield path
        case "structure" if shape.name not in path:
            for name, member in shape.members.items():
                yield from kinds(member, (*path, shape.name, name))
        case "list":
            yield from kinds(shape.member, path)
        case "map":
            yield from kinds(shape.value, path)
        case _:
            pass


@pytest.mark.parametrize("method", PAGES)
def test_pages_follow_each_other_as_botocore_says(method: str) -> None:
    [(service, operation)] = [(service, op) for service, (name, op) in OPERATIONS if name == method]
    configured = Session().get_component("data_loader").load_service_model(service.name, "paginators-1")
    paged = configured["pagination"][operation.name]
    assert PAGES[method] == (paged["output_token"], paged["input_token"])


@EVERY
def test_a_service_is_where_botocore_says_in_every_region(service: Service) -> None:
    session = Session()
    load = session.get_component("data_loader")
    rules = EndpointProvider(load.load_service_model(service.name, "endpoint-rule-set-1"), load.load_data("partitions"))
    regions = [region for part in ("aws", "aws-cn") for region in session.get_available_regions("dynamodb", part)]
    assert len(regions) > 25
    for region in regions:
        theirs = rules.resolve_endpoint(Region=region, UseDualStack=False, UseFIPS=False)
        found = endpoint_in({"AWS_DEFAULT_REGION": region}, service)
        assert found is not None, region
        assert (found.url, found.region) == (theirs.url, region)


@EVERY
def test_the_environment_may_name_another_address(service: Service) -> None:
    region = {"AWS_DEFAULT_REGION": "cn-north-1"}
    own = region | {"AWS_ENDPOINT_URL": "https://all.example/x", service.endpoint_variable: "http://one.example:81"}

    def url(environment: dict[str, str]) -> str:
        found = endpoint_in(environment, service)
        assert found is not None
        return found.url

    assert url(own) == "http://one.example:81"
    assert url(own | {service.endpoint_variable: ""}) == "https://all.example/x"
    assert "amazonaws.com.cn" in url(own | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})


@EVERY
def test_the_variable_of_an_address_is_botocores(service: Service) -> None:
    name = model(service.name).service_id.replace(" ", "_").upper()
    assert service.endpoint_variable == f"AWS_ENDPOINT_URL_{name}"


def test_without_a_region_only_botocore_knows_the_address() -> None:
    assert endpoint_in({}, SERVICES["sqs"]) is None
    assert (
        endpoint_in({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_CONFIG_FILE": "/home/one/config"}, SERVICES["sqs"]) is None
    )
    assert endpoint_in({"AWS_DEFAULT_REGION": "us-iso-east-1"}, SERVICES["sqs"]) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://sqs.eu-west-1.amazonaws.com", ("sqs.eu-west-1.amazonaws.com", 443, True, "/", "sqs.eu-west-1.amazonaws.com")),
        ("http://127.0.0.1:4566/", ("127.0.0.1", 4566, False, "/", "127.0.0.1:4566")),
        ("http://[::1]:4566/base", ("::1", 4566, False, "/base", "[::1]:4566")),
        ("http://host.example", ("host.example", 80, False, "/", "host.example")),
    ],
)  # fmt: skip
def test_an_address_is_taken_apart(url: str, expected: tuple[str, int, bool, str, str]) -> None:
    found = Endpoint.of(url, "eu-west-1")
    assert (found.host, found.port, found.tls, found.path, found.authority) == expected


@pytest.mark.parametrize("url", ["", "sqs.example", "ftp://sqs.example", "https://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Endpoint.of(url, "eu-west-1")


def test_what_is_repeated_is_what_botocore_repeats() -> None:
    assert set(TransientRetryableChecker._TRANSIENT_STATUS_CODES) == retries.TRANSIENT_STATUS
    assert set(TransientRetryableChecker._TRANSIENT_ERROR_CODES) == retries.TRANSIENT_CODES
    assert set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) == retries.THROTTLED_CODES


@EVERY
def test_repetitions_are_spread_as_botocore_spreads_them(service: Service) -> None:
    slots = ExponentialBackoff._SERVICE_BACKOFF_CONFIG.get(service.name, ExponentialBackoff._DEFAULT_BACKOFF_CONFIG)
    assert service.slot == slots["non_throttling_base_scale"]
    assert ExponentialBackoff._DEFAULT_BACKOFF_CONFIG["throttling_base_scale"] == retries.THROTTLED_SLOT
    assert ExponentialBackoff._MAX_BACKOFF == retries.LONGEST_WAIT


def test_the_null_device_as_a_file_of_settings_says_nothing() -> None:
    assert endpoint_in({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_CONFIG_FILE": os.devnull}, SERVICES["sqs"]) is not None
