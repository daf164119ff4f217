"""Serve one fake node until interrupted; the first line printed says where, as JSON."""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
from pathlib import Path

from tests.provisioning.pve.certificates import fingerprint_of, make_certificate
from tests.provisioning.pve.demo import KeptStandin
from tests.provisioning.pve.server import Standin
from tests.provisioning.pve.worlds import SECRETS


def make_server(options: argparse.Namespace, folder: Path, certificate: Path, key: Path) -> Standin:
    listener = socket.socket(fileno=options.listen_on) if options.listen_on is not None else None
    how = {"certificate": certificate, "key": key, "version": options.version, "listener": listener}
    if options.kept:
        return KeptStandin(folder, options.node, options.task_seconds, **how)
    world = {"node": options.node, "task_seconds": options.task_seconds, "guests": options.guests}
    return Standin((options.host, options.port), options=world, **how)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.provisioning.pve", description=__doc__)
    parser.add_argument("--version", choices=("8.4", "9.1"), default="9.1")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--node", default="pve")
    parser.add_argument("--task-seconds", type=float, default=0.0, help="how long each task takes")
    parser.add_argument("--guests", type=int, default=0, help="how many more machines stand there")
    parser.add_argument(
        "--folder", type=Path, help="where the certificate lies, made once; default: a new one"
    )
    parser.add_argument(
        "--listen-on", type=int, metavar="FD", help="an open socket, instead of host and port"
    )
    parser.add_argument("--kept", action="store_true", help="the node of `make demo` that --folder describes")
    parser.add_argument("--prepare", action="store_true", help="make the certificate, say what is known, end")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="standin-"))
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not certificate.exists():
        make_certificate(folder, ["localhost", options.node], [options.host])
    where = {"ca_file": str(certificate), "fingerprint": fingerprint_of(certificate)}
    said = {**where, "node": options.node, "tokens": SECRETS}
    if options.prepare:
        print(json.dumps(said))
        return
    server = make_server(options, folder, certificate, key)
    url = f"https://{options.host}:{server.server_address[1]}"
    if options.kept:
        print(f"a stand-in for Proxmox VE {options.version} at {url}: no machine is really made", flush=True)
    else:
        print(json.dumps({"url": url, **said}), flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
