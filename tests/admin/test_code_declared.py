"""Variables that run code where playbooks run are for those who may declare job templates, on every page."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Change, Host
from inventory.undoing.undo import Refused, undo
from tests.access.two_sites import person as somebody
from tests.access.two_sites import signed_in
from tests.admin.pages import errors_of, send, shown, url
from tests.admin.test_importing import confirm, look

pytestmark = pytest.mark.django_db

CODE = {"ansible_ssh_common_args": "-o ProxyCommand=/tmp/x"}
IN_YAML = "ansible_ssh_common_args: -o ProxyCommand=/tmp/x\n"


@pytest.fixture
def operator(site):
    return somebody("kim", (site, "operator"))


def with_code(site, host) -> Change:
    """*host* has a variable that runs code; the change that took it away again."""
    for variables in (CODE, {}):
        with change(site, by="fixture"):
            host.variables = variables
            host.save()
    return Change.objects.latest("id")


def test_the_form_says_which_variable_by_which_rule_and_who_may(operator, browser, host):
    address = url("host", "change", host.pk)
    page = signed_in(operator)
    answer = page.post(address, shown(page, address) | {"variables": IN_YAML})
    told = str(errors_of(answer))
    assert "ansible_ssh_common_args chooses a program" in told and "Ask an administrator" in told
    assert Host.objects.get(pk=host.pk).variables == {}
    send(browser, address, shown(browser, address) | {"variables": IN_YAML})
    assert Host.objects.get(pk=host.pk).variables == CODE


def test_an_undo_does_not_bring_back_what_the_person_may_not_declare(operator, person, site, host):
    gone = with_code(site, host)
    with pytest.raises(Refused, match="ansible_ssh_common_args"):
        undo([gone], by=operator, why="back", user=operator)
    assert Host.objects.get(pk=host.pk).variables == {}
    undo([gone], by=person, why="back", user=person)
    assert Host.objects.get(pk=host.pk).variables == CODE


def test_an_import_on_a_page_is_refused_the_same(operator, browser, site, host):
    text = "hosts:\n  pi01:\n    variables:\n      " + IN_YAML
    for page, kept in ((signed_in(operator), {}), (browser, CODE)):
        answer = confirm(page, look(page, text, kind="part"))
        assert (answer.status_code == 302) == bool(kept)
        assert kept or "ansible_ssh_common_args chooses a program" in answer.content.decode()
        assert Host.objects.get(pk=host.pk).variables == kept


def test_rows_written_together_are_named_one_by_one(operator, site, host):
    with (
        pytest.raises(Exception, match="pi02: ansible_ssh_common_args"),
        change(site, by=operator) as the_change,
    ):
        the_change.create([Host(site=site, name="pi02", form="pi", variables=CODE)])
    host.variables = CODE
    with (
        pytest.raises(Exception, match="pi01: ansible_ssh_common_args"),
        change(site, by=operator, source="import") as the_change,
    ):
        the_change.update([host], ["variables"])
    assert Host.objects.get(pk=host.pk).variables == {}


def test_whoever_has_the_shell_is_not_asked(site, host):
    with change(site, by="import_ansible", source="import") as the_change:
        host.variables = CODE
        the_change.update([host], ["variables"])
    assert Host.objects.get(pk=host.pk).variables == CODE
