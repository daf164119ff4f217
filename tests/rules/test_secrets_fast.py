"""Looking for secrets takes as long as the text is long, whatever stands in it."""

from __future__ import annotations

import time

import pytest

from inventory.differences import readable_line
from inventory.secret_signs import secrets_in

N = 20_000


@pytest.mark.parametrize(
    "text",
    ["a" * 4 * N, "a:b," * N, "a+" * N, "PVEAPIToken=" + "!" * 4 * N, "eyJaaaaaaaaaaa-" * N, "a://b:" * N],
    ids=lambda text: text[:14],
)
def test_no_text_makes_it_slow(text):
    began = time.process_time()
    list(secrets_in("", {"password": text, "other": text}))
    readable_line(text)
    assert time.process_time() - began < 20  # quadratic, it would be minutes


def test_a_line_of_an_export_hides_the_values_of_secret_keys():
    for line in (
        "    bmc_password: hunter2-Z9x",
        '"vars":{"db_token":"hunter2-Z9x"}},',
        "api_key=hunter2-Z9x",
    ):
        assert "hunter2" not in readable_line(line)
    for line in (
        "    ntp_server: 192.0.2.1",
        'password: "{{ vault_password }}"',
        '"db_token":{"__ansible_vault":"$ANSIBLE_VAULT;1.1;AES256"}',
        "__ansible_vault: x",
    ):
        assert readable_line(line) == line
