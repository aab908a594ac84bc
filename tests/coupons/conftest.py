"""The coupon stores under test: the fake, and DynamoDB's conditions on moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.adapters.on_moto import calls_in_line, made_table
from tests.fakes.clock import FakeClock
from tests.fakes.coupons import FakeCoupons
from waypost.aws.coupons import DynamoCoupons
from waypost.coupons.coupon import CouponStore


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mock_aws():
        calls_in_line(monkeypatch)
        client = boto3.client("dynamodb", "eu-west-1")
        made_table(client, "contacts")
        yield client


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest, client: Any) -> CouponStore:
    return FakeCoupons() if request.param == "fake" else DynamoCoupons(client, "contacts")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2031-03-03T04:00:00.000Z")
