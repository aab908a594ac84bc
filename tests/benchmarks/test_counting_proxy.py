"""What a call is measured by, without a call."""

from benchmarks.counting_proxy import (
    Call,
    is_note,
    is_shared,
    operation_of,
    operations,
    without_filter,
    written_items,
)


def test_a_query_is_measured_without_its_filter_and_projection() -> None:
    query = {
        "TableName": "contacts",
        "KeyConditionExpression": "#pk = :pk AND begins_with(sk, :prefix)",
        "FilterExpression": "#status IN (:active, :leaving)",
        "ProjectionExpression": "sk",
        "ConsistentRead": True,
        "ExpressionAttributeNames": {"#pk": "pk", "#status": "status"},
        "ExpressionAttributeValues": {
            ":pk": {"S": "contact#1"},
            ":prefix": {"S": "enrolment#"},
            ":active": {"S": "active"},
            ":leaving": {"S": "leaving"},
        },
    }

    assert without_filter(query) == {
        "TableName": "contacts",
        "KeyConditionExpression": "#pk = :pk AND begins_with(sk, :prefix)",
        "ConsistentRead": True,
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "contact#1"}, ":prefix": {"S": "enrolment#"}},
    }


def test_every_part_of_a_transaction_is_measured() -> None:
    put, update = {"TableName": "contacts", "Item": {}}, {"TableName": "contacts", "Key": {}}

    assert written_items("TransactWriteItems", {"TransactItems": [{"Put": put}, {"Update": update}]}) == [put, update]
    assert written_items("PutItem", put) == [put]


def test_calls_are_counted_by_function_service_and_operation() -> None:
    read = Call(function="send_message", service="dynamodb", operation="BatchGetItem", status=200)
    write = Call(function="send_message", service="dynamodb", operation="UpdateItem", status=400)

    assert operations([read, write, read]) == {
        ("send_message", "dynamodb", "BatchGetItem"): 2,
        ("send_message", "dynamodb", "UpdateItem"): 1,
    }


def test_the_operation_is_named_by_a_header_in_any_case() -> None:
    assert operation_of({"x-amz-target": "DynamoDB_20120810.PutItem"}) == "PutItem"
    assert operation_of({"X-Amz-Target": "AmazonSQS.SendMessageBatch", "Host": "here"}) == "SendMessageBatch"
    assert operation_of({"Host": "here"}) == ""


def test_what_notes_a_due_enrolment_is_known_by_its_key() -> None:
    assert is_note({"Item": {"pk": {"S": "due#enrolment#3"}, "sk": {"S": "2031-03-10T09:00:00.000Z#c-1#n-1"}}})
    assert not is_note({"Item": {"pk": {"S": "contact#c-1"}, "sk": {"S": "deferred#n-1#m-1"}}})
    assert not is_note({"Item": {"contact_id": {"S": "c-1"}}})


def test_what_a_process_reads_once_a_minute_is_known_by_its_key() -> None:
    assert is_shared({"Key": {"pk": {"S": "policy#sending"}, "sk": {"S": "current"}}})
    assert not is_shared({"Key": {"pk": {"S": "contact#c-1"}, "sk": {"S": "touches"}}})
    assert not is_shared({"Key": {"contact_id": {"S": "c-1"}}})
