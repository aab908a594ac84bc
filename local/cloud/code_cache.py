"""Unpacks each layer and each function's code once, for all worker processes. Used by the emulator process.

MiniStack unpacks all layers for every worker: 3,000 files, a second or more each time. The unpacked content is only
read, so workers can share it.
"""

import hashlib
import os
import shutil
import struct
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

KEPT = 40
"""Unpacked archives kept; the ones unpacked longest ago go first."""
_MANY_FILES = 8
_END = struct.Struct("<4sHHHHIIH")
"""The end of an archive: its mark, four counts of disks and files, length and start of the directory, length of a comment."""


def share_unpacked_code(cache: Path) -> None:
    """Make the workers of this process use unpacked archives in ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    for old in sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)

    class SharedZipFile(zipfile.ZipFile):
        """A ZipFile whose ``extractall`` puts a link to the shared content in place of the empty folder ``path``.

        An archive that was unpacked before is not even read: its directory, as it stands in the file, tells it from others.
        """

        def __init__(self, file: str, *arguments: Any, **options: Any) -> None:
            digest = _digest(Path(file))
            self._shared = cache / digest if digest else None
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
                scratch = Path(tempfile.mkdtemp(dir=cache))
                super().extractall(scratch)
                try:
                    scratch.rename(self._shared)
                except OSError:  # another worker was faster
                    shutil.rmtree(scratch)
            Path(path).rmdir()
            Path(path).symlink_to(self._shared, target_is_directory=True)

    names = {name: getattr(zipfile, name) for name in ("BadZipFile", "LargeZipFile")}
    lambda_runtime.zipfile = SimpleNamespace(**names, LargeFileError=zipfile.LargeZipFile, ZipFile=SharedZipFile)


def _digest(archive: Path) -> str:
    """A name for the content of an archive: its directory has a checksum of every file. "" for one of few files.

    The directory is named at the end of the file (APPNOTE.TXT of the ZIP format, section 4.3.16); an archive with a comment
    or in the format for more than 65,535 files has its end elsewhere and is not shared.
    """
    with archive.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END.size))
        end = file.read()
        if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
            return ""
        _, _, _, _, files, length, start, _ = _END.unpack(end)
        if not _MANY_FILES <= files < 0xFFFF:
            return ""
        file.seek(start)
        return hashlib.sha256(file.read(length)).hexdigest()[:20]
