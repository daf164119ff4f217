"""Machines in the browser: from the page of the host to the job, and what a job that looks first says."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory.models import Host
from provisioning import runner
from provisioning.models import Job
from tests.provisioning.jobs.conftest import VMID, do

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


@pytest.fixture
def browser(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def start(kind: str) -> str:
    return reverse("admin:start_job_at", args=("lab", kind))


def asked(browser: Client, kind: str, **parameters) -> Job:
    """Fill in the questions, look at the plan, start it; as the pages ask for it."""
    page = browser.post(start(kind), parameters).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = browser.post(start(kind), {**hidden, **parameters, "why": "as planned"})
    assert answer.status_code == 302, page
    return Job.objects.get(pk=answer["Location"].rstrip("/").split("/")[-2])


def test_the_page_of_a_host_leads_to_its_jobs(lab, pve, browser):
    do("survey", lab)
    page = browser.get(reverse("admin:inventory_host_change", args=(Host.objects.get(name=HOST).pk,)))
    assert f'href="{start("create_vm")}?host={HOST}"' in page.content.decode()
    assert f'value="{HOST}"' in browser.get(f"{start('create_vm')}?host={HOST}").content.decode()
    hypervisor = reverse("admin:inventory_host_change", args=(Host.objects.get(name="hv01").pk,))
    assert f'href="{start("survey")}?host=hv01"' in browser.get(hypervisor).content.decode()


def test_a_machine_is_created_from_the_browser_and_its_page_tells(lab, pve, guest_answers, browser):
    job = asked(browser, "create_vm", host=HOST)
    runner.run(job.pk, "here")
    page = browser.get(reverse("admin:provisioning_job_change", args=(job.pk,))).content.decode()
    assert "netctrl-vm01 runs on hv01 as 200" in page and "[&#x27;" not in page
    host = browser.get(reverse("admin:inventory_host_change", args=(Host.objects.get(name=HOST).pk,)))
    assert "Create netctrl-vm01 at lab" in host.content.decode()


def test_a_job_that_looks_first_can_be_asked_for_and_waits_with_its_plan(
    lab, pve, guest_answers, browser, settings
):
    settings.MACHINE_PARK_HOURS = 0
    do("create_vm", lab, host=HOST)
    parking = asked(browser, "park_vm", host=HOST)  # its plan was seen before it was asked for
    runner.run(parking.pk, "here")
    parking.refresh_from_db()
    assert parking.state == "succeeded", parking.message
    assert "looks first" in browser.post(start("destroy_vm"), {"host": HOST, "typed": HOST}).content.decode()
    job = asked(browser, "destroy_vm", host=HOST, typed=HOST)
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "waiting" and str(VMID) in pve.state()["guests"]
    page = browser.get(reverse("admin:provisioning_job_change", args=(job.pk,))).content.decode()
    assert "disk local-lvm:vm-200-disk-0" in page
