"""Operations, parameters and error codes of the adapters, against botocore's model. ``recording`` checks each call of each test."""

from pathlib import Path
from typing import Any

import pytest
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from tests.adapters import recording
from tests.adapters.botocore_model import (
    FINAL,
    TEMPORARY,
    UNDECLARED,
    CallSite,
    RecordedCall,
    all_declared_codes,
    call_sites,
    declared_codes,
    handled_codes,
    model,
    operations,
    strangers,
    violations,
)
from waypost.aws.translation import is_temporary


def test_every_called_operation_exists() -> None:
    assert len(call_sites()) > 50
    assert [str(site) for site in call_sites() if site.method not in operations()] == []


def test_every_client_is_named_client() -> None:
    assert strangers() == []


def test_every_handled_error_code_is_declared_or_documented() -> None:
    codes = handled_codes()
    assert len(codes) > 20
    declared = {module: declared_codes(module) for module in {each.module for each in codes}}
    unknown = [
        each for each in codes if each.code not in declared[each.module] | UNDECLARED.get(each.module, {}).keys()
    ]
    assert unknown == []


def test_every_declared_error_that_passes_is_temporary() -> None:
    sounding = {code for code in all_declared_codes() if TEMPORARY.search(code)}
    assert {code for code in sounding - FINAL.keys() if not is_temporary(code)} == set()
    assert [code for code in FINAL if is_temporary(code)] == []
    assert FINAL.keys() <= sounding


@pytest.mark.parametrize(
    "code",
    [
        *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
        *TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        "OperationAborted",
    ],
)
def test_what_botocore_tries_again_is_temporary(code: str) -> None:
    assert is_temporary(code)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "found"),
    [
        ("sqs", "SendMessage", {"QueueUrl": "q"}, "SendMessage: MessageBody is missing"),
        ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "b", "Delay": 1}, "SendMessage: Delay is unknown"),
        ("sqs", "SendMessage", {"QueueUrl": "q", "MessageBody": "b", "DelaySeconds": "1"}, "SendMessage.DelaySeconds: a str is no integer"),
        ("dynamodb", "GetItem", {"TableName": "", "Key": {}}, "GetItem.TableName: 0 is below 1"),
        ("dynamodb", "Query", {"TableName": "t", "Select": "EVERYTHING"}, "not one of"),
        ("dynamodb", "BatchGetItem", {"RequestItems": {}}, "BatchGetItem.RequestItems: 0 is below 1"),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{}] * 101}, "TransactWriteItems.TransactItems: 101 is above 100"),
        ("scheduler", "DeleteSchedule", {"Name": "a b"}, "does not match"),
        ("stepfunctions", "SendTaskFailure", {"taskToken": "t", "cause": "x" * 40_000}, "40000 is above 32768"),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": 5}, "PutObject.Body: a int is no blob"),
    ],
)  # fmt: skip
def test_a_call_that_the_model_forbids_is_found(
    service: str, operation: str, parameters: dict[str, Any], found: str
) -> None:
    shape = model(service).operation_model(operation).input_shape
    assert any(found in each for each in violations(shape, parameters, operation))


def test_a_call_that_no_test_makes_is_named(tmp_path: Path) -> None:
    source = tmp_path / "orders.py"
    source.write_text(
        "class Orders:\n"
        "    def put(self):\n"
        "        self.client.put_item(\n"
        "            TableName='t',\n"
        "        )\n"
        "    def put_again(self):\n"
        "        self._client.put_item(TableName='t')\n"
        "    def pages(self):\n"
        "        pages = self.client.get_paginator('query')\n"
        "        yield from pages.paginate()\n"
    )
    sites = call_sites(tmp_path)
    assert [str(site) for site in sites] == [
        "orders.py:3 Orders.put: put_item",
        "orders.py:7 Orders.put_again: put_item",
        "orders.py:9 Orders.pages: query",
    ]
    calls = {
        RecordedCall("orders.py", "Orders.put", 4, "put_item"),
        RecordedCall("orders.py", "Orders.pages", 10, "query"),
    }
    assert recording.never_made(sites, calls) == [CallSite("orders.py", "Orders.put_again", 7, 7, "put_item")]


def test_a_client_under_another_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text("def put(sqs):\n    sqs.send_message(QueueUrl='q')\n    table.query(client)\n")
    assert strangers(tmp_path) == ["orders.py:2: sqs.send_message", "orders.py:3: table.query"]
