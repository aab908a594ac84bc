"""The stores of the engine, as fakes and on DynamoDB in moto by either client: all pass the same tests."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.adapters.on_moto import ClientOnMoto, calls_in_line
from tests.adapters.stores import REGION, Stores, dynamo_stores, fake_stores
from tests.fakes.clock import FakeClock
from waypost.aws.table import profiles_table

_numbers = count()


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


def made_table(dynamodb: Any) -> str:
    """The name of a new table of contacts, with that of profiles beside it."""
    name = f"contacts-{next(_numbers)}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in ("pk", "sk", "due_shard", "due_at")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )
    dynamodb.create_table(
        TableName=profiles_table(name),
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "contact_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "contact_id", "KeyType": "HASH"}],
    )
    return name


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
