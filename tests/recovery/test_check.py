"""What check.py says of what is no kit at all."""

from __future__ import annotations

from tests.recovery.conftest import checked


def test_a_file_that_is_no_archive_is_said_to_be_no_kit(tmp_path):
    (tmp_path / "index.html").write_text("<html>")
    done = checked(tmp_path / "index.html")
    assert (done.returncode, done.stderr) == (1, "")
    (said,) = done.stdout.splitlines()
    assert said.startswith("index.html is no kit: neither a directory nor a .tar.gz (")
