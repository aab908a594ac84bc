"""Files on S3: read in ranges, written in bounded pieces, and what happens when the network or another writer interferes."""

import io
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.adapters.stores import REGION
from tests.fakes.files import EVERYTHING
from waypost.aws import files as adapter
from waypost.aws.files import S3Files
from waypost.errors import InvalidInput, ServiceRefused, TemporarilyUnavailable
from waypost.files.folders import Folders
from waypost.files.ports import StoredFile

BUCKET = "waypost-dev-files"


@pytest.fixture(scope="module")
def s3(aws: None) -> Any:
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture
def files(s3: Any, monkeypatch: pytest.MonkeyPatch) -> S3Files:
    monkeypatch.setattr(adapter, "BLOCK", 10)
    return S3Files(s3, BUCKET, EVERYTHING)


class Faulty:
    """A client one of whose calls fails now and then."""

    def __init__(self, client: Any, call: str, *errors: Exception) -> None:
        self._client, self._call, self._errors = client, call, list(errors)
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name != self._call:
            return real

        def call(**request: Any) -> Any:
            self.calls.append(request)
            if self._errors:
                raise self._errors.pop(0)
            return real(**request)

        return call


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject")


def written(files: S3Files, key: str, content: bytes) -> StoredFile:
    files.write(key, content)
    found = files.find(key)
    assert found is not None
    return found


def test_a_file_is_found_with_its_size_and_what_is_missing_is_not(files: S3Files) -> None:
    assert written(files, "imports/a.csv", b"hello").size == 5
    assert files.read("imports/a.csv") == b"hello"
    assert files.find("imports/nothing.csv") is None
    assert files.read("imports/nothing.csv") is None


def test_a_file_is_listed_with_those_of_its_folder(files: S3Files) -> None:
    for name in ("b", "a", "c"):
        files.write(f"work/list/{name}", name.encode())
    assert [file.key for file in files.listed("work/list/")] == ["work/list/a", "work/list/b", "work/list/c"]
    assert list(files.listed("work/nobody/")) == []


def test_what_is_written_once_stays(files: S3Files) -> None:
    assert files.write_once("work/once", b"first")
    assert not files.write_once("work/once", b"second")
    assert files.read("work/once") == b"first"


def test_a_file_is_read_block_by_block_between_two_places(files: S3Files) -> None:
    content = bytes(range(256))
    found = written(files, "imports/b.bin", content)
    assert files.stream(found).read() == content
    assert files.stream(found, start=7, end=33).read() == content[7:33]
    assert files.stream(found, start=250, end=999).read() == content[250:]
    assert files.stream(found, start=256).read() == b""


def test_lines_can_be_read_and_places_sought(files: S3Files) -> None:
    found = written(files, "imports/c.txt", b"one\ntwo\nthree and more\nfour")
    stream = files.stream(found, start=4)
    assert list(stream) == [b"two\n", b"three and more\n", b"four"]
    stream.seek(0)
    assert (stream.readline(), stream.tell()) == (b"two\n", 4)
    assert stream.seek(-4, io.SEEK_END) == 19
    assert stream.read() == b"four"


def test_a_broken_answer_is_read_again_from_its_block(files: S3Files, s3: Any) -> None:
    found = written(files, "imports/d.txt", b"0123456789abcdefghij")
    broken = [ReadTimeoutError(endpoint_url="https://s3"), ReadTimeoutError(endpoint_url="https://s3")]
    client = Faulty(s3, "get_object", *broken)
    assert S3Files(client, BUCKET, EVERYTHING).stream(found).read() == b"0123456789abcdefghij"
    assert [call["Range"] for call in client.calls] == ["bytes=0-9"] * 3 + ["bytes=10-19"]


