"""Where a report goes: whole files only, with the permissions they had."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from preflash.reports.output import deliver, utc_now, wants_color, write_whole


def test_a_new_file_gets_what_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.txt", "whole\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").read_bytes() == b"whole\n"
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o604)
    write_whole(file, "new")
    assert (file.read_text(encoding="utf-8"), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o604)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_whole(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text(encoding="utf-8") == "new"


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", encoding="utf-8")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert file.read_text(encoding="utf-8") == "old"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        deliver("text", tmp_path)


def test_a_device_is_written_to_directly() -> None:
    write_whole(Path("/dev/null"), "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize(
    ("epoch", "shown"), [("0", "1970-01-01T00:00:00Z"), ("1700000000", "2023-11-14T22:13:20Z")]
)
def test_the_time_can_be_fixed(monkeypatch: pytest.MonkeyPatch, epoch: str, shown: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    assert utc_now() == shown


def test_a_missing_folder_is_named_with_the_file_that_was_asked_for(tmp_path: Path) -> None:
    wanted = tmp_path / "none" / "report.json"
    with pytest.raises(FileNotFoundError, match="folder") as caught:
        write_whole(wanted, "text")
    assert caught.value.filename == str(wanted)


def test_a_closed_stdout_is_no_terminal() -> None:
    assert not wants_color("auto", None)


def test_a_folder_that_refuses_is_named_with_the_file_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".a.txt.x1.part"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(PermissionError) as caught:
        write_whole(tmp_path / "a.txt", "text")
    assert caught.value.filename == str(tmp_path / "a.txt")


@pytest.mark.parametrize(("name", "code"), [("explain PF203", 0), ("device show nope", 3)])
def test_an_error_does_not_move_to_stdout_when_stderr_is_closed(name: str, code: int) -> None:
    line = f"{sys.executable} -m preflash {name} 2>&-"
    run = subprocess.run(["sh", "-c", line], capture_output=True, check=False, timeout=60)
    assert run.returncode == code
    assert b"error" not in run.stdout
