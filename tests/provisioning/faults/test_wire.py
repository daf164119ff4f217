"""Each fault of the wire at each call of each kind: the job ends as the table says, nothing is harmed, and it converges."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from provisioning.observed import hypervisors
from tests.provisioning.faults import checking
from tests.provisioning.faults.ground import Call, Ground, drawn, drawn_calls
from tests.provisioning.faults.table import KINDS, WIRE, WireFault
from tests.provisioning.pve.standin import PATIENCE

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

FAULTS = {fault.name: fault for fault in WIRE}
TITLES = [kind.title for kind in KINDS]
#: (kind, fault, method, end of the path): what every run looks at
SEEN_ALWAYS = (
    ("create_vm", "lost", "POST", "/clone"),
    ("create_vm", "reset", "POST", "/clone"),
    ("create_vm", "596", "PUT", "/resize"),
    ("create_vm", "html", "PUT", "/200/config"),
    ("power start", "503", "POST", "/status/start"),
    ("restore_vm", "lost", "POST", "/qemu"),
    ("destroy_vm", "lost", "DELETE", "/200"),
    ("create_vm", "null", "POST", "/clone"),
    ("power start", "redirect", "POST", "/status/start"),
    ("destroy_vm", "null", "DELETE", "/200"),
    ("create_vm", "500", "GET", "/status"),
    ("create_vm", "html", "GET", "/status"),
    ("park_vm", "null", "GET", "/200/config"),
    ("backup_vm", "401", "POST", "/vzdump"),
    ("delete_backups_vm", "lost", "DELETE", ".vma.zst"),
    ("delete_backups_vm", "reset", "DELETE", ".vma.zst"),
)


@pytest.mark.parametrize(("kind", "name", "method", "end"), SEEN_ALWAYS)
def test_a_fault_of_the_wire_harms_nothing_and_the_job_converges(on, kind, name, method, end):
    ground = on(kind)
    call = next(one for one in ground.calls if one.method == method and one.path.endswith(end))
    assert strike(ground, FAULTS[name], call) == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), drawn(list(itertools.product(TITLES, FAULTS))))
def test_each_fault_of_the_wire_at_each_call(on, monkeypatch, kind, name):
    if name == "hang":
        monkeypatch.setattr(hypervisors, "PATIENCE", replace(PATIENCE, answer=1.5))
    ground = on(kind)
    found = {str(call): strike(ground, FAULTS[name], call) for call in drawn_calls(ground, name)}
    assert found
    assert {call: said for call, said in found.items() if said} == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", drawn(TITLES))
def test_another_certificate_from_each_call_on(on, kind):
    """Connections end with the old certificate, as when the node's proxy starts anew: nothing is sent to a stranger."""
    ground = on(kind)
    found = {str(call): impostor(ground, call) for call in drawn_calls(ground, "impostor")}
    assert {call: said for call, said in found.items() if said} == {}


def strike(ground: Ground, fault: WireFault, call: Call) -> list[str]:
    ground.begin()
    ground.pve.fault(method=call.method, path=call.pattern, skip=call.nth, **fault.document)
    job = ground.run()
    said = list(checking.truth(job))
    if not any(entry["fault"] for entry in ground.pve.requests()):
        said.append("the fault did not strike")
    wanted = (
        "succeeded"
        if fault.done and call.refused
        else fault.ends(call.method, call.path, once=ground.kind.once)
    )
    if job.state != wanted:
        said.append(f"it {job.state} instead of {wanted}: {job.message}")
    if job.state == "succeeded":
        said += ground.wrong()
    said += checking.left(ground.pve.state(), job)
    return said + ground.converges()


def impostor(ground: Ground, call: Call) -> list[str]:
    ground.begin()
    if call.number == 1:
        ground.pve.impostor()
    else:
        last = ground.calls[call.number - 2]
        ground.pve.fault("impostor", last.method, last.pattern, skip=last.nth)
    job = ground.run()
    said = list(checking.truth(job))
    if job.state != "failed" or "another certificate than declared" not in job.message:
        said.append(f"it {job.state}: {job.message}")
    if len(asked := ground.pve.requests()) >= call.number:
        said.append(f"{len(asked)} calls reached the node")
    if call.number > 1 and not any(entry["fault"] for entry in asked):
        said.append("the fault did not strike")
    return said + ground.converges()
