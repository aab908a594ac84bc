"""The stores of the engine, as fakes and on DynamoDB in moto by either client: all pass the same tests."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.adapters.on_moto import ClientOnMoto, calls_in_line, made_table
from tests.adapters.stores import REGION, Stores, dynamo_stores, fake_stores
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """An AWS account in moto, with credentials that open nothing."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            yield


@pytest.fixture(scope="module")
def dynamodb(aws: None) -> Any:
    """A DynamoDB client, as adapters have it."""
    return ClientOnMoto("dynamodb", REGION)


@pytest.fixture(scope="module")
def stock_dynamodb(aws: None) -> Any:
    """boto3's DynamoDB client, as bulk runs have it, and adapters where the environment asks for what only botocore does."""
    return boto3.client("dynamodb", region_name=REGION)


@pytest.fixture
def table(dynamodb: Any) -> str:
    """The empty tables of contacts and of profiles, as the stack makes them; the name of the first."""
    return made_table(dynamodb)


@pytest.fixture
def two_tables(dynamodb: Any) -> tuple[str, str]:
    """The tables of two systems."""
    return made_table(dynamodb), made_table(dynamodb)


@pytest.fixture(params=["fake", "dynamodb", "stock_dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """The stores, in each form."""
    if request.param == "fake":
        return fake_stores()
    return dynamo_stores(request.getfixturevalue(request.param), request.getfixturevalue("table"))


@pytest.fixture
def clock() -> FakeClock:
    """Monday, 10:00 in Shanghai."""
    return FakeClock("2027-03-01T02:00:00.000Z")


@pytest.fixture(autouse=True)
def one_write_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes on moto are as atomic as DynamoDB's."""
    calls_in_line(monkeypatch)
