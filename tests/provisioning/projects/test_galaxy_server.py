"""Collections from a site's own server of collections, as the project's ansible.cfg names it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from provisioning.projects import ProjectError, requirements
from tests.provisioning.projects import galaxy
from tests.provisioning.projects.test_requirements import found


class Server(ThreadingHTTPServer):
    """Serves the tarballs of a folder by the API of Galaxy, version 3. ``asked``: which paths were."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.asked: list[str] = []
        self.promised = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def versions(self, name: str) -> list[str]:
        return [
            path.name.removeprefix(f"{name}-").removesuffix(".tar.gz")
            for path in self.folder.glob(f"{name}-*")
        ]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        self.server.asked.append(path)
        parts = path.split("/")
        if path == "api":
            self.answer({"available_versions": {"v3": "v3/"}})
        elif parts[0] == "download" and (self.server.folder / parts[1]).is_file():
            self.send((self.server.folder / parts[1]).read_bytes(), "application/gzip")
        elif parts[:3] == ["api", "v3", "collections"] and (
            known := self.server.versions("-".join(parts[3:5]))
        ):
            self.collection(parts[3], parts[4], parts[5:], known)
        else:
            self.send_error(404)

    def collection(self, space: str, name: str, rest: list[str], known: list[str]) -> None:
        if rest == ["versions"]:
            self.answer({"data": [{"version": one} for one in known], "links": {"next": None}})
        elif len(rest) == 2:
            file = f"{space}-{name}-{rest[1]}.tar.gz"
            digest = hashlib.sha256((self.server.folder / file).read_bytes()).hexdigest()
            self.answer(
                {
                    "namespace": {"name": space},
                    "collection": {"name": name},
                    "name": name,
                    "version": rest[1],
                    "href": self.path,
                    "download_url": f"{self.server.address}/download/{file}",
                    "artifact": {"sha256": self.server.promised or digest, "filename": file, "size": 1},
                    "metadata": {"dependencies": {}},
                    "signatures": [],
                }
            )
        else:
            self.answer({"name": name, "created_at": "2026-01-01", "updated_at": "2026-01-01"})

    def answer(self, value: Any) -> None:
        self.send(json.dumps(value).encode(), "application/json")

    def send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, code: Path) -> Iterator[Server]:
    (tmp_path / "served").mkdir()
    made = Server(tmp_path / "served")
    threading.Thread(target=made.serve_forever, daemon=True).start()
    (code / "ansible.cfg").write_text(f"[galaxy]\nserver = {made.address}/api/\n")
    yield made
    made.shutdown()
    made.server_close()


def test_the_newest_version_that_fits_is_taken_from_it_once(server, code, data_dir, tmp_path):
    for version in ("1.0.0", "1.5.0", "2.0.0"):
        galaxy.tarball(server.folder, tmp_path, "acme.tools", version)
    (code / "requirements.yml").write_text(
        "collections:\n  - name: acme.tools\n    version: '>=1.0.0,<2.0.0'\n"
    )
    installed = requirements(code, data_dir=data_dir)
    assert found(installed, "acme.tools") == "1.5.0"
    asked = len(server.asked)
    assert requirements(code, data_dir=data_dir) == installed
    assert len(server.asked) == asked > 0


def test_what_it_does_not_have_is_named_with_both_ways_out(server, code, data_dir, tmp_path):
    galaxy.tarball(server.folder, tmp_path, "acme.tools", "1.0.0")
    (code / "requirements.yml").write_text("collections:\n  - acme.tools\n  - acme.missing\n")
    with pytest.raises(ProjectError, match=r"The project needs collection acme.missing, and") as caught:
        requirements(code, data_dir=data_dir)
    assert "declare that as the project's “collections at”" in str(caught.value)


def test_a_tarball_that_was_changed_on_the_way_is_not_installed(server, code, data_dir, tmp_path):
    good = galaxy.tarball(server.folder, tmp_path, "acme.tools", "1.0.0")
    server.promised = hashlib.sha256(good.read_bytes()).hexdigest()
    good.write_bytes(good.read_bytes() + b"more")
    (code / "requirements.yml").write_text("collections: [acme.tools]\n")
    with pytest.raises(ProjectError, match=r"The project needs collection acme.tools, and .*[Mm]ismatch"):
        requirements(code, data_dir=data_dir)
