"""Planted secrets are nowhere in clear in a kit, its archive, or what building and delivering it says."""

from __future__ import annotations

import base64
import tarfile
from pathlib import Path
from typing import Any

import pytest

from inventory import vault
from inventory.changes import change
from inventory.models import (
    Host,
    Hypervisor,
    JobTemplate,
    KitPlace,
    Project,
    Role,
    Site,
)
from provisioning import requests, runner
from provisioning.models import JobEvent
from tests.provisioning.projects.server import make_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

PLANTED = "planted-3vIl-s3cret"


@pytest.fixture
def planted(settings, tmp_path, monkeypatch) -> dict[str, str]:
    """What must not be found: a word for each secret, where each is planted."""
    data = tmp_path / "data"
    settings.DATA_DIR, settings.KIT_DIR, settings.BACKUP_DIR = data, data / "kits", data / "backups"
    (data / "tokens").mkdir(parents=True)
    words = {
        name: f"{PLANTED}-{name}"
        for name in (
            "vault",
            "token",
            "secret-key",
            "password",
            "env",
            "file",
            "extra",
            "hypervisor",
            "sealed",
        )
    }
    (data / "tokens" / "hv01").write_text(words["token"])
    (data / "secret_key").write_text(words["secret-key"])
    settings.SECRET_KEY = words["secret-key"] * 3
    settings.BACKUP_PASSPHRASE = words["password"]
    monkeypatch.setenv("KIT_HYPERVISOR", words["hypervisor"])
    monkeypatch.setenv("KIT_EXTRA", words["extra"])
    monkeypatch.setenv("KIT_VAULT", words["vault"])
    monkeypatch.setenv("DATABASE_URL", f"postgresql://lab:{words['env']}@192.0.2.9/lab")
    (tmp_path / "key").write_text(words["file"])
    (tmp_path / "key").chmod(0o600)
    make_key(tmp_path / "ssh")
    words["ssh key"] = (tmp_path / "ssh").read_text().splitlines()[2]
    return words


def furnished(tmp_path: Path) -> Site:
    """A site that names a secret wherever one can be named."""
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    password, plain = f"{PLANTED}-vault".encode(), f"{PLANTED}-sealed".encode()
    sealed: Any = {"password": {"__ansible_vault": vault.encrypt(plain, password)}}
    with change(site, by="ada"):
        hv01 = Host(site=site, name="hv01", form="hv", variables=sealed)
        hv01.save()
        hypervisor = Hypervisor(host=hv01, api_url="https://192.0.2.3:8006", token_id="root@pam!lab")
        hypervisor.secret = "env:KIT_HYPERVISOR"
        hypervisor.save()
        code = Project(site=site, name="playbooks", location="/srv/playbooks")
        code.save()
        base = JobTemplate(site=site, name="base", project=code, playbook="site.yml")
        base.extra_vars, base.vault_secrets = {"pass": "env:KIT_EXTRA"}, {"default": "env:KIT_VAULT"}
        base.ssh_key = f"file:{tmp_path / 'ssh'}"
        base.save()
        Role(site=site, slug="metrics", configure_template=base).save()
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "x" * 43
        far = {"host_key": key, "key": f"file:{tmp_path / 'key'}", "location": "ops@127.0.0.1:/srv/kits"}
        KitPlace(site=site, name="far", kind="ssh", **far).save()
        (tmp_path / "share").mkdir()
        KitPlace(site=site, name="share", location=str(tmp_path / "share")).save()
    return site


def test_no_secret_is_in_a_kit_or_in_what_is_said_of_it(planted, settings, tmp_path, admin_client, caplog):
    from provisioning.backups import making

    site = furnished(tmp_path)
    making.create(settings.BACKUP_DIR, making.declared_lock())
    job = requests.request("build_kit", site=site, by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.outcome["delivered"] == ["share"], job.message
    words = set(planted.values())
    own = (settings.DATA_DIR / "kit_key" / "key").read_text().splitlines()[2]
    needles = {form for word in (*words, own) for form in (word.encode(), base64.b64encode(word.encode()))}
    for place in (settings.KIT_DIR, tmp_path / "share"):
        texts = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        assert any(path.name.endswith(".tar") for path in texts), "the backup is in it"
        with tarfile.open(place / "lab.tar.gz") as tar:
            texts |= {Path(entry.name): tar.extractfile(entry).read() for entry in tar if entry.isfile()}
        found = [(path, needle) for path, text in texts.items() for needle in needles if needle in text]
        assert found == []
    said = [job.message, str(job.outcome), str(job.plan), caplog.text]
    said += list(JobEvent.objects.values_list("text", flat=True))
    for page in (
        f"/admin/provisioning/job/{job.pk}/change/",
        "/admin/inventory/kitplace/",
        "/admin/",
        "/readyz",
    ):
        answer = admin_client.get(page)
        assert answer.status_code in (200, 503), page
        said.append(answer.content.decode())
    for text in said:
        assert [word for word in (*words, own) if word in text] == []
