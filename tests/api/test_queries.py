"""A list costs the same number of queries, whatever the number of rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.api.v1.nouns.views import NOUNS
from inventory.changes import change
from inventory.models import (
    Alias,
    Authority,
    Consumer,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Rendering,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
    WorkloadProfile,
)
from provisioning.models import DriftFinding, Job, Observation
from tests.provisioning.runs.factories import RunFactory


def declare(first: int, last: int) -> None:
    """One row of every noun for each number, with everything that belongs to it."""
    for number in range(first, last):
        site = Site(slug=f"s{number}", root_domain=f"s{number}.example.net")
        with change(site, by="fixture"):
            role = Role(site=site, slug="dns")
            role.save()
            segment = Segment(site=site, name="lan", network4="192.0.2.0/24")
            segment.save()
            hypervisor = Host(site=site, name="hv01", form="hv")
            hypervisor.save()
            Hypervisor(host=hypervisor).save()
            guest = Host(site=site, name="vm01", form="vm", role=role, hypervisor=hypervisor)
            guest.save()
            VirtualMachine(host=guest).save()
            HostNeed(host=guest, needed=hypervisor).save()
            for position in (0, 1):
                Interface(
                    host=guest, name=f"eth{position}", position=position, segment=segment, switch=hypervisor
                ).save()
            service = Service(host=guest, name="files")
            service.save()
            Alias(name="files", service=service).save()
            group, above = Group(site=site, name="vms"), Group(site=site, name="machines")
            profile = WorkloadProfile(site=site, name="builder")
            for row in (group, above, profile):
                row.save()
            Nesting(child=group, parent=above).save()
            Membership(group=group, host=guest).save()
            Membership(group=profile, host=guest).save()
            Authority(site=site, mode="gateway", why="up").save()
            SeverityOverride(
                site=site,
                finding="address-in-pool",
                severity="info",
                why="known",
                expires=timezone.localdate(),
            ).save()
            EmergencyUse(site=site, who="grace", why="x").save()
            Schedule(site=site, name="hourly", kind="survey", every_hours=1, why="x").save()
            KitPlace(site=site, name="stick", kind="mount", location="/media/stick").save()
            code = Project(site=site, name="playbooks", location="/srv/playbooks")
            code.save()
            base = JobTemplate(site=site, name="base", project=code, playbook="base.yml")
            base.save()
            Role(site=site, slug="templated", configure_template=base).save()
        Consumer.objects.create(site=site, format="kea", name="router")
        Job.objects.create(kind="survey", site=site, site_slug=site.slug, state="succeeded")
        seen = {"opened": timezone.now(), "last_seen": timezone.now()}
        DriftFinding.objects.create(site=site, kind="undeclared", hypervisor="hv01", vmid=300, **seen)
        RunFactory(job__site=site, job__site_slug=site.slug, template="base")
        Observation.objects.create(
            site=site, host_name="hv01", kind="system", value={"kernel": "6.12"}, at=timezone.now()
        )
        Rendering.objects.create(site=site, format="kea", revision=1, sha256="0" * 64, size=1)


@pytest.mark.parametrize("noun", NOUNS)
def test_a_list_costs_the_same_whatever_its_length(administrator, noun):
    declare(0, 1)
    counts, queries = [], []
    for last in (1, 6):
        declare(1, last)
        administrator.get(f"{noun}?limit=1")  # what is looked up once
        with CaptureQueriesContext(
            connection,
        ) as seen:
            told = administrator.get(f"{noun}?limit=1000").json()
        counts.append(told["count"])
        queries.append(len(seen))
    assert counts[1] >= counts[0] + 5
    assert queries[0] == queries[1], "\n".join(one["sql"] for one in seen)
    assert queries[1] <= 9
