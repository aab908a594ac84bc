"""The bucket of files on S3: ranged reads and bounded writes, so that memory does not grow with a file. See Files."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, Final

from botocore.exceptions import BotoCoreError, ClientError

from waypost.aws import table
from waypost.aws.translation import translate, translates_errors
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.files.folders import Folders
from waypost.files.ports import StoredFile

BLOCK: Final = 4 * 1024 * 1024
"""Bytes of one ranged read: read at once and closed, so that S3 does not hang up on a reader that takes its time."""

PART: Final = 8 * 1024 * 1024
"""Bytes of one part of an upload; S3 takes 10,000 parts of at least 5 MiB, so a file may have 80 GiB.
Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"."""

ATTEMPTS: Final = 4
"""Of one ranged read whose answer broke off: the SDK tries requests again, not bodies."""

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_FORBIDDEN: Final = frozenset({"403", "AccessDenied"})
"""What S3 says of a file that is not there to a caller who may list only some folders. Source: Amazon S3 API Reference,
"HeadObject": 404 with s3:ListBucket, else 403; our permission to list names prefixes, which these requests do not."""

_EXISTS: Final = "PreconditionFailed"
_CHANGED: Final = frozenset({"PreconditionFailed", "412"})
_CONFLICT: Final = "ConditionalRequestConflict"


@translates_errors
@dataclass(frozen=True, slots=True)
class S3Files:
    """Files in some folders of one S3 bucket; ``client`` is boto3's for ``s3``. Raises ServiceRefused for other keys."""

    client: Any
    bucket: str
    folders: Folders

    def find(self, key: str) -> StoredFile | None:
        """See Files."""
        self.folders.check_read(key)
        try:
            answer = self.client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if self._is_missing(key, error):
                return None
            raise
        return StoredFile(key, answer["ContentLength"], answer["ETag"].strip('"'))

    def listed(self, prefix: str) -> Iterator[StoredFile]:
        """See Files."""
        self.folders.check_read(prefix)
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield StoredFile(item["Key"], item["Size"], item["ETag"].strip('"'))

    def read(self, key: str) -> bytes | None:
        """See Files."""
        self.folders.check_read(key)
        for attempt in range(ATTEMPTS):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=key)
                content: bytes = answer["Body"].read()
            except ClientError as error:
                if self._is_missing(key, error):
                    return None
                raise
            except BotoCoreError:  # the body broke off
                if attempt + 1 == ATTEMPTS:
                    raise
                continue
            return content
        return None

    def stream(self, file: StoredFile, *, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Files."""
        self.folders.check_read(file.key)
        stop = file.size if end is None else min(end, file.size)
        return io.BufferedReader(_Ranged(self.client, self.bucket, file, start, stop), buffer_size=64 * 1024)

    def write(self, key: str, content: bytes) -> None:
        """See Files."""
        self.folders.check_write(key)
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def write_once(self, key: str, content: bytes) -> bool:
        """See Files."""
        self.folders.check_write(key)
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            code = table.error_code(error)
            if code == _CONFLICT:  # another process is writing the key at this moment
                raise TemporarilyUnavailable(f"PutObject: {code}") from error
            if code != _EXISTS:
                raise
            return False
        return True

    def _is_missing(self, key: str, error: ClientError) -> bool:
        code = table.error_code(error)
        if code in _FORBIDDEN:
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
            return all(item["Key"] != key for item in answer.get("Contents", []))
        return code in _MISSING

    def link(self, key: str, *, life: timedelta) -> str:
        """See Files. Signed here; it ends earlier with the credentials that sign it."""
        self.folders.check_read(key)
        parameters = {"Bucket": self.bucket, "Key": key}
        link: str = self.client.generate_presigned_url(
            "get_object", Params=parameters, ExpiresIn=int(life.total_seconds())
        )
        return link

    @contextmanager
    def writer(self, key: str, *, content_type: str = "") -> Iterator["S3Writer"]:
        """See Files."""
        self.folders.check_write(key)
        writer = S3Writer(self.client, self.bucket, key, content_type)
        try:
            yield writer
            writer.finish()
        except BaseException:
            writer.abandon()
            raise


class S3Writer:
    """A FileWriter: one PutObject when the content is small, an upload in parts when it is not."""

    def __init__(self, client: Any, bucket: str, key: str, content_type: str) -> None:
        self._client = client
        self._target = {"Bucket": bucket, "Key": key}
        self._kind = {"ContentType": content_type} if content_type else {}
        self._waiting = bytearray()
        self._upload = ""
        self._parts: list[dict[str, Any]] = []

    def write(self, content: bytes) -> None:
        """See FileWriter."""
        self._waiting += content
        while len(self._waiting) >= PART:
            self._send(bytes(self._waiting[:PART]))
            del self._waiting[:PART]

    def finish(self) -> None:
        """Send what is left; only now there is a file."""
        try:
            if not self._upload:
                self._client.put_object(**self._target, **self._kind, Body=bytes(self._waiting))
                return
            if self._waiting:
                self._send(bytes(self._waiting))
            self._client.complete_multipart_upload(
                **self._target, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        except (ClientError, BotoCoreError) as error:
            raise translate(error) from error

    def abandon(self) -> None:
        """Leave nothing behind; the bucket's own rule clears away what this cannot."""
        if self._upload:
            try:
                self._client.abort_multipart_upload(**self._target, UploadId=self._upload)
            except (ClientError, BotoCoreError):
                return

    def _send(self, content: bytes) -> None:
        try:
            if not self._upload:
                self._upload = self._client.create_multipart_upload(**self._target, **self._kind)["UploadId"]
            number = len(self._parts) + 1
            answer = self._client.upload_part(**self._target, UploadId=self._upload, PartNumber=number, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise translate(error) from error
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})


class _Ranged(io.RawIOBase):
    """A file between two offsets, read block by block, always of the version that was found."""

    def __init__(self, client: Any, bucket: str, file: StoredFile, start: int, stop: int) -> None:
        super().__init__()
        self._client, self._bucket, self._file = client, bucket, file
        self._start, self._stop = start, stop
        self._at = start
        self._block, self._block_start = b"", start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._stop}[whence]
        self._at = max(self._start, origin + offset)
        return self.tell()

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._stop:
            return 0
        inside = self._at - self._block_start
        if not 0 <= inside < len(self._block):
            self._block, self._block_start = self._fetch(self._at), self._at
            inside = 0
        taken = self._block[inside : inside + len(buffer)]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)

    def _fetch(self, start: int) -> bytes:
        last = min(start + BLOCK, self._stop) - 1
        for attempt in range(ATTEMPTS):
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._file.key, Range=f"bytes={start}-{last}", IfMatch=self._file.tag
                )
                content: bytes = answer["Body"].read()
            except ClientError as error:
                if table.error_code(error) in _CHANGED | _MISSING:
                    raise InvalidInput(
                        "file", f"{self._file.key} was replaced or removed meanwhile; start again with the new file"
                    ) from error
                raise translate(error) from error
            except BotoCoreError as error:
                if attempt + 1 == ATTEMPTS:
                    raise translate(error) from error
                continue
            return content
        raise TemporarilyUnavailable("GetObject: no answer")  # the loop above returns or raises
