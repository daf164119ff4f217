"""The sample's exports for the lab, made as an operator makes them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from tests.lab.sample import SITE
from tests.shared_data import require_sample

FORMATS = ("kea", "dnsmasq", "isc-dhcp", "bind", "unbound")


@pytest.fixture(scope="session")
def sample_exports(
    django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A directory for each format, of the sample imported into an empty database, which stays empty.

    Its tests are marked ``django_db``: without one such test there is no test database.
    """
    sample = require_sample()
    folder = tmp_path_factory.mktemp("exports")
    with django_db_blocker.unblock(), transaction.atomic():
        _run("import_ansible", str(sample), site=SITE, apply=True)
        for format in FORMATS:
            (folder / format).mkdir()
            _run("export", format, site=SITE, output=str(folder / format))
        transaction.set_rollback(True)
    return folder


def _run(*words: str, **options: Any) -> None:
    call_command(*words, **options, stdout=io.StringIO(), stderr=io.StringIO())
