"""As a program: serves ``body`` with the ETag in ``etag``, both files of a directory, and appends reports to ``reports``.

    python fileserver.py DIRECTORY PORT

It imports nothing of the tests, so that it runs inside a lab's network.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    folder = Path()

    def do_GET(self) -> None:
        etag, body = (self.folder / "etag").read_text(), (self.folder / "body").read_bytes()
        same = self.headers.get("If-None-Match") == etag
        self.send_response(304 if same else 200)
        self.send_header("ETag", etag)
        self.send_header("Mgmtplane-Revision", "1")
        if not same:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not same:
            self.wfile.write(body)

    def do_POST(self) -> None:
        with (self.folder / "reports").open("ab") as reports:
            reports.write(self.rfile.read(int(self.headers["Content-Length"])) + b"\n")
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[1])
    HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
