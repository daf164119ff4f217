"""A virtual machine in a real browser, with a real worker and a strict stand-in: from “New VM” until it is gone again."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Role, Site
from provisioning.models import Job
from tests.browser.axe import violations
from tests.provisioning.conftest import workers as workers
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab, do
from tests.provisioning.pve.standin import StandIn
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN
from tests.provisioning.support import finished, texts, until

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-machines"), pytest.mark.timeout(300)]

HOST = "netctrl-vm01"
PATIENT = 60_000  # ms, for what a worker on a busy machine does


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """A stand-in of each version."""
    found = {
        version: StandIn.start(tmp_path_factory.mktemp("standin"), "--version", version)
        for version in ("8.4", "9.1")
    }
    yield found
    for standin in found.values():
        standin.stop()


@pytest.fixture
def node(request, versions, administrator) -> StandIn:
    """hv01 of site lab, with a declared machine that is not made; the version is the test's parameter, or 9.1."""
    reading.forget()
    found = versions[getattr(request, "param", "9.1")]
    found.reset()
    site = declare_lab(found)
    with change(site, by="fixture", why="what names, MACs and addresses are handed out from"):
        site.naming, site.organisation, site.environment = {"standard": "role-form"}, "de", "20"
        site.save()
        segment = site.segments.get()
        segment.static_first, segment.static_last = "192.0.2.2", "192.0.2.49"
        segment.save()
        Role(site=site, slug="dns", code="01", title="DNS").save()
    found.change(leases={MAC: ADDRESS})
    return found


@pytest.fixture
def working(workers, node):
    """A worker of the long queue; machines may be destroyed as soon as they are parked."""
    workers.environment |= {
        "PVE_TOKEN": SECRETS[WRITE_TOKEN],
        "PVE_READ_TOKEN": SECRETS[READ_TOKEN],
        "MACHINE_PARK_HOURS": "0",
        "IMPATIENT": "1",
    }
    workers.start("w1", "long")
    return workers


class Operator:
    """Ada, who asks for jobs and looks at every page on the way: photographed, judged by axe, not too wide."""

    def __init__(self, visitor: Any, kind: str, log: Any) -> None:
        self.visitor, self.page, self.kind, self.log = visitor, visitor.page, kind, log
        self.problems: list[str] = []
        visitor.sign_in("ada")

    def look(self, name: str) -> None:
        self.visitor.photograph(f"machines-{name}-{self.kind}")
        self.problems.extend(f"{name}: {one}" for one in violations(self.page))
        if self.visitor.too_wide() > 0:
            self.problems.append(f"{name}: too wide: {self.visitor.what_is_too_wide()}")

    def choose(self, verb: str, host: str = HOST) -> None:
        """From the page of the host to the question."""
        self.visitor.open(f"/admin/inventory/host/{Host.objects.get(name=host).pk}/change/")
        self.page.get_by_role("link", name=f"{verb}…").click()
        self.page.get_by_role("button", name="Show the plan").wait_for()

    def start(self, verb: str, name: str = "") -> Job:
        """From the question over the plan to the page of the job."""
        self.page.get_by_role("button", name="Show the plan").click()
        self.page.get_by_label("Reason for this change").fill("to see it done")
        self.look(name or verb)
        before = Job.objects.count()
        self.page.get_by_role("button", name=verb, exact=True).click()
        self.page.wait_for_url(re.compile(r"/provisioning/job/\d+/change/"))
        assert Job.objects.count() == before + 1
        return Job.objects.latest("pk")

    def sees(self, state: str) -> Job:
        """Wait without a reload until the page says *state*; then every line that was kept is on it, once."""
        badge = self.page.locator("#mp-job .mp-badge").first
        expect(badge).to_have_text(re.compile(rf"\s*{state}\s*"), timeout=PATIENT)
        job = Job.objects.get(pk=int(re.search(r"/job/(\d+)/", self.page.url)[1]))
        if state in ("succeeded", "failed", "cancelled"):
            expect(self.page.locator("#mp-more")).to_have_count(0, timeout=PATIENT)
            shown = [one.get_attribute("id") for one in self.page.locator(".mp-said li").all()]
            assert shown == [f"said-{number}" for number in range(1, len(texts(job)) + 1)]
        return job

    def says(self, words: str) -> None:
        expect(self.page.locator(".mp-said")).to_contain_text(words, timeout=PATIENT)

    def run_again(self) -> None:
        self.page.get_by_label("Reason to run it again").fill("it is mended")
        self.page.get_by_role("button", name="Run again").click()
        expect(self.page.locator("#mp-job .mp-facts")).to_contain_text("it is mended")

    def is_content(self) -> None:
        assert [*self.problems, *self.visitor.complaints] == []


@pytest.fixture
def operator(visit, working):
    def come(*, width: int = 1280, dark: bool = False) -> Operator:
        kind = f"{'dark' if dark else 'light'}-{width}"
        return Operator(visit(width=width, dark=dark), kind, working.log)

    return come


def clones(node: StandIn) -> int:
    return len(node.requests("POST", "/clone"))


