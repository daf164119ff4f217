"""Whatever a site holds: a share that is cut from its document is the one that would be rendered of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from inventory.exports import ansible, ansible_cut
from tests.exports.sites import examples, snapshots


@pytest.mark.timeout(600)
@examples(40)
@given(site=snapshots())
def test_each_hosts_share_of_any_site(site):
    whole = ansible.render(site).files["inventory.json"]
    for host in site.live_hosts:
        assert ansible_cut.cut_host(whole, host.name) in (ansible.host_document(site, host.name), None)
    for group in ("all", "ungrouped"):
        assert ansible_cut.cut_group(whole, group) == ansible.group_document(site, group)


@examples(1)
@given(site=snapshots())
def test_a_site_without_hosts(site):
    empty = replace(site, hosts=(), aliases=(), segments=())
    whole = ansible.render(empty).files["inventory.json"]
    assert ansible_cut.cut_group(whole, "all") == whole == ansible.group_document(empty, "all")
    with pytest.raises(LookupError, match="“a” is not in the inventory"):
        ansible_cut.cut_host(whole, "a")
