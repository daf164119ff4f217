"""Lists and objects: what they look like, who sees them, pages, filters, conditions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.api.conftest import Api, bearer, problem, signed_in, wrong


def names(response, field="name"):
    assert response.status_code == 200, response.content
    return [row[field] for row in response.json()["results"]]


def test_a_host_is_read_with_all_that_belongs_to_it(reader, host):
    told = reader.get(f"hosts/{host.pk}").json()
    assert (told["site"], told["name"], told["groups"], told["services"]) == (
        "lab",
        "pi01",
        ["pis"],
        ["artifacts"],
    )
    (interface,) = told["interfaces"]
    assert interface["mac"] == "bc:24:11:ce:51:ec"
    assert interface["segment"] == "management"
    assert interface["segment_id"] == host.interfaces.get().segment_id


def test_a_list_has_a_count_and_links_to_its_neighbours(reader, host, elsewhere):
    told = reader.get("hosts?limit=1&ordering=-name").json()
    assert told["count"] == 2
    assert [row["name"] for row in told["results"]] == ["pi01"]
    assert told["previous"] is None
    assert told["next"].endswith("/api/v1/hosts?limit=1&offset=1&ordering=-name")


def test_without_a_token_or_a_session_nothing_is_told(db):
    response = Api().get("hosts")
    problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("given", ["Bearer nonsense", "Basic YTpi", "Bearer"])
def test_an_unknown_token_is_refused(db, given):
    response = Api(authorization=given).get("hosts")
    problem(response, 401)
    assert 'error="invalid_' in response["WWW-Authenticate"]


def test_an_expired_token_is_refused(db):
    told = problem(bearer("read", expires=timezone.now() - timedelta(days=1)).get("hosts"), 401)
    assert "expired" in told["detail"]


def test_a_token_for_exports_alone_does_not_open_the_api(db):
    assert "kea" in problem(bearer("read", formats=["kea"]).get("hosts"), 403)["detail"]


def test_a_token_of_one_site_sees_that_site_alone(site, host, elsewhere):
    api = bearer("read", site)
    assert names(api.get("hosts")) == ["pi01"]
    assert names(api.get("sites"), "slug") == ["lab"]
    hidden = elsewhere.hosts.get()
    problem(api.get(f"hosts/{hidden.pk}"), 404)
    problem(api.get(f"sites/{elsewhere.pk}"), 404)
    problem(api.get(f"sites/{elsewhere.pk}/findings"), 404)
    assert names(api.get("hosts?site=home")) == []


def test_a_person_sees_the_sites_of_their_grants(person, host, elsewhere, site):
    api = person("viewer", site)
    assert names(api.get("hosts")) == ["pi01"]
    problem(api.get(f"hosts/{elsewhere.hosts.get().pk}"), 404)


def test_a_person_without_any_permission_is_refused(db):
    api = signed_in(User.objects.create_user("kim", is_staff=True))
    assert "inventory.view_host" in problem(api.get("hosts"), 403)["detail"]


def test_who_is_no_staff_is_refused(db):
    problem(signed_in(User.objects.create_user("eve", is_superuser=True)).get("hosts"), 403)


def test_a_slash_too_many_is_forgiven(reader, host):
    assert names(reader.get("hosts/")) == ["pi01"]
    assert reader.get(f"hosts/{host.pk}/").status_code == 200


@pytest.mark.parametrize(
    "address", ["nonsense", "hosts/0/nonsense", "hosts/pi01", "hosts/-1", f"hosts/{10**30}", "hosts/0"]
)
def test_what_is_not_there_is_a_problem_and_no_page(reader, host, address):
    problem(reader.get(address), 404)


def test_another_method_is_a_problem_that_names_those_there_are(reader, host):
    response = reader.delete("changes")
    problem(response, 405)
    assert response["Allow"] == "GET, HEAD"


def test_only_json_is_answered(reader, host):
    problem(reader.get("hosts", accept="text/html"), 406)


# --- narrowing ---


@pytest.mark.parametrize(
    "query",
    [
        "name=pi01", "site=lab", "status=active", "form=pi", "plane=management", "segment=management", "group=pis",
        "service=artifacts", "mac=BC-24-11-CE-51-EC", "mac=bc24.11ce.51ec", "address=192.0.2.10", "search=red+door",
        "search=192.0.2.10", "search=BC2411CE", "search=artifacts",
    ],
)  # fmt: skip
def test_hosts_are_found_by(reader, host, elsewhere, query):
    assert names(reader.get(f"hosts?{query}")) == ["pi01"]


@pytest.mark.parametrize(
    "query",
    ["name=pi02", "status=retired", "mac=bc:24:11:ce:51:ed", "address=192.0.2.1", "role=x", "profile=pis"],
)
def test_hosts_are_left_out_by(reader, host, query):
    assert names(reader.get(f"hosts?{query}")) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=broken", "status"),
        ("mac=xyz", "mac"),
        ("mac=%25", "mac"),
        ("address=300.1.1.1", "address"),
        ("vmid=one", "vmid"),
        ("ordering=colour", "ordering"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("staus=active", "staus"),
        ("name=a&name=b", "name"),
        ("name=", "name"),
        ("name=%00", "name"),
        ("search=%00", "search"),
        (f"search={'x' * 300}", "search"),
    ],
)
def test_a_parameter_that_says_nothing_is_refused(reader, host, query, field):
    assert field in wrong(reader.get(f"hosts?{query}"))


def test_a_misspelt_parameter_is_recognised(reader, db):
    assert "did you mean status?" in wrong(reader.get("hosts?staus=active"))["staus"]


def test_interfaces_and_identities_are_found_by_address_and_mac(reader, host):
    assert names(reader.get("interfaces?mac=BC2411CE51EC")) == ["eth0"]
    assert names(reader.get("interfaces?address=192.0.2.10&host=pi01")) == ["eth0"]
    assert names(reader.get("identities?address=192.0.2.10"), "host") == ["pi01"]
    assert names(reader.get("identities?mac=BC-24-11-CE-51-EC&state=held"), "value") == ["bc:24:11:ce:51:ec"]


# --- conditions ---


def test_who_has_the_newest_state_is_told_only_that(reader, host):
    first = reader.get(f"hosts/{host.pk}")
    again = reader.get(f"hosts/{host.pk}", if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert not first["ETag"].startswith("W/")
    assert reader.get(f"hosts/{host.pk}", if_none_match='"other"').status_code == 200


def test_the_etag_moves_with_what_belongs_to_the_host(reader, writer, host):
    before = reader.get(f"hosts/{host.pk}")["ETag"]
    interface = host.interfaces.get()
    assert writer.patch(f"interfaces/{interface.pk}", {"wake_on_lan": True}).status_code == 200
    assert reader.get(f"hosts/{host.pk}")["ETag"] != before


def test_a_list_has_a_weak_etag_that_moves_with_the_sites(reader, writer, host):
    first = reader.get("hosts")
    assert first["ETag"].startswith("W/")
    assert reader.get("hosts", if_none_match=first["ETag"]).status_code == 304
    assert reader.get("hosts?form=pi")["ETag"] != first["ETag"]
    writer.patch(f"hosts/{host.pk}", {"notes": "x"})
    assert reader.get("hosts", if_none_match=first["ETag"]).status_code == 200


# --- what the application keeps ---


def test_a_change_tells_what_it_changed(reader, writer, host):
    assert (
        writer.patch(f"hosts/{host.pk}", {"notes": "behind the blue door", "why": "painted"}).status_code
        == 200
    )
    newest = reader.get("changes?limit=1").json()["results"][0]
    assert (newest["by"], newest["source"], newest["why"]) == ("token write all", "api", "painted")
    (row,) = reader.get(f"changes/{newest['id']}").json()["rows"]
    assert (row["noun"], row["name"], row["what"]) == ("host", "pi01", "changed")
    assert row["fields_changed"] == [
        {"field": "notes", "before": "behind the red door", "after": "behind the blue door"}
    ]


def test_findings_are_narrowed_and_come_in_pages(reader, host):
    everything = reader.get(f"sites/{host.site_id}/findings").json()
    assert everything["count"] == len(everything["results"]) > 0
    one = everything["results"][0]
    narrowed = reader.get(f"sites/{host.site_id}/findings?rule={one['id']}&severity={one['severity']}").json()
    assert all(row["id"] == one["id"] for row in narrowed["results"])
    assert len(reader.get(f"sites/{host.site_id}/findings?limit=1").json()["results"]) == 1
    assert "severity" in wrong(reader.get(f"sites/{host.site_id}/findings?severity=awful"))


def test_tokens_are_told_to_nobody(administrator):
    problem(administrator.get("tokens"), 404)


def test_the_root_lists_what_there_is(reader, host):
    told = reader.get("").json()
    answers = {name: reader.client.get(address).status_code for name, address in told.items()}
    assert answers.pop("runs") == 403, "what playbooks said is for operators"
    assert answers.pop("observations") == 403, "and so is what they gathered"
    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("question", ["limit=many", "offset=-1"])
def test_a_question_that_cannot_be_is_refused_whatever_the_caller_has(reader, host, question):
    assert reader.get("hosts", if_none_match="*").status_code == 304
    assert reader.get(f"hosts?{question}", if_none_match="*").status_code == 400
