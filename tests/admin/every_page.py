"""Every page that the admin has, as addresses that can be opened: of the models' own pages, and of the registered ones.

Tests walk this list (queries, accessibility, permissions), so that a page that is added tomorrow is looked at as well. A
page whose address has a part that is not known here fails them: give it a sample in ``World.sample``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from inventory.admin.pages import PAGES, Page
from inventory.changes import change
from inventory.demo import declare_demo
from inventory.models import (
    Alias,
    Change,
    Consumer,
    Group,
    Host,
    Identity,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Project,
    Rendering,
    Role,
    Schedule,
    Segment,
    Service,
    Site,
    Token,
)
from inventory.serving import renderings
from provisioning import requests
from provisioning.models import DriftDecision, DriftFinding, Job, PlaybookRun, Survey
from tests.provisioning.runs.factories import HostFactory, RunFactory, events

_PART = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")


class NoSample(LookupError):
    """A registered page has a part in its address that this module does not know."""


@dataclass
class World:
    """The demo's two sites with everything there is, and what addresses are made of."""

    site: Site

    @property
    def host(self) -> Host:
        """The host whose pages are opened; elsewhere than in the demo the first one."""
        hosts = Host.objects.filter(site=self.site).order_by("pk")
        found: Host = hosts.filter(name="pi01").first() or hosts[0]
        return found

    @property
    def segment(self) -> Segment:
        segments = Segment.objects.filter(site=self.site).order_by("pk")
        found: Segment = segments.filter(name="management").first() or segments[0]
        return found

    @property
    def run(self) -> PlaybookRun:
        """A run with hosts and output, made where there is none."""
        found: PlaybookRun | None = PlaybookRun.objects.filter(site=self.site).order_by("pk").first()
        return found or self.ran("web", 3)

    @property
    def template(self) -> JobTemplate:
        """A job template, declared where there is none: an imported tree has none."""
        found = JobTemplate.objects.filter(site=self.site).order_by("pk").first()
        if found is None:
            with change(self.site, by="fixture", why="something to run"):
                project = Project(site=self.site, name="code", location="/srv/code")
                project.save()
                found = JobTemplate(site=self.site, name="base", project=project, playbook="site.yml")
                found.save()
        return found

    def ran(self, word: str, number: int) -> Any:
        """A run of so many hosts, the last of which failed."""
        made: Any = RunFactory(job__site=self.site, relation="", template=word)
        for n in range(number):
            HostFactory(run=made, host=f"{word}{n}", ok=1, failed=n == number - 1)
        said: list[dict[str, object]] = [
            {"host": f"{word}{n}", "play": "all", "task": word, "outcome": "ok", "text": word}
            for n in range(number)
        ]
        events(made, said)
        return made

    @classmethod
    def made(cls) -> World:
        declare_demo("fixture")
        site = Site.objects.get(slug="lab")
        for name in ("kea", "hosts"):
            renderings.rendering(site.slug, name)
        with change(site, by="fixture", why="a second revision"):
            host = Host.objects.get(site=site, name="pi01")
            host.notes = "behind the red door"
            host.save()
        return cls.around(site)

    @classmethod
    def around(cls, site: Site) -> World:
        """The world of a site that somebody else declared: a consumer, a token and renderings are added."""
        Consumer.objects.create(site=site, format="kea", name="router01", ok=False, message="no such pool")
        requests.request("housekeeping", by="fixture", why="a job")
        Token.objects.create(name="router01", digest="0" * 64, site=site)
        renderings.rendering(site.slug, "csv")
        now = timezone.now()
        carriers = Host.objects.filter(site=site, form="hv").order_by("name").values_list("name", flat=True)
        for name in carriers[:1]:
            Survey.objects.create(site=site, hypervisor=name, taken=now, failed=now, failure="no answer")
        made = cls(site)
        made.ran("web", 3)
        drift = made.drifting("pihole", carriers[0] if carriers else "hv01")
        drift.save()
        DriftDecision.objects.create(finding=drift, at=now, by="ada", verb="ignore", until=now, why="later")
        return made

    def drifting(self, found: str, hypervisor: str, **more: Any) -> DriftFinding:
        """A guest that nobody declares, not stored yet."""
        now = timezone.now()
        facts = {"kind": "undeclared", "subject": f"VMID {found}", "field": "machine", "vmid": 300, **more}
        return DriftFinding(
            site=self.site, hypervisor=hypervisor, found=f"{found} (lxc)", opened=now, last_seen=now, **facts
        )

    def grow(self, number: int, word: str) -> None:
        """More of everything that a page may list, each named by *word* and a number."""
        site = self.site
        done = {"kind": "switch_authority", "site": site, "site_slug": site.slug, "state": "succeeded"}
        Job.objects.bulk_create(
            [Job(**done, parameters={"to": word}, by_name=f"{word}{n}") for n in range(number)]
        )
        events(self.run, [{"task": f"{word}{n}", "host": f"{word}{n}", "text": word} for n in range(number)])
        for n in range(number):
            HostFactory(run=self.run, host=f"{word}{n}", changed=1)
        guests = [self.drifting(f"{word}{n}", f"hv-{word}{n}") for n in range(number)]
        for guest in guests:
            guest.host_name = self.host.name
        DriftFinding.objects.bulk_create(guests)
        first = Segment.objects.filter(site=site).count()
        with change(site, by="fixture", why="growth") as the_change:
            the_change.create(
                [Segment(site=site, name=f"{word}{n}", vlan=2000 + first + n) for n in range(number)]
            )
            the_change.create([Role(site=site, slug=f"{word}{n}") for n in range(number)])
            when = {"kind": "survey", "every_hours": 1, "why": "it", "enabled": False}
            the_change.create([Schedule(site=site, name=f"{word}{n}", **when) for n in range(number)])
            the_change.create(
                [KitPlace(site=site, name=f"{word}{n}", location=f"/srv/{word}") for n in range(number)]
            )
            made = [Project(site=site, name=f"{word}{n}", location=f"/srv/{word}") for n in range(number)]
            code = the_change.create(made)
            the_change.create(
                [JobTemplate(site=site, name=one.name, project=one, playbook="site.yml") for one in code]
            )
            groups = the_change.create([Group(site=site, name=f"{word}{n}") for n in range(number)])
            hosts = the_change.create([Host(site=site, name=f"{word}{n}", form="vm") for n in range(number)])
            the_change.create(
                [Interface(host=host, name=name) for host in hosts for name in ("eth0", "eth1")]
            )
            services = the_change.create(
                [Service(site=site, host=host, name=f"svc-{host.name}") for host in hosts]
            )
            the_change.create([Alias(site=site, name=f"al-{one.name}", service=one) for one in services])
            the_change.create(
                [Membership(group=group, host=host) for group, host in zip(groups, hosts, strict=True)]
            )
        for n in range(number):
            with change(site, by="fixture", why=f"one of many, {n}"):
                host = hosts[n]
                host.location = f"rack {n}"
                host.save()
        now = timezone.now()
        Consumer.objects.bulk_create(
            [
                Consumer(
                    site=site, format="kea", name=f"{word}{n}", ok=True, fetched_at=now - timedelta(days=n)
                )
                for n in range(number)
            ]
        )
        with change(site, by="fixture", why="retired") as the_change:
            for host in hosts[: number // 2]:
                host.status = "retired"
            the_change.update(hosts[: number // 2], ["status"])

    def sample(self, name: str, page: str) -> Any:
        """A value for the part *name* of a page's address."""
        first: dict[str, Any] = {
            "site": lambda: self.site.slug,
            "slug": lambda: self.site.slug,
            "finding": lambda: "address-in-pool",
            "format": lambda: "kea",
            "kind": lambda: "switch_authority" if page.endswith("_at") else "housekeeping",
            "noun": lambda: "host",
            "name": lambda: self.host.name,
            "segment": lambda: self.segment.pk,
            "host": lambda: self.host.pk,
            "interface": lambda: self.host.interfaces.order_by("name")[0].pk,
            "service": lambda: Service.objects.filter(site=self.site).order_by("pk")[0].pk,
            "group": lambda: Group.objects.filter(site=self.site, kind="group").order_by("pk")[0].pk,
            "view": lambda: 0,
            "code": lambda: "01",
            "octet": lambda: "00",
            "run": lambda: self.run.pk,
            "template": lambda: self.template.name,
            "change": lambda: Change.objects.filter(site=self.site).order_by("pk")[0].pk,
            "rendering": lambda: Rendering.objects.order_by("pk")[0].pk,
            "identity": lambda: Identity.objects.filter(site=self.site).order_by("pk")[0].pk,
        }
        if name not in first:
            raise NoSample(f"page {page}: no sample for <{name}>; add one to tests/admin/every_page.py")
        return first[name]()


#: registered pages that cannot be opened by their address alone, and why
NOT_OPENED: dict[str, str] = {
    "download_rendering": "a file, taken away in test_exports",
    "run_text": "a file, taken away in test_run_page",
}
#: registered pages that are a part of another one, which is looked at with them in it
FRAGMENTS = frozenset(
    {"find_live", "run_hosts", "run_tasks", "run_output", "run_lines", "run_found", "launch_variables"}
)


def registered(world: World) -> Iterator[tuple[str, str, Page]]:
    """(name, address, page) of every page of the register that answers to GET."""
    for known in PAGES:
        if "GET" not in known.methods or known.name in NOT_OPENED:
            continue
        parts = [match["name"] for match in _PART.finditer(known.route)]
        kwargs = {name: world.sample(name, known.name) for name in parts}
        yield known.name, reverse(f"admin:{known.name}", kwargs=kwargs), known


def of_models(world: World) -> Iterator[tuple[str, str]]:
    """(name, address): list, add, change and history page of every model that the admin shows."""
    site = world.site
    for model, model_admin in admin.site._registry.items():
        opts = model._meta
        base = f"admin:{opts.app_label}_{opts.model_name}"
        noun = opts.model_name if opts.app_label == "inventory" else f"{opts.app_label}-{opts.model_name}"
        yield f"{noun}-list", reverse(f"{base}_changelist")
        if model_admin.has_add_permission(_Anybody()):  # type: ignore[arg-type]
            yield f"{noun}-add", f"{reverse(f'{base}_add')}?site={site.pk}"
        row = row_of(world, model)
        if row is not None:
            yield f"{noun}-change", reverse(f"{base}_change", args=(row.pk,))
            if hasattr(model, "history"):
                yield f"{noun}-history", reverse(f"{base}_history", args=(row.pk,))


def row_of(world: World, model: Any) -> Any:
    """The same row each time, however many there are."""
    if model is Host:
        return world.host
    if model is Segment:
        return world.segment
    rows = model._default_manager.order_by("pk")
    return rows.first()


class _Anybody:
    """A request by somebody who may do everything."""

    method = "GET"
    GET: dict[str, str] = {}
    POST: dict[str, str] = {}

    class user:
        is_active = is_staff = is_superuser = is_authenticated = True
        pk = None

        @staticmethod
        def has_perm(permission: str, where: Any = None) -> bool:
            return True


def every_page(world: World) -> list[tuple[str, str]]:
    """(name, address) of everything."""
    found = [
        ("index", reverse("admin:index")),
        ("findings", reverse("admin:findings", args=(world.site.slug,))),
    ]
    found.append(("finding", reverse("admin:finding", args=("address-in-pool",))))
    found += of_models(world)
    found += [(name, address) for name, address, _ in registered(world)]
    return found
