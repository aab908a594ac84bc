"""Unpacks each layer and each function's code once, for all worker processes. Used by the emulator process.

MiniStack writes and unpacks all layers for every worker: 18 MB and 3,000 files, a second or more each time. The unpacked
content is only read, so workers can share it.
"""

import hashlib
import shutil
import struct
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.cloud.ministack_corrections.replacing import Function, replace

KEPT = 40
"""Unpacked archives kept; the ones unpacked longest ago go first."""
_MANY_FILES = 8
_END = struct.Struct("<4sHHHHIIH")
"""The end of an archive: its mark, four counts of disks and files, length and start of the directory, length of a comment."""
_UNPACKED: Final = b"unpacked before: "
"""Begins what stands for an archive that was unpacked before; the archive's digest follows."""

_thread = threading.local()


class UnpackedCode:
    """The content of archives, each in a folder under ``cache`` named by its digest."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self._cache = cache
        for old in sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)

    def folder(self, archive: bytes) -> Path | None:
        """Where the content is or belongs; None for an archive of few files, which is not shared."""
        digest = _digest(archive)
        return self._cache / digest if digest else None

    def stand_in(self, archive: bytes) -> bytes:
        """What may be written in place of the archive: less, if it was unpacked before."""
        folder = self.folder(archive)
        return _UNPACKED + folder.name.encode() if folder and folder.exists() else archive

    def scratch(self) -> Path:
        """A folder to unpack into, to be renamed when it is complete."""
        return Path(tempfile.mkdtemp(dir=self._cache))


def share_unpacked_code(cache: Path) -> UnpackedCode:
    """Make the workers of this process use unpacked archives in ``cache``."""
    unpacked = UnpackedCode(cache)

    class SharedZipFile(zipfile.ZipFile):
        """A ZipFile whose ``extractall`` puts a link to the shared content in place of the empty folder ``path``.

        An archive that was unpacked before is not even read: its directory, as it stands in the file, tells it from others.
        """

        def __init__(self, file: str, *arguments: Any, **options: Any) -> None:
            self._shared = unpacked.folder(Path(file).read_bytes())
            self._known = self._shared is not None and self._shared.exists()
            if self._known:
                self.fp = None  # there is nothing to close
            else:
                super().__init__(file, *arguments, **options)

        def namelist(self) -> list[str]:
            """The names to check before unpacking: none of an archive that was checked and unpacked before."""
            return [] if self._known else super().namelist()

        def extractall(self, path: Any = None, *arguments: Any, **options: Any) -> None:
            """Unpack, or use what another worker has unpacked."""
            if path is None or self._shared is None:
                super().extractall(path, *arguments, **options)
                return
            if not self._known:
                scratch = unpacked.scratch()
                super().extractall(scratch)
                try:
                    scratch.rename(self._shared)
                except OSError:  # another worker was faster
                    shutil.rmtree(scratch)
            Path(path).rmdir()
            Path(path).symlink_to(self._shared, target_is_directory=True)

    names = {name: getattr(zipfile, name) for name in ("BadZipFile", "LargeZipFile")}
    lambda_runtime.zipfile = SimpleNamespace(**names, LargeFileError=zipfile.LargeZipFile, ZipFile=SharedZipFile)
    _write_little_of_known_layers(unpacked)
    return unpacked


def _write_little_of_known_layers(unpacked: UnpackedCode) -> None:
    """A worker that starts writes each of its layers to a file and removes it at its end; a stand-in is enough."""

    def resolving(original: Function) -> Function:
        def resolve(attachment: Any) -> bytes | None:
            content: bytes | None = original(attachment)
            starts_worker = getattr(_thread, "starts_worker", False)
            return unpacked.stand_in(content) if content is not None and starts_worker else content

        return resolve

    def starting(original: Function) -> Function:
        def spawn(worker: Any) -> Any:
            _thread.starts_worker = True
            try:
                return original(worker)
            finally:
                _thread.starts_worker = False

        return spawn

    replace(lambda_svc, "_resolve_layer_zip", resolving)
    replace(lambda_runtime.Worker, "_spawn", starting)


def _digest(archive: bytes) -> str:
    """A name for the content of an archive: its directory has a checksum of every file. "" for one of few files.

    The directory is named at the end (APPNOTE.TXT of the ZIP format, section 4.3.16); an archive with a comment or in the
    format for more than 65,535 files has its end elsewhere and is not shared.
    """
    if archive.startswith(_UNPACKED):
        return archive.removeprefix(_UNPACKED).decode()
    end = archive[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        return ""
    _, _, _, _, files, length, start, _ = _END.unpack(end)
    if not _MANY_FILES <= files < 0xFFFF:
        return ""
    return hashlib.sha256(memoryview(archive)[start : start + length]).hexdigest()[:20]
