"""Unpacks each layer and each function's code once, for all worker processes. Used by the emulator process.

MiniStack unpacks all layers for every worker: 3,000 files, a second or more each time. The unpacked content is only
read, so workers can share it.
"""

import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

KEPT = 40
"""Unpacked archives kept; the ones unpacked longest ago go first."""
_MANY_FILES = 8


def share_unpacked_code(cache: Path) -> None:
    """Make the workers of this process use unpacked archives in ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    for old in sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)

    class SharedZipFile(zipfile.ZipFile):
        """A ZipFile whose ``extractall`` puts a link to the shared content in place of the empty folder ``path``."""

        def namelist(self) -> list[str]:
            """The names to check before unpacking: none of an archive that was checked and unpacked before."""
            names = super().namelist()
            return [] if len(names) >= _MANY_FILES and (cache / _digest(self)).exists() else names

        def extractall(self, path: Any = None, *arguments: Any, **options: Any) -> None:
            """Unpack, or use what another worker has unpacked."""
            if path is None or len(self.infolist()) < _MANY_FILES:
                super().extractall(path, *arguments, **options)
                return
            shared = cache / _digest(self)
            if not shared.exists():
                scratch = Path(tempfile.mkdtemp(dir=cache))
                super().extractall(scratch)
                try:
                    scratch.rename(shared)
                except OSError:  # another worker was faster
                    shutil.rmtree(scratch)
            Path(path).rmdir()
            Path(path).symlink_to(shared, target_is_directory=True)

    names = {name: getattr(zipfile, name) for name in ("BadZipFile", "LargeZipFile")}
    lambda_runtime.zipfile = SimpleNamespace(**names, LargeFileError=zipfile.LargeZipFile, ZipFile=SharedZipFile)


def _digest(archive: zipfile.ZipFile) -> str:
    """A name for the content: the archive's directory has a checksum of every file."""
    listing = "\n".join(f"{entry.filename} {entry.CRC:08x} {entry.file_size}" for entry in archive.infolist())
    return hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()[:20]
