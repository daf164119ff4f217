"""A key that a person unlocks: the job waits for it, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from inventory.models import Site
from provisioning import runner
from provisioning.projects import trusting
from provisioning.unlocks.unlocking import unlock
from tests.provisioning.keeping import Keeper
from tests.provisioning.projects.conftest import Project, Repository
from tests.provisioning.projects.declared import declare, update
from tests.provisioning.projects.server import GitServer
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(tmp_path: Path) -> Any:
    made = GitServer(tmp_path / "server")
    yield made
    made.stop()


@pytest.fixture
def held(settings: Any, data_dir: Path) -> Any:
    settings.DATA_DIR = data_dir
    found = Keeper(data_dir).start()
    yield found
    found.kill()


def test_the_job_waits_for_the_key_and_goes_on_once_it_is_unlocked(
    site: Site, server: GitServer, repository: Repository, held: Keeper, data_dir: Path
):
    location = server.location(repository.path)
    seen = trusting.look(Project("lab", "git", location), site="lab", data_dir=data_dir)
    trusting.accept(seen, fingerprint=server.fingerprint)
    declare(site, location, key="unlock:git")
    job = update(site)
    assert (job.state, job.waiting_for) == ("waiting", "unlock")
    assert [need.name for need in job.needed] == ["git"]
    person = User.objects.create_superuser("ada")
    assert unlock(site, "git", server.key, minutes=5, by=person).jobs == (job.pk,)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", texts(job)
    assert job.outcome["commit"] == repository.git("rev-parse", "HEAD")
    held_line = server.key.splitlines()[2].encode()
    assert [path for path in data_dir.rglob("*") if path.is_file() and held_line in path.read_bytes()] == []