def test_an_answer_that_stays_broken_is_to_be_tried_later(files: S3Files, s3: Any) -> None:
    found = written(files, "imports/e.txt", b"x")
    for read in ("stream", "read"):
        broken = [ReadTimeoutError(endpoint_url="https://s3") for _ in range(adapter.ATTEMPTS)]
        failing = S3Files(Faulty(s3, "get_object", *broken), BUCKET, EVERYTHING)
        with pytest.raises(TemporarilyUnavailable):
            failing.stream(found).read() if read == "stream" else failing.read("imports/e.txt")


def test_a_file_that_was_replaced_or_removed_meanwhile_says_so(files: S3Files, s3: Any) -> None:
    found = written(files, "imports/f.txt", b"first")
    files.write("imports/f.txt", b"second")
    with pytest.raises(InvalidInput, match="was replaced or removed"):
        files.stream(found).read()
    s3.delete_object(Bucket=BUCKET, Key="imports/f.txt")
    with pytest.raises(InvalidInput, match="was replaced or removed"):
        files.stream(found).read()


def test_a_role_that_may_not_list_everything_can_tell_missing_from_forbidden(files: S3Files, s3: Any) -> None:
    files.write("work/forbidden", b"x")
    for code in ("403", "AccessDenied"):
        missing = S3Files(
            Faulty(Faulty(s3, "head_object", refused(code)), "get_object", refused(code)), BUCKET, EVERYTHING
        )
        assert missing.find("work/forbidde") is None
        assert missing.read("work/forbidde") is None
        forbidden = S3Files(
            Faulty(Faulty(s3, "head_object", refused(code)), "get_object", refused(code)), BUCKET, EVERYTHING
        )
        for look in (forbidden.find, forbidden.read):
            with pytest.raises(ServiceRefused):
                look("work/forbidden")


def test_a_small_file_is_one_call_and_a_large_one_an_upload_in_parts(files: S3Files, s3: Any) -> None:
    with files.writer("exports/small.csv", content_type="text/csv") as writer:
        writer.write(b"a,b\n")
    assert s3.head_object(Bucket=BUCKET, Key="exports/small.csv")["ContentType"] == "text/csv"
    line = bytes(1024 * 1024)
    with files.writer("exports/large.bin") as writer:
        for _ in range(19):
            writer.write(line)
    found = files.find("exports/large.bin")
    assert found is not None
    assert found.size == 19 * len(line)
    assert found.tag.endswith("-3"), "two full parts and the rest"


@pytest.mark.parametrize("megabytes", [1, 12])
def test_a_file_that_was_not_finished_is_none(files: S3Files, s3: Any, megabytes: int) -> None:
    def half() -> None:
        with files.writer("exports/half.bin") as writer:
            writer.write(bytes(megabytes * 1024 * 1024))
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        half()
    assert files.find("exports/half.bin") is None
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_part_that_is_refused_is_an_error_of_ours(s3: Any) -> None:
    failing = S3Files(Faulty(s3, "upload_part", refused("SlowDown")), BUCKET, EVERYTHING)
    with pytest.raises(TemporarilyUnavailable, match="SlowDown"), failing.writer("exports/slow.bin") as writer:
        writer.write(bytes(9 * 1024 * 1024))
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_service_works_in_its_folders_and_in_no_others(s3: Any) -> None:
    files = S3Files(s3, BUCKET, Folders(reads=("uploads/",), writes=("work/",)))
    files.write("work/a", b"a")
    assert list(files.listed("uploads/")) == []
    refused: list[Callable[[], object]] = [
        lambda: files.find("work/a"),
        lambda: files.read("work/a"),
        lambda: list(files.listed("")),
        lambda: files.stream(StoredFile("work/a", 1, "tag")),
        lambda: files.write("uploads/a", b""),
        lambda: files.write_once("uploads/a", b""),
        lambda: files.writer("uploads/a").__enter__(),
    ]
    for call in refused:
        with pytest.raises(ServiceRefused, match="is wired to"):
            call()
    assert S3Files(s3, BUCKET, EVERYTHING).read("work/a") == b"a"
