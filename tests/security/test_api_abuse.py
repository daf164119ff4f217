"""The API asked for more than it gives: fields that are not the caller's, rows of elsewhere, pages without an end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inventory.api.v1.nouns.views import NOUNS
from inventory.models import Group, Host, Interface, Service, Site, Token
from tests.access.two_sites import person, signed_in

pytestmark = pytest.mark.django_db
MAC = "02:00:00:00:00:09"


def bearer(site: Site | None, scope: str = "write", **more: Any) -> tuple[Client, Token, str]:
    token = Token(name=f"t {scope} {site}", site=site, scope=scope, **more)
    plain = token.issue()
    token.save()
    return Client(headers={"Authorization": f"Bearer {plain}"}), token, plain


def send(client: Client, method: str, at: str, body: Any) -> Any:
    return getattr(client, method)(f"/api/v1/{at}", body, content_type="application/json")


NOT_OURS_TO_SET = {
    "hosts": ("id", "site_id", "revision", "sealed", "written", "history", "role_id", "services", "pk", "site__slug"),
    "groups": ("id", "kind", "sealed", "written", "revision", "site_id"),
    "segments": ("id", "written", "sealed", "site_id", "revision"),
    "sites": ("id", "uid", "revision", "zone_serials", "sealed", "written", "mapping_id"),
    "interfaces": ("id", "host_id", "segment_id", "switch_id", "written", "site_id"),
    "services": ("id", "site_id", "host_id"),
}  # fmt: skip
ROWS = {
    "hosts": "host",
    "groups": "group",
    "segments": "segment",
    "sites": "site",
    "interfaces": "interface",
    "services": "service",
}


@pytest.mark.parametrize("noun", NOT_OURS_TO_SET)
def test_what_the_application_sets_is_set_by_nobody_else(ours, noun):
    client = signed_in(person("root", is_superuser=True))
    row = ours[ROWS[noun]]
    before = {
        field.attname: getattr(type(row).objects.get(pk=row.pk), field.attname)
        for field in row._meta.concrete_fields
    }
    for name in NOT_OURS_TO_SET[noun]:
        for value in (424242, {"a": 1}, ["x"], "x"):
            answer = send(client, "patch", f"{noun}/{row.pk}", {name: value})
            assert answer.status_code == 400, (name, value)
            assert any(one["field"].startswith(name) for one in answer.json()["errors"]), (
                name,
                answer.json(),
            )
    after = {
        field.attname: getattr(type(row).objects.get(pk=row.pk), field.attname)
        for field in row._meta.concrete_fields
    }
    assert after == before


@pytest.mark.parametrize("who", ["token", "person"])
def test_nothing_of_ones_own_moves_to_another_site_nor_points_there(ours, theirs, who):
    if who == "token":
        client = bearer(ours.site)[0]
    else:
        client = signed_in(person("kim", (ours.site, "administrator")))
    host, interface, service, group = (ours[noun].pk for noun in ("host", "interface", "service", "group"))
    tried = [
        ("patch", f"hosts/{host}", {"site": "theirs"}),
        ("patch", f"hosts/{host}", {"role": "theirs-role"}),
        ("patch", f"hosts/{host}", {"hypervisor": "theirs-host"}),
        ("patch", f"hosts/{host}", {"groups": ["theirs_group"]}),
        ("patch", f"hosts/{host}", {"profiles": ["theirs_profile"]}),
        ("patch", f"hosts/{host}", {"interfaces": [{"name": "eth0", "segment": "theirs-segment"}]}),
        ("patch", f"hosts/{host}", {"interfaces": [{"id": theirs["interface"].pk, "name": "eth0", "mac": MAC}]}),
        ("patch", f"interfaces/{interface}", {"host": "theirs-host"}),
        ("patch", f"interfaces/{interface}", {"switch": "theirs-host"}),
        ("patch", f"services/{service}", {"host": "theirs-host"}),
        ("patch", f"groups/{group}", {"hosts": ["theirs-host"]}),
        ("patch", f"groups/{group}", {"children": ["theirs_parent"]}),
        ("post", "hosts", {"site": "theirs", "name": "new01"}),
        ("post", "services", {"site": "ours", "host": "theirs-host", "name": "new"}),
        ("post", "interfaces", {"site": "ours", "host": "theirs-host", "name": "eth7"}),
        ("post", "interfaces", {"site": "theirs", "host": "theirs-host", "name": "eth7"}),
        ("post", "aliases", {"site": "ours", "name": "new", "service": "theirs-service"}),
    ]  # fmt: skip
    for method, at, body in tried:
        answer = send(client, method, at, body)
        assert answer.status_code in (200, 400, 403), (at, body, answer.content)
        assert b"theirs-name" not in answer.content
    moved = Interface.objects.get(pk=theirs["interface"].pk)
    assert (moved.host_id, moved.mac) == (theirs["host"].pk, "bc:24:11:00:00:02")
    for model in (Host, Group, Service):
        assert not model.objects.filter(site=theirs.site, name__startswith="new").exists()
    row = Host.objects.get(pk=host)
    assert row.site_id == ours.site.pk and row.role_id == ours["role"].pk and row.hypervisor_id is None
    assert set(row.memberships.values_list("group__name", flat=True)) == {"ours_group"}
    assert Interface.objects.get(pk=interface).segment_id == ours["segment"].pk
    assert Site.objects.get(pk=theirs.site.pk).revision == theirs.site.revision


def test_every_row_of_another_site_is_out_of_reach_by_its_number(ours, theirs):
    client, _, _ = bearer(ours.site)
    seen = 0
    for noun in NOUNS:
        for row in theirs.rows.values():
            for method in ("get", "put", "patch", "delete"):
                at = f"{noun}/{row.pk}"
                own = client.get(f"/api/v1/{at}")
                if own.status_code == 200:  # a number of ours as well
                    assert b"theirs" not in own.content, at
                    continue
                seen += 1
                answer = own if method == "get" else send(client, method, at, {"why": "x", "name": "x"})
                assert answer.status_code in (403, 404, 405), (method, at)
    assert seen > 100
    assert Site.objects.get(pk=theirs.site.pk).revision == theirs.site.revision


# --- tokens ---


@pytest.mark.parametrize(
    "address", ["/api/v1/hosts", "/api/v1/resolve?q=x", "/export/ours/csv", "/inventory/ours/"]
)
def test_a_token_is_taken_from_its_header_alone(ours, address):
    client, token, plain = bearer(ours.site, "read")
    stranger = Client()
    joint = "&" if "?" in address else "?"
    for name in ("token", "access_token", "api_key", "key", "authorization", "bearer"):
        assert stranger.get(f"{address}{joint}{name}={plain}").status_code == 401
    stranger.cookies["token"] = stranger.cookies["Authorization"] = plain
    assert stranger.get(address).status_code == 401
    for header in (
        f"Basic {plain}",
        plain,
        f"Token {plain}",
        f"Bearer {plain}x",
        f"Bearer {plain[:-1]}",
        "Bearer",
        "Bearer ",
        f"Bearer {token.digest}",
    ):
        answer = stranger.get(address, headers={"Authorization": header})
        assert answer.status_code == 401 and plain.encode() not in answer.content, header
    assert client.get(address).status_code in (200, 403)


@pytest.mark.parametrize("address", ["/api/v1/hosts", "/export/ours/csv", "/inventory/ours/"])
def test_a_token_that_expired_or_was_revoked_opens_nothing(ours, address):
    client, token, _ = bearer(ours.site)
    assert client.get(address).status_code == 200
    Token.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert client.get(address).status_code == 401
    assert send(client, "post", "hosts", {"site": "ours", "name": "new01"}).status_code == 401
    Token.objects.filter(pk=token.pk).update(expires=None)
    assert client.get(address).status_code == 200
    token.delete()
    assert client.get(address).status_code == 401


def test_a_token_does_not_lean_on_a_session_that_may_more(ours, theirs):
    client = signed_in(person("root", is_superuser=True))
    _, _, plain = bearer(ours.site, "read")
    as_token = {"Authorization": f"Bearer {plain}"}
    assert b"theirs" not in client.get("/api/v1/hosts", headers=as_token).content
    at = f"/api/v1/hosts/{ours['host'].pk}"
    assert (
        client.patch(at, {"notes": "x"}, content_type="application/json", headers=as_token).status_code == 403
    )
    assert client.get("/api/v1/hosts", headers={"Authorization": "Bearer wrong"}).status_code == 401


# --- lists ---

LIMITS = [
    "10**9",
    "1000000000",
    "1001",
    "-1",
    "0",
    "1.5",
    "1e3",
    "\u0661",
    "\u00b2",
    "0x10",
    " 5",
    "",
    "99999999999999999999",
    "null",
    "5;drop",
    "%00",
]


@pytest.mark.parametrize("number", range(len(LIMITS)))
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_a_page_has_an_end(ours, name, number):
    client, _, _ = bearer(ours.site, "read")
    for noun in ("hosts", "changes", "identities"):
        answer = client.get(f"/api/v1/{noun}", {name: LIMITS[number]})
        if name == "offset" and LIMITS[number] in ("0", "1000000000", "1001"):
            assert answer.status_code == 200
        else:
            assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == name


HIDDEN = {
    "tokens": ("digest", "-digest", "last_etag"),
    "hosts": ("sealed", "written", "variables", "site__tokens__digest", "role__site__uid", "?", "pk", "-", "name,"),
    "groups": ("sealed", "variables"),
    "changes": ("by__password", "-by__password", "by__email", "by__is_superuser", "batch"),
    "sites": ("uid", "sealed", "tokens__digest", "grants__user__password"),
    "consumers": ("token__digest",),
}  # fmt: skip


@pytest.mark.parametrize("noun", HIDDEN)
def test_what_is_hidden_is_neither_ordered_nor_narrowed_by(ours, noun):
    """An order, or a filter by comparison, would tell a secret letter by letter."""
    client = signed_in(person("root", is_superuser=True))
    for column in HIDDEN[noun]:
        ordered = client.get(f"/api/v1/{noun}", {"ordering": column})
        assert ordered.status_code in (400, 404), column
        for lookup in ("", "__startswith", "__gt", "__regex", "__isnull", "__in"):
            name = column.lstrip("-") + lookup
            if name not in ("", "?", "name,", "pk"):
                assert client.get(f"/api/v1/{noun}", {name: "a"}).status_code in (400, 404), name


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1 --",
        "%",
        "_",
        "%%%s",
        "\\",
        "ours'; DROP TABLE inventory_host; --",
        "${7*7}",
        "{{7*7}}",
        "[[:alpha:]]",
        "(a+)+$",
        "\ud7ff",
        "a" * 201,
    ],
)
@pytest.mark.parametrize("name", ["search", "name", "role", "segment", "site", "mac", "address", "form"])
def test_a_filter_is_a_value_and_no_pattern(ours, name, text):
    client, _, _ = bearer(ours.site, "read")
    before = Host.objects.count()
    answer = client.get("/api/v1/hosts", {name: text})
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json()["count"] == 0
    assert Host.objects.count() == before


HASHES = [
    ("user", "password__startswith"), ("user", "grants__user__password__gt"), ("change", "by__password__startswith"),
    ("token", "digest__startswith"), ("token", "digest__gt"), ("grant", "user__password__regex"),
    ("consumer", "token__digest__startswith"), ("host", "site__tokens__digest__startswith"),
    ("authority", "by__password__startswith"), ("site", "tokens__digest__startswith"),
    ("identity", "site__grants__user__password__startswith"),
]  # fmt: skip


def test_lists_of_the_admin_are_not_narrowed_by_what_is_hidden(ours):
    """Django's ``?by__password__startswith=`` would tell a hash letter by letter."""
    kim = signed_in(person("kim", (ours.site, "administrator")))
    everywhere = signed_in(person("lee", is_superuser=True))
    for client in (kim, everywhere):
        for noun, name in HASHES:
            for path in ("", "csv/"):
                answer = client.get(
                    f"/admin/{'auth' if noun == 'user' else 'inventory'}/{noun}/{path}", {name: "a"}
                )
                assert answer.status_code in (302, 400, 403, 404), (noun, name, path)


def test_a_body_of_very_many_interfaces_is_refused_at_once(ours):
    client, _, _ = bearer(ours.site)
    body = {"interfaces": [{"name": f"e{n}"} for n in range(100_000)]}
    answer = send(client, "patch", f"hosts/{ours['host'].pk}", body)
    assert answer.status_code == 400 and len(answer.content) < 10_000
