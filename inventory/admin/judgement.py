"""Where the subjects of findings have their pages; and the findings themselves, for those who show both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from inventory.disputes import WORDS
from inventory.models import (
    Alias,
    Group,
    Host,
    Interface,
    JobTemplate,
    Project,
    Role,
    Segment,
    Service,
    SeverityOverride,
)
from inventory.serving.judgement import findings_of as findings_of


def pages_of(site_id: int, subjects: Iterable[str]) -> dict[str, str]:
    """subject → address of its page, for those that have one. One query for each kind of subject."""
    by_kind: dict[str, dict[str, str]] = {}
    for subject in subjects:
        kind, _, name = subject.partition(" ")
        by_kind.setdefault(kind, {})[name] = subject
    found = {subject: _page("site", site_id) for subject in by_kind.pop("site", {}).values()}
    if all_hosts := by_kind.get("group", {}).pop("all", ""):  # the site itself carries what is for all
        found[all_hosts] = _page("site", site_id)
    ledger = reverse("admin:inventory_identity_changelist")
    for kind, word in WORDS.items():  # what hosts dispute has no page, but a list of who claims it
        for value, subject in by_kind.pop(word, {}).items():
            found[subject] = f"{ledger}?{urlencode({'q': value, 'kind__exact': kind})}"
    for kind, names in by_kind.items():
        for noun, name, pk in _rows(kind, site_id, list(names)):
            if name in names:
                found[names[name]] = _page(noun, pk)
    return found


#: kinds of subjects whose rows are found by their name
_NAMED = {"host": Host, "segment": Segment, "alias": Alias, "project": Project, "template": JobTemplate}


def _rows(kind: str, site_id: int, names: list[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (noun, name as in the subject, id) of the rows that may be meant."""
    if kind == "interface":
        hosts = {name.partition("/")[0] for name in names}
        parts = Interface.objects.filter(host__site=site_id, host__name__in=hosts)
        for host, name, pk in parts.order_by().values_list("host__name", "name", "pk"):
            yield kind, f"{host}/{name}", pk
    elif kind == "service":
        labels = {name.partition(" on ")[0] for name in names}
        first_labels = {label.partition(".")[0] for label in labels} | labels
        services = Service.objects.filter(site=site_id, name__in=first_labels).select_related("host")
        for service in services.only("name", "tenant", "host__name").order_by("-pk"):
            yield kind, service.label, service.pk
            yield kind, f"{service.label} on {service.host.name}", service.pk
    elif kind in ("group", "profile"):
        groups = Group.objects.filter(site=site_id, kind=kind, name__in=names).order_by()
        for name, pk in groups.values_list("name", "pk"):
            yield "group" if kind == "group" else "workloadprofile", name, pk
    elif kind == "override":
        for row in SeverityOverride.objects.filter(site=site_id):
            yield "severityoverride", str(row), row.pk
    elif kind == "role":
        for name, pk in (
            Role.objects.filter(site=site_id, slug__in=names).order_by().values_list("slug", "pk")
        ):
            yield kind, name, pk
    elif kind in _NAMED:
        model: Any = _NAMED[kind]
        rows = model._default_manager.filter(site=site_id, name__in=names).order_by()
        for name, pk in rows.values_list("name", "pk"):
            yield model._meta.model_name, name, pk


def _page(noun: str, pk: int) -> str:
    return reverse(f"admin:inventory_{noun}_change", args=(pk,))
