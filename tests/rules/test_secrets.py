"""What looks like a secret is named and never repeated; what is none is left in peace."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from inventory.packed import Packed
from inventory.rules import judge, secrets
from inventory.snapshot import GroupFacts, HypervisorFacts, ProfileFacts, ServiceFacts
from tests.rules.cases.making import LAN, SITE, card, host, of

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n"
RANDOM = "q7RtY2mZ9bXc4VdK1sWe8PjL"

PLAIN = [
    {"bmc_password": "hunter2"},
    {"ansible_become_pass": "hunter2"},
    {"apiKey": "abc123def"},
    {"opnsense_api_secret": "abc"},
    {"pve": {"token_secret": "d3adbeef"}},
    {"pin": 4711},
    {"snmp_community": "publicish"},
    {"passwords": ["one of them"]},
    {"secrets": {"grafana": "hunter2"}},
    {"admin_password2": "hunter2"},
    {"wireguard_private_key": "x" * 20},
    {"anything": PRIVATE},
    {"database": "postgres://app:hunter2@db.example.net/app"},
    {"header": "PVEAPIToken=root@pam!ci=01234567-89ab-cdef-0123-456789abcdef"},
    {"github": "ghp_" + "a1B2c3D4e5" * 4},
    {"command": "login --password=hunter2 --user ada"},
    {"rootpw": "hunter2"},
    {"root_pw": "hunter2"},
    {"PGPASSWORD": "hunter2"},
    {"wifipassword": "hunter2"},
    {"db_password_prod": "hunter2"},
    {"luks_key": "hunter2"},
    {"tsig_key": "abc123def"},
    {"sim_pin": "4711"},
    {"upstream": "Authorization: Bearer abc123def"},
]

HARMLESS = [
    {"bmc_password": "{{ vault_bmc_password }}"},
    {"bmc_password": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n3132\n"}},
    {"bmc_password": "$ANSIBLE_VAULT;1.1;AES256\n3132\n"},
    {"bmc_password": "vault:bmc_password"},
    {"bmc_password": "env:BMC_PASSWORD"},
    {"token_secret": "file:/run/secrets/token"},
    {"bmc_password": ""},
    {"bmc_password": None},
    {"password_authentication": "no"},
    {"ask_become_pass": True},
    {"password": "prompt"},
    {"password_hash": "$6$rounds=5000$abcdefgh$ijkl"},
    {"user_password": "$6$rounds=5000$abcdefgh$ijkl"},
    {"ansible_ssh_private_key_file": "~/.ssh/id_ed25519"},
    {"api_token_file": "/etc/token"},
    {"proxmox_token_id": "mgmtplane@pve!write"},
    {"token_ttl": 3600},
    {"max_password_length": 64},
    {"action": "pass"},
    {"gpio_pin": "GPIO17", "version_pin": "1.2.3", "pins": ["GPIO4"]},
    {"sudo_nopasswd": "ALL"},
    {"host_key": "SHA256:abcDEF123ghiJKL456mnoPQR789stuVWX0"},
    {"ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq7RtY2mZ9bXc4VdK1sWe8PjL ada"]},
    {"repo_gpgkey": "https://repo.example.net/RPM-GPG-KEY"},
    {"iso_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    {"checksum": RANDOM},
    {"image": "Fedora-Server-dvd-x86_64-44-1.7"},
    {"name": "thisIsALongVariable2NameOrSo3"},
    {"url": "https://example.net:8443/path"},
    {"url": "https://ada:{{ vault_password }}@example.net/"},
    {"keyboard": "de-latin1", "monkey": "banana", "keys": ["a", "b"]},
]


def found(snapshot):
    return [(finding.id, finding.subject, finding.message) for finding in secrets.findings(snapshot)]


@pytest.mark.parametrize("variables", PLAIN, ids=lambda value: next(iter(value)))
def test_a_secret_in_plain_is_an_error_that_does_not_repeat_it(variables):
    ((finding, subject, message),) = found(of(host(variables=Packed(json.dumps(variables)))))
    assert (finding, subject) == ("secret-in-plain", "host h")
    assert f"variables.{next(iter(variables))}" in message
    for value in ("hunter2", "abc123def", "d3adbeef", "4711", "publicish", "one of them", "b3Bl", "x" * 20):
        assert value not in message


@pytest.mark.parametrize("variables", HARMLESS, ids=lambda value: next(iter(value)))
def test_what_is_no_secret_is_left_in_peace(variables):
    assert found(of(host(variables=variables))) == []
    assert found(of(host(variables=Packed(json.dumps(variables))))) == []


def test_what_only_looks_random_is_a_warning():
    ((finding, _, message),) = found(of(host(variables={"upstream": RANDOM})))
    assert finding == "secret-suspected"
    assert "variables.upstream" in message
    assert RANDOM not in message


def test_every_place_is_searched_and_told_once_an_owner():
    secret = {"password": "hunter2"}
    snapshot = of(
        host(
            "h", card("h", variables=secret), access=secret, out_of_band=secret, notes="the password: hunter2"
        ),
        site=replace(SITE, variables=secret),
        segments=[replace(LAN, variables=secret)],
        groups=[GroupFacts("web", hosts=("h",), variables=secret)],
        profiles=[ProfileFacts("ci", variables=secret)],
    )
    told = {subject: message for _, subject, message in found(snapshot)}
    assert set(told) == {"site lab", "segment lan", "group web", "profile ci", "host h", "interface h/eth0"}
    assert "access.password, out_of_band.password and notes" in told["host h"]
    assert "hunter2" not in "".join(told.values())


def test_addresses_that_are_fetched_are_searched_for_passwords():
    address = "https://ada:hunter2@example.net/"
    carrier = host(
        "h",
        card("h", pxe_file=address),
        proxmox=HypervisorFacts(api_url=address, token_id="a@pve!b", secret="env:TOKEN"),
    )
    carrier = replace(carrier, services=(ServiceFacts("web", "h", health_check=address),))
    told = {subject: message for _, subject, message in found(of(carrier))}
    assert set(told) == {"host h", "interface h/eth0", "service web on h"}
    assert "proxmox.api_url" in told["host h"]
    assert "hunter2" not in "".join(told.values())


def test_a_retired_host_still_keeps_its_secrets_in_the_database():
    retired = host(status="retired", variables={"password": "hunter2"})
    assert [finding.id for finding in judge(of(retired)) if finding.severity == "error"] == [
        "secret-in-plain"
    ]
