"""Code that was unpacked before is found again, and is neither written nor unpacked for another worker."""

import io
import zipfile
from pathlib import Path

from local.cloud.code_cache import UnpackedCode


def archive(*, files: int, content: str = "x") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as opened:
        for number in range(files):
            opened.writestr(zipfile.ZipInfo(f"python/module_{number}.py"), content)
    return written.getvalue()


def test_an_archive_is_known_by_its_content(tmp_path: Path) -> None:
    unpacked = UnpackedCode(tmp_path / "code")
    folder = unpacked.folder(archive(files=10))

    assert folder is not None
    assert folder == unpacked.folder(archive(files=10))
    assert folder != unpacked.folder(archive(files=10, content="y"))


def test_what_stands_in_for_an_archive_leads_to_the_same_folder(tmp_path: Path) -> None:
    unpacked = UnpackedCode(tmp_path / "code")
    whole = archive(files=10)
    folder = unpacked.folder(whole)
    assert folder is not None
    assert unpacked.stand_in(whole) == whole

    folder.mkdir()
    stand_in = unpacked.stand_in(whole)
    assert len(stand_in) < 100
    assert unpacked.folder(stand_in) == folder
    assert unpacked.stand_in(stand_in) == stand_in


def test_an_archive_of_few_files_is_not_shared(tmp_path: Path) -> None:
    unpacked = UnpackedCode(tmp_path / "code")
    few = archive(files=2)
    assert unpacked.folder(few) is None
    assert unpacked.stand_in(few) == few