def test_from_new_vm_to_a_running_machine(operator, node, monkeypatch):
    """Surveyed, declared, made; left, opened again in the middle, and followed to its end."""
    monkeypatch.setenv("PVE_TOKEN", SECRETS[WRITE_TOKEN])
    monkeypatch.setenv("PVE_READ_TOKEN", SECRETS[READ_TOKEN])
    assert do("survey", Site.objects.get(slug="lab")).state == "succeeded"
    ada = operator()
    page = ada.page
    ada.visitor.open("/admin/inventory/host/")
    page.get_by_role("link", name="New VM").locator("visible=true").first.click()
    page.get_by_label("Role", exact=True).select_option(label="dns")
    expect(page.locator("#mp-plan")).to_contain_text("dns-vm01")
    page.wait_for_load_state("networkidle")  # the plan that is shown is the one that is posted
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("dns-vm01 is declared")).to_be_visible()
    host = Host.objects.get(name="dns-vm01")
    card = host.interfaces.get()
    node.change(leases={card.mac: card.ipv4})
    node.fault("task", "POST", "/clone", seconds=3600)

    ada.visitor.open(f"/admin/inventory/host/{host.pk}/change/")
    ada.look("host")
    ada.choose("Create VM", "dns-vm01")
    ada.start("Create VM", "create")
    ada.says("Clone debian-13-1.10")
    ada.look("cloning")
    page.reload()
    until(lambda: clones(node), "the clone was asked for")
    node.finish()
    job = ada.sees("succeeded")
    ada.look("created")
    assert job.outcome["addresses"] == [card.ipv4] and job.message in page.locator("#mp-job").inner_text()
    found = node.guest(host.vmid)
    assert found["running"] and found["config"]["net0"].startswith(f"virtio={card.mac.upper()},")
    assert clones(node) == 1
    ada.visitor.open(f"/admin/inventory/host/{host.pk}/change/")
    expect(page.locator(".mp-first", has_text="On its hypervisor")).to_contain_text("succeeded")
    ada.look("host-done")
    ada.is_content()


@pytest.mark.parametrize("node", ["8.4"], indirect=True)
def test_a_lost_mac_fails_by_name_and_the_way_out_is_on_the_page(operator, node):
    ada = operator(width=360, dark=True)
    node.fault("drop", "PUT", f"/{VMID}/config", times=0, keys=["net0"])
    ada.choose("Create VM")
    ada.look("question")
    ada.start("Create VM", "plan")
    job = ada.sees("failed")
    ada.look("failed")
    told = ada.page.locator("#mp-job").inner_text()
    assert f"{HOST} is not as declared" in told and MAC in told
    assert "It was not started." in told and "run this again" in told
    assert node.requests("POST", "/status/start") == [] and not node.guest(VMID)["running"]
    node.forget()
    ada.run_again()
    again = ada.sees("succeeded")
    ada.look("again")
    assert again.parent_id == job.pk
    assert node.guest(VMID)["running"] and MAC.upper() in node.guest(VMID)["config"]["net0"]
    assert clones(node) == 0, "what was there was gone on with"
    ada.is_content()


@pytest.mark.slow
def test_backed_up_put_back_rebuilt_parked_and_destroyed(operator, node, monkeypatch):
    monkeypatch.setenv("PVE_TOKEN", SECRETS[WRITE_TOKEN])
    monkeypatch.setenv("PVE_READ_TOKEN", SECRETS[READ_TOKEN])
    assert do("create_vm", Site.objects.get(slug="lab"), host=HOST).state == "succeeded"
    ada = operator(dark=True)
    page, card = ada.page, node.guest(VMID)["config"]["net0"]

    ada.choose("Back up now")
    ada.start("Back up now")
    assert ada.sees("succeeded").outcome["volume"] in node.state()["volumes"]

    ada.choose("Restore")
    ada.start("Restore")
    ada.sees("waiting for confirmation")
    ada.look("restore-waits")
    page.get_by_role("button", name="Confirm this plan").click()
    ada.sees("succeeded")
    assert node.guest(VMID)["config"]["net0"] == card

    disk = node.guest(VMID)["config"]["scsi0"].split(",")[0]
    ada.choose("Rebuild")
    ada.start("Rebuild")
    ada.sees("waiting for confirmation")
    ada.look("rebuild-waits")
    page.get_by_role("button", name="Confirm this plan").click()
    ada.sees("succeeded")
    ada.look("rebuilt")
    assert node.guest(VMID)["config"]["net0"] == card
    assert node.guest(VMID)["config"]["scsi0"].split(",")[0] != disk and disk not in node.state()["volumes"]

    ada.choose("Park")
    ada.start("Park")
    ada.sees("succeeded")
    assert not node.guest(VMID)["running"]

    ada.choose("Destroy")
    page.get_by_label("The name once more").fill(HOST)
    ada.start("Destroy")
    ada.sees("waiting for confirmation")
    ada.look("destroy-waits")
    page.get_by_role("button", name="Confirm this plan").click()
    ada.sees("succeeded")
    ada.look("destroyed")
    assert str(VMID) not in node.state()["guests"] and "100" in node.state()["guests"]
    ada.is_content()


def test_cancelled_while_it_is_cloned_it_is_gone_on_with_later(operator, node):
    ada = operator(width=360)
    node.fault("task", "POST", "/clone", seconds=3600)
    ada.choose("Create VM")
    job = ada.start("Create VM", "create")
    ada.says("Clone debian-13-1.10")
    until(lambda: clones(node), "the clone was asked for")
    ada.page.get_by_role("button", name="Cancel").click()
    ada.sees("cancelled")
    ada.look("cancelled")
    assert node.requests("POST", "/status/start") == []
    node.finish()
    ada.run_again()
    again = ada.sees("succeeded")
    assert (again.parent_id, finished(job).state) == (job.pk, "cancelled")
    assert clones(node) == 1 and node.guest(VMID)["running"]
    ada.is_content()
