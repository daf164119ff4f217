#!/usr/bin/env python3
"""Ansible's vault password client of a run: asks the run's socket. ``vault-client.py --vault-id ID``."""

import json
import os
import socket
import sys


def main():
    vault_id = sys.argv[2] if len(sys.argv) > 2 else ""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(os.environ["MGMTPLANE_RUN_SOCKET"])
        with connection.makefile("rwb") as said:
            said.write(json.dumps({"password": vault_id}).encode() + b"\n")
            said.flush()
            answer = json.loads(said.readline() or b"null")
    if answer is None:
        sys.stderr.write("No password was given for it.\n")
        return 2
    sys.stdout.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
