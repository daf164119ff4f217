"""--output writes whole files, and deletes only its own."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from inventory.serving import output
from inventory.serving.output import MANIFEST, CannotWrite, write_directory, write_file


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "kea.json"
    old = os.umask(0o027)
    try:
        write_file(target, b"one")
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        target.chmod(0o604)
        before = target.stat().st_ino
        write_file(target, b"two")
    finally:
        os.umask(old)
    assert target.read_bytes() == b"two"
    assert target.stat().st_ino != before, "moved into place, not written over"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert os.listdir(tmp_path) == ["kea.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "kea.json"
    write_file(target, b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write_file(target, b"two")
    assert _tree(tmp_path) == {"kea.json": b"one"}


def test_a_link_is_followed_and_a_pipe_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"
    write_file(Path("/dev/null"), b"x")


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="is no directory; create it"):
        write_file(tmp_path / "nowhere" / "file", b"x")


def test_a_directory_loses_the_stale_files_of_an_earlier_export_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    assert write_directory(folder, {"a": b"1", "d/b": b"2", "d/c": b"3", "e/f": b"4"}) == []
    (folder / "d" / "mine").write_bytes(b"a person's")
    assert write_directory(folder, {"a": b"5", "d/b": b"2"}) == ["d/c", "e/f"]
    manifest = f"{'a'}\n{'d/b'}\n".encode()
    assert _tree(folder) == {"a": b"5", "d/b": b"2", "d/mine": b"a person's", MANIFEST: manifest}
    assert not (folder / "e").exists()


def test_a_directory_that_cannot_be_written_whole_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_directory(tmp_path, {"a": b"1", "b": b"1"})
    before = _tree(tmp_path)
    draft = output._draft

    def fail_at_b(target: Path, *rest: Any) -> None:
        if target.name == "b":
            raise OSError(28, "No space left on device")
        draft(target, *rest)

    monkeypatch.setattr(output, "_draft", fail_at_b)
    with pytest.raises(CannotWrite):
        write_directory(tmp_path, {"a": b"2", "b": b"2"})
    assert _tree(tmp_path) == before


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a\0b"])
def test_no_file_leaves_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotWrite, match="outside the directory"):
        write_directory(tmp_path / "t", {"ok": b"", name: b""})
    assert not (tmp_path / "t").exists()


def test_a_manifest_that_somebody_forged_deletes_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"x")
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / MANIFEST).write_text(f"../precious\n{tmp_path}/precious\n")
    write_directory(folder, {"a": b""})
    assert (tmp_path / "precious").exists()
