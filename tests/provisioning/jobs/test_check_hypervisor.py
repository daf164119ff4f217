"""The check of a hypervisor: each line passes or fails, with the way out, and nothing is changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from inventory.changes import change
from inventory.models import Host, Hypervisor, Site
from provisioning.requests import Refused
from provisioning.surveying import checking
from tests.provisioning.jobs.conftest import declare_lab, do
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN, minimal
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

READING = {"/vms": {"VM.Audit": 1}, "/storage": {"Datastore.Audit": 1}}


def declare(lab, **fields):
    row = Hypervisor.objects.get()
    with change(lab, by="fixture", why="another declaration"):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


def give(pve, token, acl):
    pve.change(tokens={token: {"secret": SECRETS[token], "privsep": 1, "acl": acl}})


def check(lab):
    return do("check_hypervisor", lab, host="hv01")


def said(job, state):
    return [text.partition(": ")[2] for text in texts(job) if text.startswith(f"{state}: ")]


def test_everything_is_as_it_has_to_be(each_version, db):
    lab = declare_lab(each_version)
    job = check(lab)
    assert job.state == "succeeded", job.message
    assert said(job, "fail") == said(job, "warn") == []
    assert [text.partition(":")[0] for text in said(job, "pass")] == [
        *("address", "certificate", "certificate's end", "version", "node", "reading", "writing"),
        *("storage", "backups", "bridge"),
    ]
    assert job.outcome == {"passed": 10, "warned": 0, "failed": 0}
    assert job.message == "hv01 can be worked with."
    assert each_version.writes() == []


def test_the_writing_token_is_used_only_to_ask_what_it_may_and_which_bridges_it_sees(lab, pve):
    check(lab)
    asked = {each["path"] for each in pve.requests() if each["token"] == WRITE_TOKEN}
    assert asked == {"/access/permissions", "/nodes/pve/network"}


def test_what_the_writing_token_lacks_and_has_too_much_is_named_with_its_path(each_version, db):
    lab = declare_lab(each_version)
    version = each_version.reader().version().text
    acl = minimal(version)
    del acl["/vms"]["VM.Config.Network"]
    acl["/vms"]["Permissions.Modify"] = 1
    give(each_version, WRITE_TOKEN, acl)
    job = check(lab)
    assert job.state == "failed"
    (lacks,) = said(job, "fail")
    assert lacks.startswith(f"writing: {WRITE_TOKEN} lacks VM.Config.Network on /vms") and "Give it" in lacks
    (excess,) = said(job, "warn")
    assert f"{WRITE_TOKEN} has Permissions.Modify on /vms, which it does not need." in excess
    assert job.message.startswith(lacks[:40])


@pytest.mark.parametrize("path", ["/vms", "/pool/mgmt"])
def test_with_a_pool_rights_on_it_will_do_and_so_will_rights_on_all_machines(lab, pve, path):
    acl = minimal("9.1")
    acl[path] = acl.pop("/vms")
    give(pve, WRITE_TOKEN, acl)
    declare(lab, pool="mgmt")
    job = check(lab)
    assert job.state == "succeeded", said(job, "fail")


def test_a_reading_token_that_may_write_is_a_warning_and_one_that_sees_a_part_a_failure(lab, pve):
    give(pve, READ_TOKEN, {"/vms": {"VM.PowerMgmt": 1}, "/storage": {"Datastore.Audit": 1}})
    job = check(lab)
    (lacks,) = said(job, "fail")
    assert lacks.startswith(f"reading: {READ_TOKEN} lacks VM.Audit on /vms")
    (excess,) = said(job, "warn")
    assert f"{READ_TOKEN} has VM.PowerMgmt on /vms" in excess and "looking does not need it" in excess


def test_one_token_for_both_is_a_warning(lab, pve):
    declare(lab, read_token_id="", read_secret="")
    job = check(lab)
    assert job.state == "succeeded" and job.message == "hv01 can be worked with, with 1 warning."
    assert said(job, "warn") == [
        f"reading: {WRITE_TOKEN} reads and writes. Declare a second token that may only look."
    ]


def test_a_changed_fingerprint_is_one_clear_message_and_no_token_is_sent(lab, pve):
    other = ":".join(["AB"] * 32)
    declare(lab, ca_file="", fingerprint=other)
    job = check(lab)
    (fails,) = said(job, "fail")
    assert fails == (
        f"certificate: it shows {pve.fingerprint}, and declared is {other}; no token was sent. Compare at its console: "
        "pvenode cert info. Was it renewed, declare the new one; else somebody stands between."
    )
    assert pve.requests() == []
    declare(lab, fingerprint=pve.fingerprint)
    assert check(lab).state == "succeeded"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"ca_file": ""}, "certificate: no CA of this system signed it; it shows "),
        ({"ca_file": "/nowhere/ca.pem"}, "certificate: /nowhere/ca.pem did not sign it, or"),
        ({"api_url": "https://127.0.0.1:1"}, "address: Proxmox at 127.0.0.1:1 cannot be reached"),
        ({"node": "other"}, "node: There is no node other at "),
        ({"storage": "tank"}, "storage: tank is not active there; disks fit on: local-lvm. Declare one"),
        ({"storage": "local"}, "storage: local takes no disk images; disks fit on: local-lvm."),
        ({"read_secret": "env:PVE_TOKEN"}, f"reading: {READ_TOKEN}: Proxmox does not accept the API token"),
        ({"secret": "env:PVE_READ_TOKEN"}, f"writing: {WRITE_TOKEN}: Proxmox does not accept the API token"),
        ({"read_secret": ""}, "declaration: The reading token of hv01 lacks the reference to its secret."),
        ({"secret": "vault:pve"}, "declaration: The API token of hv01: host hv01 has no variable pve; declare it, sealed"),
        ({"secret": "env:NOWHERE"}, "declaration: The API token of hv01: The environment variable NOWHERE is not"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_first_with_the_way_out(lab, pve, fields, line):
    declare(lab, **fields)
    job = check(lab)
    assert job.state == "failed"
    assert any(text.startswith(line) for text in said(job, "fail")), said(job, "fail")
    assert pve.writes() == []


@pytest.mark.parametrize("held", [{"/99": 1}, {"": 0}])
def test_single_vlans_or_the_bridge_without_its_vlans_are_not_enough(lab, pve, held):
    acl, bridge = minimal("9.1"), "/sdn/zones/localnetwork/vmbr0"
    del acl[bridge]
    give(pve, WRITE_TOKEN, acl | {bridge + below: {"SDN.Use": holds} for below, holds in held.items()})
    (lacks,) = said(check(lab), "fail")
    assert lacks.startswith(f"writing: {WRITE_TOKEN} lacks SDN.Use on {bridge}")


def test_of_many_that_fail_the_message_names_the_first_and_how_many(lab, pve):
    declare(lab, storage="tank", bridge="vmbr7")
    job = check(lab)
    fails = said(job, "fail")
    assert len(fails) == job.outcome["failed"] == 3
    assert job.message == (
        f"3 of {sum(job.outcome.values())} lines failed; each that begins with “fail” says what to do. The first: {fails[0]}"
    )


def test_a_bridge_that_is_not_there_fails(lab, pve):
    declare(lab, bridge="vmbr7")
    fails = said(check(lab), "fail")
    assert any(text.startswith("bridge: vmbr7 is not there, or") and "vmbr0" in text for text in fails)


def test_a_certificate_near_its_end_is_a_warning(lab, pve, monkeypatch):
    monkeypatch.setattr(checking, "SOON", timedelta(days=36500))
    (warned,) = said(check(lab), "warn")
    assert warned.startswith("certificate's end: it expires on ")


def test_an_answer_that_is_none_ends_the_check_with_a_failed_line(lab, pve):
    pve.fault("html", "GET", "/nodes/pve/storage")
    job = check(lab)
    assert job.state == "failed"
    (fails,) = said(job, "fail")
    assert fails.startswith("answers: nothing further was looked at:")


def test_no_secret_is_said(lab, pve):
    declare(lab, read_secret="env:PVE_TOKEN")
    everything = " ".join(texts(check(lab)))
    assert not any(secret in everything for secret in SECRETS.values())


def test_a_file_that_became_ours_after_it_was_declared_is_not_sent(lab, pve, tmp_path, settings):
    kept = tmp_path / "secret_key"
    kept.write_text(SECRETS[READ_TOKEN])
    kept.chmod(0o600)
    declare(lab, read_secret=f"file:{kept}")
    assert check(lab).state == "succeeded", "it is the token that the node knows"
    pve.forget()
    settings.DATA_DIR = tmp_path
    (fails,) = said(check(lab), "fail")
    assert "lies in DATA_DIR" in fails and "a file of its own" in fails
    assert not [each for each in pve.requests() if each["token"] == READ_TOKEN]


def test_it_needs_a_declared_api(lab):
    with pytest.raises(Refused, match="has no hypervisor hv09; there are: hv01"):
        do("check_hypervisor", lab, host="hv09")
    with change(lab, by="fixture", why="one more"):
        Host(site=lab, name="hv02", form="hv").save()
    with pytest.raises(Refused, match="The API of hv02 is not declared"):
        do("check_hypervisor", lab, host="hv02")


def test_the_shell_finds_the_site_by_the_host_if_only_one_has_it(lab, capsys):
    call_command("job", "check_hypervisor", "--host=hv01", "--plan")
    assert "check the way into hv01" in capsys.readouterr().out
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="fixture", why="a second one"):
        Host(site=other, name="hv01", form="hv").save()
    with pytest.raises(CommandError, match="Several sites have a host hv01: lab, other"):
        call_command("job", "check_hypervisor", "--host=hv01", "--plan")
