"""Which variables run code where playbooks run."""

from __future__ import annotations

import pytest

from inventory.automating.variables_that_run import added, found, in_text

RUNS = [
    ("ansible_host", "{{ lookup('pipe', 'id') }}"),
    ("anything", "{% set l = query %}{{ l('pipe', 'id') }}"),
    ("anything", {"deep": ["{{ q('url', 'http://192.0.2.1') }}"]}),
    ("anything", {"{{ lookup('env', 'HOME') }}": 1}),
    ("anything", "#jinja2: variable_start_string:'[%'\n[% lookup('pipe', 'id') %]"),
    ("anything", "{{ '}}' ~ lookup('pipe', 'id') }}"),
    ("ansible_connection", "local"),
    ("ansible_connection", "ansible.builtin.local"),
    ("ansible_connection", "{{ 'lo' ~ 'cal' }}"),
    ("ansible_connection", ["local"]),
    ("ansible_ssh_common_args", "-o ProxyCommand=/tmp/x"),
    ("ansible_ssh_extra_args", "-F /tmp/x"),
    ("ansible_sftp_extra_args", ""),
    ("ansible_ssh_executable", "/tmp/ssh"),
    ("ansible_shell_executable", "/tmp/sh"),
    ("ansible_become_exe", "/tmp/sudo"),
    ("ansible_become_flags", "-E"),
    ("ansible_paramiko_proxy_command", "/tmp/x"),
    ("ansible_winrm_kinit_cmd", "/tmp/x"),
    ("ansible_ssh_pkcs11_provider", "/tmp/x.so"),
    ("ansible_python_interpreter", "/tmp/python3"),
    ("ansible_python_interpreter", "{{ 'x' }}"),
    ("ansible_host", "-oProxyCommand=/tmp/x"),
]


@pytest.mark.parametrize(("name", "value"), RUNS)
def test_what_runs_code_is_named(name, value):
    assert list(found({"harmless": "x", name: value})) == [name]


STAYS = [
    ("ansible_host", "192.0.2.10"),
    ("ansible_host", "{{ primary_address }}"),
    ("ansible_user", "ops"),
    ("ansible_connection", "ssh"),
    ("ansible_connection", "ansible.netcommon.network_cli"),
    ("ansible_python_interpreter", "/usr/bin/python3.11"),
    ("ansible_python_interpreter", "auto_silent"),
    ("ansible_password", "{{ vault_switch_password }}"),
    ("ansible_become_method", "enable"),
    ("query", "lookup of a name"),
    ("packages", ["git", "{{ base.q }}"]),
    ("sealed", {"__ansible_vault": "{{ lookup('pipe', 'id') }}"}),
    ("raw", {"__ansible_unsafe": "{{ lookup('pipe', 'id') }}"}),
]


@pytest.mark.parametrize(("name", "value"), STAYS)
def test_what_everybody_needs_is_not_named(name, value):
    assert found({name: value}) == {}


def test_only_what_was_added_or_changed_is_told():
    before = {"ansible_ssh_common_args": "-C", "ansible_connection": "local"}
    after = {"ansible_ssh_common_args": "-C", "ansible_connection": "chroot", "ansible_ssh_args": "-4"}
    assert list(added(before, after)) == ["ansible_connection", "ansible_ssh_args"]


def test_text_is_judged_by_its_lookups():
    assert in_text("{{ lookup('file', '/etc/passwd') }}")
    assert not in_text("a query that somebody wrote down")
