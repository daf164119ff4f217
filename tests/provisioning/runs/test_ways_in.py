"""Where a run is begun from, and where the last ones are seen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Group, Host, JobTemplate, Project, Role, Site
from provisioning.templatetags import runs
from tests.provisioning.runs.factories import HostFactory, RunFactory
from tests.provisioning.test_admin import come

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(db) -> Client:
    return come("ada")


@pytest.fixture
def declared(site) -> dict[str, Any]:
    with change(site, by="fixture", why="hosts and a template"):
        role = Role(site=site, slug="web")
        role.save()
        hosts = [Host(site=site, name=name, role=role) for name in ("web01", "web02")]
        group = Group(site=site, name="webs")
        project = Project(site=site, name="lab", source="directory", location="/srv/playbooks")
        for row in (*hosts, group, project):
            row.save()
        template = JobTemplate(site=site, name="base", project=project, playbook="site.yml")
        template.save()
        role.configure_template = template
        role.save()
    return {"role": role, "host": hosts[0], "group": group, "jobtemplate": template, "hosts": hosts}


def shown(browser: Client, noun: str, row: Any) -> str:
    return browser.get(reverse(f"admin:inventory_{noun}_change", args=(row.pk,))).content.decode()


@pytest.mark.parametrize(
    ("noun", "address"),
    [
        ("host", "/admin/launch/lab/?limit=web01"),
        ("role", "/admin/launch/lab/base/?limit=web01%2Cweb02"),
        ("group", "/admin/launch/lab/?limit=webs"),
        ("jobtemplate", "/admin/launch/lab/base/"),
    ],
)
def test_a_page_leads_to_a_run_on_its_hosts(browser, declared, noun, address):
    assert f'href="{address}"' in shown(browser, noun, declared[noun])


def test_the_first_page_leads_to_the_templates_of_a_site(browser, declared):
    assert 'href="/admin/launch/lab/"' in browser.get("/admin/").content.decode()
    assert "/admin/launch/lab/base/" in browser.get("/admin/launch/lab/").content.decode()


def test_a_site_without_templates_says_what_to_do(browser, site):
    html = browser.get("/admin/launch/lab/").content.decode()
    assert "declares no job template" in html and "/admin/inventory/jobtemplate/add/" in html


def chosen(browser: Client, hosts: list[Host]) -> Any:
    given = {"action": "run_playbook", "_selected_action": [host.pk for host in hosts]}
    return browser.post(reverse("admin:inventory_host_changelist"), given)


def test_chosen_hosts_of_the_list_become_the_limit(browser, declared):
    assert chosen(browser, declared["hosts"])["Location"] == "/admin/launch/lab/?limit=web01%2Cweb02"


def test_hosts_of_two_sites_are_not_run_on_together(browser, declared):
    other = Site(slug="other")
    with change(other, by="fixture"):
        stranger = Host(site=other, name="web09")
        stranger.save()
    answer = chosen(browser, [*declared["hosts"], stranger])
    html = browser.get(answer["Location"]).content.decode()
    assert "A run belongs to one site, and these are of lab, other" in html


def test_the_page_of_a_host_has_its_last_runs_and_how_it_fared(browser, site, declared):
    run = RunFactory(job__site=site, template="base")
    HostFactory(run=run, host="web01", failed=1)
    html = shown(browser, "host", declared["host"])
    assert f"/admin/provisioning/job/{run.pk}/change/?host=web01#mp-output" in html
    assert "mp-badge mp-failed" in html
    assert f"run {run.pk}" in shown(browser, "jobtemplate", declared["jobtemplate"])


def test_a_role_of_too_many_hosts_says_so_and_is_not_cut(browser, declared, monkeypatch):
    assert "/admin/launch/" in shown(browser, "role", declared["role"])
    monkeypatch.setattr(runs, "MOST_HOSTS", Host.objects.filter(role=declared["role"]).count() - 1)
    html = shown(browser, "role", declared["role"])
    assert "too many to be named in a limit" in html and "/admin/launch/" not in html


def test_who_only_looks_sees_no_way_to_run(site, declared):
    vera = come("vera", (site, "viewer"))
    for noun in ("host", "role", "group", "jobtemplate"):
        assert "/admin/launch/" not in shown(vera, noun, declared[noun]), noun
    assert "/admin/launch/" not in vera.get("/admin/").content.decode()
