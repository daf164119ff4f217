"""Every noun is created, changed, replaced and deleted through the same door as in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from inventory.api.v1.views import Noun
from inventory.changes import change
from inventory.models import Alias, Authority, Change, Group, Host, Identity, Interface, Role, Service, Site
from tests.api.conftest import bearer, problem, wrong

#: address, what a new one needs, what is changed then
NOUNS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("roles", {"slug": "metrics", "code": "03"}, {"title": "Metrics"}),
    ("segments", {"name": "iot", "vlan": 30, "network4": "198.51.100.0/24"}, {"trust": "low", "jump_host": "pi01"}),
    ("hosts", {"name": "hv01", "form": "hv"}, {"notes": "loud", "console_kind": "sol", "power_outlet": "3"}),
    ("machines", {"host": "vm01", "memory": 4096, "template": "debian-13-"}, {"cores": 4, "rng": True}),
    ("interfaces", {"host": "pi01", "name": "eth1", "mac": "BC-24-11-CE-51-ED"}, {"switch_port": "7"}),
    ("services", {"host": "pi01", "name": "logs", "port": 443, "web_scheme": "https"}, {"port": 8443}),
    ("aliases", {"name": "artifacts", "service": "pi01/artifacts"}, {"name": "files"}),
    ("groups", {"name": "all_pis", "hosts": ["pi01"]}, {"priority": 5}),
    ("profiles", {"name": "builder", "hosts": ["pi01"]}, {"variables": {"packages": ["git"]}}),
    (
        "overrides",
        {"finding": "address-in-pool", "severity": "info", "expires": "2099-01-01", "why": "known"},
        {"subject": "host pi01"},
    ),
    (
        "emergencies",
        {"who": "ada", "why": "The router was gone.", "at": "2026-01-02T10:00:00Z"},
        {"done_at": "2026-01-03T10:00:00Z", "done_by": "bob"},
    ),
    ("projects", {"name": "lab", "location": "/srv/playbooks"}, {"location": "/srv/others"}),
    ("kitplaces", {"name": "stick", "kind": "mount", "location": "/media/stick"}, {"enabled": False}),
    ("schedules", {"name": "hourly", "kind": "survey", "every_hours": 1, "why": "VMIDs"}, {"enabled": False}),
]  # fmt: skip


@pytest.mark.parametrize(("noun", "new", "changed"), NOUNS, ids=[noun for noun, _, _ in NOUNS])
def test_a_noun_is_created_read_changed_and_deleted(administrator, site, host, noun, new, changed):
    with change(site, by="fixture"):
        Host(site=site, name="vm01", form="vm").save()
    made = administrator.post(noun, {"site": "lab", **new})
    assert made.status_code == 201, made.content
    told = made.json()
    assert told["site"] == "lab"
    address = f"{noun}/{told['id']}"
    assert made["Location"].endswith(f"/api/v1/{address}")
    read = administrator.get(address)
    assert (read.json(), read["ETag"]) == (told, made["ETag"])
    patched = administrator.patch(address, changed)
    assert patched.status_code == 200, patched.content
    assert patched.json().items() >= changed.items()
    put = administrator.put(address, patched.json())
    assert put.status_code == 200, put.content
    assert put.json() == patched.json(), "what was read can be sent back"
    assert "why" in wrong(administrator.delete(address))
    assert administrator.delete(address, mgmtplane_reason="a test").status_code == 204
    problem(administrator.get(address), 404)


def test_hypervisors_hold_a_reference_to_their_secret(administrator, site):
    assert administrator.post("hosts", {"site": "lab", "name": "hv01", "form": "hv"}).status_code == 201
    body = {"site": "lab", "host": "hv01", "api_url": "https://192.0.2.3:8006", "secret": "env:PVE"}
    made = administrator.post("hypervisors", body)
    assert made.status_code == 201, made.content
    address = f"hypervisors/{made.json()['id']}"
    assert "secret" in wrong(administrator.patch(address, {"secret": "hunter2"}))
    assert (
        "setting of this application"
        in wrong(administrator.patch(address, {"secret": "env:DATABASE_URL"}))["secret"]
    )


@pytest.mark.parametrize("scope", ["write", "provision"])
def test_where_the_token_of_a_hypervisor_is_sent_is_for_administrators(administrator, site, scope):
    caller = bearer(scope)
    assert caller.post("hosts", {"site": "lab", "name": "hv01", "form": "hv"}).status_code == 201
    body = {"site": "lab", "host": "hv01", "api_url": "https://192.0.2.3:8006", "secret": "env:PVE"}
    problem(caller.post("hypervisors", body), 403)
    address = f"hypervisors/{administrator.post('hypervisors', body).json()['id']}"
    problem(caller.patch(address, {"api_url": "https://198.51.100.66:8006"}), 403)
    assert caller.get(address).json()["api_url"] == "https://192.0.2.3:8006"


def test_what_a_machine_is_made_from_is_judged_with_field_and_way_out(writer, site):
    assert writer.post("hosts", {"site": "lab", "name": "pi07", "form": "pi"}).status_code == 201
    told = wrong(writer.post("machines", {"site": "lab", "host": "pi07", "data_disk": 20}))
    assert "is no virtual machine; set its form to vm first" in told["host"]
    assert "carries a serial" in told["data_disk_serial"]
    assert writer.post("hosts", {"site": "lab", "name": "vm07", "form": "vm"}).status_code == 201
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----"
    refused = writer.post("machines", {"site": "lab", "host": "vm07", "ssh_keys": key})
    assert "This is a private key" in wrong(refused)["ssh_keys"]
    assert b"b3BlbnNzaA" not in refused.content


def test_a_site_is_created_by_who_may_everywhere(administrator, person, writer):
    made = administrator.post("sites", {"slug": "lab", "root_domain": "example.net", "why": "new"})
    assert made.status_code == 201, made.content
    assert made.json()["revision"] == 1
    site = Site.objects.get()
    assert site.changes.get().why == "new"
    problem(writer.post("sites", {"slug": "two"}), 403)
    problem(person("administrator", site).post("sites", {"slug": "two"}), 403)
    changed = administrator.patch(f"sites/{site.pk}", {"name": "the lab"})
    assert (changed.json()["name"], changed.json()["revision"]) == ("the lab", 2)
    assert administrator.delete(f"sites/{site.pk}", mgmtplane_reason="over").status_code == 204


def test_a_site_of_the_same_name_is_refused(administrator, site):
    assert "already a site" in wrong(administrator.post("sites", {"slug": "lab"}))["slug"]


def test_authority_is_declared_with_a_reason_by_administrators_and_never_edited(administrator, writer, site):
    problem(writer.post("authority", {"site": "lab", "mode": "gateway", "why": "up"}), 403)
    assert "why" in wrong(administrator.post("authority", {"site": "lab", "mode": "gateway"}))
    made = administrator.post("authority", {"site": "lab", "mode": "gateway", "why": "the router is up"})
    assert made.status_code == 201, made.content
    assert made.json()["by"] == "ada"
    assert Authority.objects.get().by.username == "ada"
    assert administrator.get(f"sites/{site.pk}").json()["authority"] == "gateway"
    for method in ("put", "patch", "delete"):
        problem(getattr(administrator, method)(f"authority/{made.json()['id']}", {}), 405)


# --- hosts with what belongs to them ---


def interface(**more: Any) -> dict[str, Any]:
    return {"name": "eth0", "segment": "management", "addressing": "static", "ipv4": "192.0.2.20", **more}


def test_a_host_comes_with_its_interfaces_and_groups_in_one_change(writer, segment):
    before = Change.objects.count()
    assert writer.post("groups", {"site": "lab", "name": "pis"}).status_code == 201
    body = {
        "site": "lab",
        "name": "pi02",
        "form": "pi",
        "groups": ["pis"],
        "interfaces": [interface(), {"name": "eth1"}],
    }
    made = writer.post("hosts", body)
    assert made.status_code == 201, made.content
    assert [one["name"] for one in made.json()["interfaces"]] == ["eth0", "eth1"]
    assert made.json()["groups"] == ["pis"]
    assert Change.objects.count() == before + 2


def test_all_faults_of_a_host_and_its_interfaces_are_told_at_once(writer, segment):
    interfaces = [
        interface(mac="xyz"),
        interface(name="eth1", ipv4="198.51.100.1"),
        {"name": "eth2", "segment": "dmz"},
    ]
    types = wrong(writer.post("hosts", {"site": "lab", "name": "Pi 02", "interfaces": interfaces}))
    assert types == {"interfaces.2.segment": "Site lab has no segment “dmz”."}
    faults = wrong(writer.post("hosts", {"site": "lab", "name": "Pi 02", "interfaces": interfaces[:2]}))
    assert faults.keys() == {"name", "interfaces.0.mac", "interfaces.1.ipv4"}
    assert not Host.objects.exists()


def test_a_list_of_interfaces_is_the_whole_list(writer, host):
    address = f"hosts/{host.pk}"
    row = host.interfaces.get()
    added = writer.patch(address, {"interfaces": [{"name": "eth1", "primary": True}, {"name": "eth0"}]})
    assert added.status_code == 200, added.content
    assert [one["name"] for one in added.json()["interfaces"]] == ["eth1", "eth0"]
    assert added.json()["interfaces"][1]["id"] == row.pk
    assert added.json()["interfaces"][1]["ipv4"] == "192.0.2.10", "what is left out stays"
    assert "eth1" in wrong(writer.patch(address, {"interfaces": [{"name": "eth0"}]}))["why"]
    moved = writer.patch(
        address, {"interfaces": [{"name": "eth0", "primary": True}], "why": "eth1 is broken"}
    )
    assert [one["primary"] for one in moved.json()["interfaces"]] == [True]
    assert Identity.objects.filter(host=host, kind="mac").get().state == "held"


def test_the_primary_mark_moves_between_interfaces_in_one_change(writer, host):
    both = [{"name": "eth0", "primary": True}, {"name": "eth1", "primary": False}]
    assert writer.patch(f"hosts/{host.pk}", {"interfaces": both}).status_code == 200
    both = [{"name": "eth0", "primary": False}, {"name": "eth1", "primary": True}]
    assert writer.patch(f"hosts/{host.pk}", {"interfaces": both}).status_code == 200
    both[0]["primary"] = True
    assert "interfaces.1.primary" in wrong(writer.patch(f"hosts/{host.pk}", {"interfaces": both}))


def test_put_sets_back_what_it_leaves_out_and_keeps_what_belongs_to_the_host(writer, host):
    told = writer.put(f"hosts/{host.pk}", {"site": "lab", "name": "pi01"}).json()
    assert (told["form"], told["notes"]) == ("", "")
    assert [one["name"] for one in told["interfaces"]] == ["eth0"]
    assert told["groups"] == ["pis"]
    assert "name" in wrong(writer.put(f"hosts/{host.pk}", {"notes": "x"}))


def test_memberships_are_lists_of_names_on_either_side(writer, host):
    group = Group.objects.get()
    assert writer.patch(f"hosts/{host.pk}", {"groups": []}).json()["groups"] == []
    assert writer.patch(f"groups/{group.pk}", {"hosts": ["pi01"]}).json()["hosts"] == ["pi01"]
    assert wrong(writer.patch(f"groups/{group.pk}", {"hosts": ["pi01", "nobody", 3]})) == {
        "hosts.1": "Site lab has no host “nobody”.",
        "hosts.2": "Write a name.",
    }


def test_groups_form_no_circle(writer, host):
    group = Group.objects.get()
    above = writer.post("groups", {"site": "lab", "name": "all_pis"}).json()
    assert writer.patch(f"groups/{group.pk}", {"parents": ["all_pis"]}).json()["parents"] == ["all_pis"]
    assert writer.get(f"groups/{above['id']}").json()["children"] == ["pis"]
    assert "no circle" in wrong(writer.patch(f"groups/{above['id']}", {"parents": ["pis"]}))["parents"]


# --- what is refused ---


def test_what_another_host_has_is_refused_with_the_path_of_the_field(writer, host):
    taken = [interface(mac="BC-24-11-CE-51-EC", ipv4="192.0.2.10")]
    faults = wrong(writer.post("hosts", {"site": "lab", "name": "pi02", "interfaces": taken}), 409)
    assert faults.keys() == {"interfaces.0.mac", "interfaces.0.ipv4"}
    assert "belongs to pi01" in faults["interfaces.0.ipv4"]


def test_what_is_still_used_is_not_deleted(administrator, host, segment):
    told = problem(administrator.delete(f"segments/{segment.pk}", mgmtplane_reason="over"), 409)
    assert "pi01/eth0" in told["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "pi02", "vmid": "200"}, "vmid"),
        ({"name": "pi02", "vmid": True}, "vmid"),
        ({"name": "pi02", "vmid": 10**18}, "vmid"),
        ({"name": "pi02", "vmid": 10**40}, "vmid"),
        ({"name": "pi02", "status": "broken"}, "status"),
        ({"name": "pi02", "status": ["active"]}, "status"),
        ({"name": "pi02", "variables": []}, "variables"),
        ({"name": "pi02", "variables": {"a": "\0"}}, "variables.a"),
        ({"name": "pi02", "notes": "\ud800"}, "notes"),
        ({"name": "pi02", "interfaces": {}}, "interfaces"),
        ({"name": "pi02", "interfaces": [5]}, "interfaces.0"),
        ({"name": "pi02", "interfaces": [{"name": "eth0", "primary": "yes"}]}, "interfaces.0.primary"),
        ({"name": "pi02", "interfaces": [{"name": "eth0", "colour": 1}]}, "interfaces.0.colour"),
        ({"name": "pi02", "groups": "pis"}, "groups"),
        ({"name": "pi02", "role": 7}, "role"),
        ({"name": "pi02", "colour": "red"}, "colour"),
        ({"name": "pi02", "id": 7}, "id"),
        ({"name": "pi02", "why": 7}, "why"),
        ({"name": "pi02", "site": "nowhere"}, "site"),
        ({"name": "pi02", "site": 7}, "site"),
        ({"name": "pi02", "site": None}, "site"),
    ],
)
def test_what_cannot_be_taken_is_said_in_words(writer, segment, body, field):
    faults = wrong(writer.post("hosts", {"site": "lab", **body}))
    assert field in faults, faults
    assert not Host.objects.exists()


def test_a_misspelt_field_is_recognised(writer, site):
    assert (
        "did you mean form?"
        in wrong(writer.post("hosts", {"site": "lab", "name": "pi02", "from": "pi"}))["from"]
    )


def test_what_the_application_sets_is_taken_back_unchanged_only(writer, host):
    assert writer.patch(f"hosts/{host.pk}", {"id": host.pk}).status_code == 200
    assert "set by the application" in wrong(writer.patch(f"hosts/{host.pk}", {"id": host.pk + 1}))["id"]
    assert "keeps its site" in wrong(writer.patch(f"hosts/{host.pk}", {"site": "home"}))["site"]


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": 1, "a": 2}',
        b'{"site": ' + b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}",
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(writer, site, raw):
    problem(writer.post("hosts", raw=raw), 400)


def test_another_kind_of_body_is_refused(writer, site):
    response = writer.client.post("/api/v1/hosts", {"name": "pi02"})
    problem(response, 415)


def test_a_body_that_is_too_large_is_refused(writer, site, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(writer.post("hosts", {"site": "lab", "name": "pi02", "notes": "x" * 2000}), 413)


def test_nothing_new_is_no_change(writer, host):
    before = Site.objects.get().revision
    told = writer.get(f"hosts/{host.pk}").json()
    assert writer.put(f"hosts/{host.pk}", told).status_code == 200
    assert Site.objects.get().revision == before


def test_a_fault_inside_is_a_problem_without_its_words(writer, host, monkeypatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("inventory.api.v1.views.WritableNoun.opened", broken)
    told = problem(writer.patch(f"hosts/{host.pk}", {"notes": ""}), 500)
    assert "hunter2" not in str(told)


# --- who ---


def test_who_reads_does_not_write(reader, host, person, site):
    for api in (reader, person("viewer", site)):
        problem(api.post("hosts", {"site": "lab", "name": "pi02"}), 403)
        problem(api.patch(f"hosts/{host.pk}", {"notes": "x"}), 403)
        problem(api.post(f"hosts/{host.pk}/retire", {"why": "x"}), 403)


def test_who_works_deletes_no_host(writer, person, host, site):
    for api in (writer, person("operator", site)):
        problem(api.delete(f"hosts/{host.pk}", mgmtplane_reason="x"), 403)
    assert (
        person("administrator", site).delete(f"hosts/{host.pk}", mgmtplane_reason="sold").status_code == 204
    )


def test_a_write_counts_at_the_site_of_the_row(host, elsewhere, site, person):
    hidden = elsewhere.hosts.get()
    for api in (bearer("write", site), person("operator", site)):
        assert "may not see it" in wrong(api.post("hosts", {"site": "home", "name": "pi02"}))["site"]
        problem(api.patch(f"hosts/{hidden.pk}", {"notes": "x"}), 404)
        problem(api.post(f"segments/{elsewhere.segments.get().pk}/allocate", {"host": "hidden"}), 404)


def test_who_works_at_one_site_and_looks_at_another_does_not_write_there(host, elsewhere, site, person):
    from django.contrib.auth.models import User

    from inventory.models import Grant

    api = person("operator", site)
    Grant.objects.create(user=User.objects.get(username="kim-operator"), site=elsewhere, level="viewer")
    problem(api.post("hosts", {"site": "home", "name": "pi02"}), 403)
    problem(api.patch(f"hosts/{elsewhere.hosts.get().pk}", {"notes": "x"}), 403)
    assert api.patch(f"hosts/{host.pk}", {"notes": "x"}).status_code == 200


def test_a_session_without_its_csrf_token_does_not_write(administrator, host):
    administrator.client.handler.enforce_csrf_checks = True
    assert "CSRF" in problem(administrator.patch(f"hosts/{host.pk}", {"notes": "x"}), 403)["detail"]
    assert administrator.get(f"hosts/{host.pk}").status_code == 200


def test_the_change_names_the_token(writer, host):
    writer.patch(f"hosts/{host.pk}", {"notes": "x"}, mgmtplane_reason="größer".encode().decode("latin-1"))
    newest = Change.objects.first()
    assert (newest.by, newest.by_name, newest.source) == (None, "token write all", "api")
    assert newest.why == "größer"
    assert host.history.first().history_user is None


# --- lost updates ---


def test_a_lost_update_is_refused(writer, host):
    address = f"hosts/{host.pk}"
    seen = writer.get(address)["ETag"]
    assert writer.patch(address, {"notes": "mine"}, if_match=seen).status_code == 200
    refused = writer.patch(address, {"notes": "yours"}, if_match=seen)
    problem(refused, 412)
    assert refused["ETag"] == writer.get(address)["ETag"]
    assert Host.objects.get().notes == "mine"
    assert writer.patch(address, {"notes": "yours"}, if_match=refused["ETag"]).status_code == 200
    assert writer.patch(address, {"notes": "anyone's"}, if_match="*").status_code == 200


def test_a_lost_deletion_is_refused(administrator, host):
    address = f"hosts/{host.pk}"
    problem(administrator.delete(address, if_match='"stale"', mgmtplane_reason="x"), 412)
    problem(administrator.put(address, {"name": "pi01"}, if_match='W/"weak"'), 412)
    problem(administrator.post(f"{address}/retire", {"why": "x"}, if_match='"stale"'), 412)


def test_if_match_is_compared_behind_the_lock(writer, host, monkeypatch):
    """Somebody else is faster between the first look and the lock."""
    from inventory.api.v1.views import WritableNoun

    door = WritableNoun.door

    def late(self, site, why):
        with change(site, by="somebody"):
            row = Host.objects.get(pk=host.pk)
            row.notes = "faster"
            row.save()
        return door(self, site, why)

    seen = writer.get(f"hosts/{host.pk}")["ETag"]
    monkeypatch.setattr(WritableNoun, "door", late)
    problem(writer.patch(f"hosts/{host.pk}", {"notes": "slower"}, if_match=seen), 412)
    assert Host.objects.get().notes == "faster"


# --- acts ---


def test_a_host_is_retired_and_reactivated_with_a_reason(writer, host):
    assert "why" in wrong(writer.post(f"hosts/{host.pk}/retire"))
    assert "why" in wrong(writer.patch(f"hosts/{host.pk}", {"status": "retired"}))
    told = writer.post(f"hosts/{host.pk}/retire", {"why": "sold"})
    assert (told.status_code, told.json()["status"]) == (200, "retired")
    assert Identity.objects.filter(kind="mac").get().state == "quarantined"
    assert writer.post(f"hosts/{host.pk}/retire", {"why": "again"}).status_code == 200
    back = writer.post(f"hosts/{host.pk}/reactivate", mgmtplane_reason="bought back")
    assert back.json()["status"] == "active"


def test_another_name_and_coming_back_by_status_need_a_reason(writer, host):
    address = f"hosts/{host.pk}"
    assert "nothing was renamed" in wrong(writer.patch(address, {"name": "pi02"}))["why"]
    assert writer.patch(address, {"name": "pi02", "why": "the second"}).status_code == 200
    assert writer.patch(address, {"status": "retired", "why": "gone"}).status_code == 200
    assert "reactivated" in wrong(writer.patch(address, {"status": "active"}))["why"]
    assert writer.patch(address, {"status": "active", "why": "found"}).status_code == 200


def test_what_another_host_has_by_now_keeps_a_host_retired(writer, administrator, host):
    writer.post(f"hosts/{host.pk}/retire", {"why": "sold"})
    identity = Identity.objects.get(kind="ip")
    problem(writer.post(f"identities/{identity.pk}/free", {"why": "x"}), 403)
    assert administrator.post(f"identities/{identity.pk}/free", {"why": "gone"}).json()["state"] == "released"
    problem(administrator.post(f"identities/{identity.pk}/free", {"why": "gone"}), 409)
    assert "why" in wrong(administrator.post(f"identities/{identity.pk}/free"))
    body = {"site": "lab", "name": "pi02", "interfaces": [interface(ipv4="192.0.2.10")]}
    assert writer.post("hosts", body).status_code == 201
    assert "belongs to pi02" in str(wrong(writer.post(f"hosts/{host.pk}/reactivate", {"why": "back"}), 409))


def test_a_service_moves_to_another_host(writer, host):
    assert writer.post("hosts", {"site": "lab", "name": "pi02"}).status_code == 201
    service = Service.objects.get()
    assert writer.patch(f"services/{service.pk}", {"host": "pi02"}).json()["host"] == "pi02"
    made = writer.post("aliases", {"site": "lab", "name": "files", "service": "pi02/artifacts"})
    assert made.status_code == 201
    assert Alias.objects.get().service == service


def test_an_assigned_mac_is_not_edited(writer, host):
    with change(host.site, by="fixture"):
        row = Interface(host=host, name="eth1", mac="02:de:20:01:00:01", mac_kind="assigned")
        row.save()
    assert "re-identify" in wrong(writer.patch(f"interfaces/{row.pk}", {"mac": "02:de:20:01:00:02"}))["mac"]


def test_what_was_stored_when_the_database_went_is_said_to_be_stored(administrator, site, monkeypatch):
    def gone(*_: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(Noun, "shown", gone)
    told = administrator.post("roles", {"site": "lab", "slug": "metrics", "code": "03"})
    assert "The change was stored" in problem(told, 503)["detail"] and "Retry-After" not in told
    row = Role.objects.get(slug="metrics")
    assert (
        "The change was stored"
        in problem(administrator.patch(f"roles/{row.pk}", {"title": "M"}), 503)["detail"]
    )
    row.refresh_from_db()
    assert row.title == "M"
