"""Hypervisors come out of an imported tree where its variables say enough; of secrets only where they lie."""

from __future__ import annotations

import pytest

from inventory import vault
from inventory.changes import change
from inventory.models import Hypervisor, Site
from tests.importers.site_support import run_import
from tests.importers.tree_support import write_tree

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"
PLAIN_SECRET = "8a0e9b9c-1111-4222-8333-0000000000ff"
HOSTS = "all: {children: {hypervisors: {hosts: {hv01: {}}}, others: {hosts: {pi01: {}}}}}\n"
FORM = "infrastructure: {form: %s, interfaces: {eth0: {mac: '02:00:00:00:00:01'}}}\n"
SEALED = vault.encrypt(PLAIN_SECRET.encode(), PASSWORD.encode())
INLINE = "!vault |\n" + "".join(f"  {line}\n" for line in SEALED.splitlines())
WHOLE = (
    "proxmox_api_host: pve.example.net\nproxmox_node: pve\nproxmox_token_id: mgmtplane@pve!write\n"
    f"proxmox_token_secret: {INLINE}"
    "proxmox_read_token_id: mgmtplane@pve!survey\nproxmox_read_token_secret: \"{{ lookup('env', 'PVE_SURVEY') }}\"\n"
    "proxmox_storage: local-zfs\nproxmox_bridge: vmbr0\n"
)


def a_tree(tmp_path, variables, **files):
    return write_tree(
        tmp_path / "tree",
        {
            "hosts.yml": HOSTS,
            "host_vars/hv01/main.yml": FORM % "hv" + variables,
            "host_vars/pi01.yml": FORM.replace(":01'", ":02'") % "pi",
            **files,
        },
    )


def imported(tree, **options):
    outcome = run_import(tree, site="lab", **options)
    assert not outcome.refusal, outcome.refusal
    return outcome


def fields() -> dict[str, str]:
    row = Hypervisor.objects.get()
    names = ("api_url", "node", "token_id", "secret", "read_token_id", "read_secret", "storage", "bridge")
    return {name: value for name in names if (value := getattr(row, name))}


def test_what_the_variables_say_is_declared_and_importing_twice_changes_nothing(tmp_path):
    tree = a_tree(tmp_path, WHOLE)
    imported(tree)
    assert fields() == {
        "api_url": "https://pve.example.net:8006",
        "node": "pve",
        "token_id": "mgmtplane@pve!write",
        "secret": "vault:proxmox_token_secret",
        "read_token_id": "mgmtplane@pve!survey",
        "read_secret": "env:PVE_SURVEY",
        "storage": "local-zfs",
        "bridge": "vmbr0",
    }
    revision = Site.objects.get().revision
    assert "Nothing to change." in run_import(tree, site="lab").output
    imported(tree)
    assert Site.objects.get().revision == revision


def test_variables_of_a_group_say_it_for_its_hypervisors_alone(tmp_path):
    files = {
        "group_vars/all.yml": "proxmox_token_id: mgmtplane@pve!write\nproxmox_token_secret: '{{ pve }}'\npve: "
        + INLINE
    }
    imported(a_tree(tmp_path, "", **files))
    assert Hypervisor.objects.get().host.name == "hv01"
    assert fields() == {"token_id": "mgmtplane@pve!write", "secret": "vault:pve"}


@pytest.mark.parametrize("password", [PASSWORD, None])
def test_a_vault_that_is_sealed_as_a_whole_gives_the_name_of_its_variable(tmp_path, password):
    text = f"vault_proxmox_token_id: mgmtplane@pve!write\nvault_proxmox_token_secret: {PLAIN_SECRET}\n"
    variables = "".join(
        f"{name}: '{{{{ vault_{name} }}}}'\n" for name in ("proxmox_token_id", "proxmox_token_secret")
    )
    sealed = vault.encrypt(text.encode(), PASSWORD.encode())
    tree = a_tree(tmp_path, variables, **{"host_vars/hv01/vault.yml": sealed})
    outcome = imported(tree, password=password)
    assert fields() == {"secret": "vault:vault_proxmox_token_secret"}
    assert PLAIN_SECRET not in outcome.everything and PLAIN_SECRET not in repr(Hypervisor.objects.values())
    assert "Nothing to change." in run_import(tree, site="lab", password=password).output


@pytest.mark.parametrize(
    "secret",
    [PLAIN_SECRET, "'{{ pve_secret }}'", "'{{ nowhere }}'", f"'x{{{{ vault }}}}{PLAIN_SECRET}'"],
)
def test_a_secret_in_plain_is_not_copied_and_none_that_lies_nowhere_is_named(tmp_path, secret):
    variables = (
        f"proxmox_token_id: mgmtplane@pve!write\nproxmox_token_secret: {secret}\npve_secret: {PLAIN_SECRET}\n"
    )
    imported(a_tree(tmp_path, variables))
    assert fields() == {"token_id": "mgmtplane@pve!write"}


def test_without_a_token_nothing_is_declared(tmp_path):
    imported(a_tree(tmp_path, "proxmox_node: pve\nproxmox_storage: tank\n"))
    assert not Hypervisor.objects.exists()


@pytest.mark.parametrize(
    ("line", "said", "leaked"),
    [
        ("proxmox_api_host: https://root:hunter2@pve.example.net/", "is no https:// address", "hunter2"),
        ("proxmox_token_id: mgmtplane@pve!write=hunter2 x", "is no user@realm!name", "hunter2"),
        (f"proxmox_node: {'n' * 64}", "is longer than 63 characters", "n" * 64),
        (
            "proxmox_token_secret: \"{{ lookup('env', 'DATABASE_URL') }}\"",
            "leads to a setting of this application",
            "env:DATABASE_URL",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place_and_not_taken(tmp_path, line, said, leaked):
    variables = f"{line}\nproxmox_read_token_id: mgmtplane@pve!survey\n"
    outcome = imported(a_tree(tmp_path, variables))
    assert said in outcome.everything and "host_vars/hv01/main.yml" in outcome.everything
    assert leaked not in outcome.everything
    assert fields() == {"read_token_id": "mgmtplane@pve!survey"}


def test_a_mapping_names_other_variables(tmp_path):
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(
        "hypervisor.token_id: pve_token\nhypervisor.secret: pve_secret\nhypervisor.node: pve_name\n"
    )
    variables = f"proxmox_node: wrong\npve_name: pve2\npve_token: a@pve!b\npve_secret: {INLINE}"
    imported(a_tree(tmp_path, variables), mapping=str(mapping))
    assert fields() == {"node": "pve2", "token_id": "a@pve!b", "secret": "vault:pve_secret"}


def test_what_the_tree_does_not_say_is_left_as_it_was_declared(tmp_path):
    tree = a_tree(tmp_path, "proxmox_token_id: a@pve!b\n")
    imported(tree)
    row = Hypervisor.objects.get()
    with change(Site.objects.get(), by="test", why="what no variable says"):
        row.ca_file, row.secret = "/etc/ca.pem", "file:/etc/token"
        row.save()
    assert "Nothing to change." in run_import(tree, site="lab").output


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("192.0.2.21", "https://192.0.2.21:8006"),
        ("'2001:db8::21'", "https://[2001:db8::21]:8006"),
        ("pve.example.net:8443", "https://pve.example.net:8443"),
        ("https://pve.example.net/", "https://pve.example.net"),
    ],
)
def test_an_address_is_completed(tmp_path, written, url):
    imported(a_tree(tmp_path, f"proxmox_api_host: {written}\nproxmox_token_id: a@pve!b\n"))
    assert fields()["api_url"] == url
