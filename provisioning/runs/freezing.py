"""The inventory of a run: what the Snapshot says at its revision, kept by its digest, and written out for Ansible.

Wholly vaulted files and single vaulted values stay the ciphertext that they are.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path, PurePosixPath

from django.db import IntegrityError, transaction

from inventory.exports.registry import get_export
from inventory.snapshot import Snapshot
from provisioning.engine.moments import DatabaseTime
from provisioning.models import FrozenInput

FORMAT = "ansible-tree"


def body_of(snapshot: Snapshot) -> str:
    """The inventory as one text: path → contents, as JSON with sorted keys. Same facts, same text."""
    files = get_export(FORMAT).render(snapshot, None).files
    plain = {path: content.decode() for path, content in files.items()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def digest_of(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def keep(body: str) -> FrozenInput:
    """The row of *body*; made where there is none."""
    digest = digest_of(body)
    # young again, so that no housekeeping takes it away before the run that names it is there
    if FrozenInput.objects.filter(pk=digest).update(created=DatabaseTime()):
        return FrozenInput.objects.get(pk=digest)
    try:
        with transaction.atomic():
            return FrozenInput.objects.create(digest=digest, body=zlib.compress(body.encode(), 6))
    except IntegrityError:  # somebody froze the same at this moment
        return FrozenInput.objects.get(pk=digest)


def write_out(body: str, into: Path) -> Path:
    """Write the inventory below *into*, a new folder for its owner alone, and return what Ansible is given."""
    into.mkdir(mode=0o700, parents=True)
    for path, text in json.loads(body).items():
        target = into.joinpath(*PurePosixPath(path).parts)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_text(text, encoding="utf-8")
    return into / "hosts.yml"
