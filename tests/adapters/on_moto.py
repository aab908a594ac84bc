"""The client that adapters call in production, on AWS as moto plays it."""

from collections.abc import Callable, Mapping
from itertools import count
from threading import RLock
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber
from moto.dynamodb.models import DynamoDBBackend

from waypost.aws.json_services.client import JsonClient
from waypost.aws.json_services.connections import Answer
from waypost.aws.json_services.credentials import DefaultCredentials
from waypost.aws.json_services.endpoints import Endpoint
from waypost.aws.json_services.services import SERVICES
from waypost.aws.table import profiles_table

ATTEMPTS = 4
_numbers = count()


class MotoTransport:
    """A Transport into moto's backends, without a socket."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = endpoint.url

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """See Transport."""
        request = AWSPreparedRequest(
            "POST", self._url + path, HTTPHeaders.from_dict(headers), body, stream_output=False
        )
        response = botocore_stubber("before-send", request)
        assert response is not None, "moto plays no such service"
        return Answer(
            response.status_code,
            {name.lower(): str(value) for name, value in response.headers.items()},
            response.content,
        )


class ClientOnMoto:
    """A JsonClient, and boto3's client for what tests do around it: make tables and queues, read what was sent."""

    def __init__(self, service: str, region: str) -> None:
        self._known = SERVICES[service]
        self._stock = boto3.client(service, region_name=region)
        endpoint = Endpoint.of(self._stock.meta.endpoint_url, region)
        self._ours = JsonClient(
            self._known,
            endpoint,
            transport=MotoTransport(endpoint),
            credentials=DefaultCredentials(),
            attempts=ATTEMPTS,
            wait=lambda _: None,
        )

    def __getattr__(self, name: str) -> Any:
        ours = name in self._known.operations or name == "get_paginator"
        return getattr(self._ours if ours else self._stock, name)


def calls_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto's DynamoDB do one call at a time: it checks a condition and writes in two steps, DynamoDB does both at once."""
    lock = RLock()

    def in_line(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            with lock:
                return call(*given, **named)

        return called

    for name in ("get_item", "query", "put_item", "update_item", "delete_item", "transact_write_items"):
        monkeypatch.setattr(DynamoDBBackend, name, in_line(getattr(DynamoDBBackend, name)))


def made_table(dynamodb: Any, name: str = "") -> str:
    """The name of a new table of contacts, with that of profiles beside it."""
    name = name or f"contacts-{next(_numbers)}"
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
