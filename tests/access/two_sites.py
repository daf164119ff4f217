"""Two sites with one row of every noun each, and people and tokens of every kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from inventory.changes import change
from inventory.models import (
    Alias,
    Authority,
    Change,
    Consumer,
    EmergencyUse,
    Grant,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Identity,
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
    Token,
    VirtualMachine,
    WorkloadProfile,
)
from provisioning.models import DriftFinding, Job, Observation
from tests.provisioning.runs.factories import RunFactory

BEGAN = datetime(2026, 3, 1, 3, tzinfo=UTC)


@dataclass
class Furnished:
    """A site and one row of each noun, by the model's name."""

    site: Site
    rows: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, noun: str) -> Any:
        return self.rows[noun]


def furnish(slug: str, third: int) -> Furnished:
    """Site *slug*; every name in it begins with the slug, so that a test sees at once whose it is."""
    site = Site(slug=slug, name=f"{slug}-name", root_domain="example.net", block=f"10.{third}.0.0/16")
    made = Furnished(site)
    with change(site, by=f"{slug}-fixture", why=f"{slug}-reason"):
        made.rows = _declared(site, slug, third)
    made.rows["site"] = site
    made.rows["identity"] = Identity.objects.filter(site=site, kind="ip").first()
    made.rows["change"] = Change.objects.filter(site=site).latest("id")
    made.rows["rendering"] = Rendering.objects.create(
        site=site, format="list", revision=site.revision, sha256=f"{third:064x}", size=1
    )
    made.rows["consumer"] = Consumer.objects.create(site=site, format="list", name=f"{slug}-consumer")
    token = Token(name=f"{slug}-token", site=site)
    token.issue()
    token.save()
    made.rows["token"] = token
    made.rows["job"] = Job.objects.create(
        kind="survey", site=site, site_slug=slug, by_name=f"{slug}-hand", why=f"{slug}-why", state="succeeded"
    )
    made.rows["run"] = made.rows["playbookrun"] = RunFactory(
        job__site=site, job__by_name=f"{slug}-hand", template=f"{slug}-template"
    )
    made.rows["observation"] = Observation.objects.create(
        site=site, host_name=f"{slug}-host", kind="system", value={"kernel": "6.12"}, at=timezone.now()
    )
    made.rows["driftfinding"] = DriftFinding.objects.create(
        site=site,
        kind="undeclared",
        hypervisor=f"{slug}-host",
        subject="VMID 300",
        field="machine",
        vmid=300,
        found=f"{slug}-guest (lxc)",
        opened=timezone.now(),
        last_seen=timezone.now(),
    )
    made.rows["grant"] = Grant.objects.create(
        user=User.objects.create_user(f"{slug}-guest"), site=site, level="viewer"
    )
    return made


def _declared(site: Site, slug: str, third: int) -> dict[str, Any]:
    role = Role(site=site, slug=f"{slug}-role")
    segment = Segment(
        site=site,
        name=f"{slug}-segment",
        vlan=99,
        network4=f"10.{third}.99.0/24",
        gateway4=f"10.{third}.99.1",
    )
    host = Host(site=site, name=f"{slug}-host", form="hv", role=role)
    group, parent = (Group(site=site, name=f"{slug}_{name}") for name in ("group", "parent"))
    profile = WorkloadProfile(site=site, name=f"{slug}_profile")
    for row in (role, segment, host, group, parent, profile):
        row.save()
    interface = Interface(
        host=host,
        name="eth0",
        mac=f"bc:24:11:00:00:{third:02x}",
        segment=segment,
        addressing="static",
        ipv4=f"10.{third}.99.10",
        a_record=True,
    )
    service = Service(host=host, name=f"{slug}-service")
    hypervisor = Hypervisor(host=host, api_url=f"https://{slug}.example.net:8006", node=slug)
    machine = Host(site=site, name=f"{slug}-machine", form="vm")
    machine.save()
    specification = VirtualMachine(host=machine, template=f"{slug}-template", ciuser=slug)
    parts = [
        specification,
        interface,
        service,
        hypervisor,
        HostNeed(host=machine, needed=host),
        Membership(group=group, host=host),
        Nesting(parent=parent, child=group),
    ]
    for part in parts:
        part.save()
    alias = Alias(site=site, service=service, name=f"{slug}-alias")
    override = SeverityOverride(
        site=site,
        finding="address-in-pool",
        subject=f"host {slug}-host",
        severity="info",
        expires=timezone.localdate() + timedelta(days=9),
        why=f"{slug}-why",
    )
    authority = Authority(site=site, mode="gateway", why=f"{slug}-authority", by_name=f"{slug}-authority")
    schedule = Schedule(
        site=site,
        name=f"{slug}-schedule",
        kind="survey",
        every_hours=1,
        owner=f"{slug}-owner",
        why=f"{slug}-why",
    )
    project = Project(site=site, name=f"{slug}-project", location=f"/srv/{slug}-playbooks")
    template = JobTemplate(site=site, name=f"{slug}-template", project=project, playbook=f"{slug}.yml")
    project.save()
    template.project = project
    use = EmergencyUse(
        site=site, who=f"{slug}-who", why=f"{slug}-why", at=BEGAN, done_at=BEGAN, done_by=f"{slug}-done"
    )
    place = KitPlace(site=site, name=f"{slug}-place", location=f"/srv/{slug}-kits")
    for declared in (alias, override, authority, schedule, template, use, place):
        declared.save()
    return {
        "role": role, "segment": segment, "host": host, "group": group, "workloadprofile": profile,
        "interface": interface, "service": service, "alias": alias, "severityoverride": override,
        "emergencyuse": use,
        "authority": authority, "hypervisor": hypervisor, "virtualmachine": specification,
        "schedule": schedule, "project": project, "jobtemplate": template, "kitplace": place,
    }  # fmt: skip


def person(name: str, *grants: tuple[Site | None, str], **more: Any) -> User:
    user = User.objects.create_user(name, password="a long password", **{"is_staff": True, **more})
    for site, level in grants:
        Grant.objects.create(user=user, site=site, level=level)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
