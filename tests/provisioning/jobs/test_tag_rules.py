"""A datacenter may have rules for tags: where they keep ours from a machine, that is said, and not that rights lack."""

from __future__ import annotations

import pytest

from provisioning.adapters.base import TagRefused
from tests.provisioning.jobs.conftest import VMID, do
from tests.provisioning.jobs.rebuilding import HOST

pytestmark = pytest.mark.django_db

REFUSING = {
    "none": {"allow": "none", "list": ["mgmtplane"]},
    "another list": {"allow": "list", "list": ["prod"]},
    "existing alone": {"allow": "existing"},
    "registered": {"allow": "free", "registered": ["mgmtplane"]},
}
ALLOWING = {
    "the list": {"allow": "list", "list": ["mgmtplane"]},
    "existing and the list": {"allow": "existing", "list": ["mgmtplane"]},
    "others registered": {"allow": "free", "registered": ["prod"]},
}


@pytest.fixture
def proxmox(pve):
    proxmox = pve.proxmox()
    proxmox.wait(proxmox.clone(9000, VMID, name="vm"))
    return proxmox


@pytest.mark.parametrize("rules", REFUSING.values(), ids=REFUSING)
def test_a_rule_that_keeps_our_tag_away_is_told_from_a_right_that_lacks(proxmox, pve, rules):
    pve.change(tag_rules=rules)
    with pytest.raises(TagRefused) as refused:
        proxmox.configure(VMID, {"tags": "mgmtplane"})
    assert "lacks Sys.Modify" not in str(refused.value) and "the tag mgmtplane" in str(refused.value)


@pytest.mark.parametrize("rules", ALLOWING.values(), ids=ALLOWING)
def test_a_rule_that_lets_our_tag_in_is_enough(proxmox, pve, rules):
    pve.change(tag_rules=rules)
    proxmox.configure(VMID, {"tags": "mgmtplane"})
    assert proxmox.config(VMID).tags == {"mgmtplane"}


def test_the_job_says_where_the_rule_is_and_goes_on_once_it_is_changed(lab, pve, guest_answers):
    pve.change(tag_rules=REFUSING["another list"])
    job = do("create_vm", lab, host=HOST)
    assert job.state == "failed" and "User Tag Access" in job.message and not pve.guest(VMID)["running"]
    pve.change(tag_rules=ALLOWING["the list"])
    job = do("create_vm", lab, host=HOST)
    assert job.state == "succeeded" and len(pve.requests("POST", "/clone")) == 1, job.message
