"""Services that move to another host: one, or everything that a host carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory import reading
from inventory.acts import doing, moving
from inventory.acts.plan import Plan
from inventory.acts.writing import Order
from inventory.admin.acts.acting import ActPage, answer
from inventory.admin.acts.forms import LIVE, ActForm, choice, text
from inventory.admin.acts.on_hosts import BOTH, Answers, sent
from inventory.admin.pages import page
from inventory.models import Host, Site
from inventory.snapshot import Snapshot

#: So many hosts make a list to choose from; beyond, the name is typed.
CHOOSABLE = 300


class MoveForm(ActForm):
    """Which services, as ``host/label``, and where to."""

    def __init__(self, snapshot: Snapshot, data: Any, hosts: Iterable[str]) -> None:
        super().__init__(snapshot, data)
        there = [snapshot.host_by_name[name] for name in hosts if name in snapshot.host_by_name]
        names = [one.name for one in snapshot.live_hosts if len(there) != 1 or one is not there[0]]
        if len(names) <= CHOOSABLE:
            self.fields["to"] = choice(names, label="To the host", empty="choose")
        else:
            self.fields["to"] = text(label="To the host", help_text="Its name, such as pi03.")
        self.boxes(
            "service",
            "Services that move",
            [f"{one.name}/{row.label}" for one in there for row in one.services],
        )
        self.kept = tuple(("host", one.name) for one in there)
        self.order_fields(["to", "service"])

    def clean_to(self) -> str:
        name = str(self.cleaned_data["to"]).strip()
        if name and name not in self.snapshot.host_by_name:
            raise ValidationError(f"The site has no host {name}; declare it first, or correct the name.")
        return name


@page("acts/<str:site>/move-services/", permission="inventory.change_service", methods=BOTH)
def move_services(request: HttpRequest, site: Site) -> HttpResponse:
    """``?service=pi02/artifacts`` (several are possible), or ``?host=pi02`` for everything that it carries."""
    data = sent(request)
    snapshot = reading.load(site.slug)
    asked = data.getlist("service")
    hosts = list(dict.fromkeys([*data.getlist("host"), *(one.partition("/")[0] for one in asked)]))
    there = [snapshot.host_by_name[name] for name in hosts if name in snapshot.host_by_name]
    carried = [f"{one.name}/{row.label}" for one in there for row in one.services]
    if not hosts:
        messages.info(request, "Choose the services that move, then “Move to another host”.")
        return redirect(reverse("admin:inventory_service_changelist") + f"?site={site.pk}")
    if not carried:
        raise Http404(
            f"{', '.join(hosts)}: no such host carries a service here; look at the list of services."
        )
    if not asked and not data.get(LIVE):
        data = data.copy()
        data.setlist("service", carried)
    form = MoveForm(snapshot, data, hosts)
    form.ask_why(needed=True, confirmed=request.method == "POST")
    back = _back(site, hosts, asked)
    return answer(request, _page(site, hosts, asked or carried, back), form)


def _page(site: Site, hosts: list[str], asked: list[str], back: str) -> ActPage:
    def pairs(said: Answers) -> list[tuple[str, str]]:
        return [(one.partition("/")[0], one.partition("/")[2]) for one in said.get("service", ())]

    def planned(snapshot: Snapshot, said: Answers) -> Plan | None:
        return moving.plan(snapshot, pairs(said), said["to"]) if said["to"] and said.get("service") else None

    def act(order: Order, said: Answers) -> str:
        doing.move_services(site, pairs(said), said["to"], order)
        return f"{', '.join(label for _, label in pairs(said))}: on {said['to']} now."

    what = asked[0].partition("/")[2] if len(asked) == 1 else "services"
    return ActPage(
        f"Move {what} from {', '.join(hosts)}",
        "A service is a name. Moving it changes one record, and no consumer.",
        "Move",
        back,
        "Choose the host that carries them from now on; what changes, and what names the old host for them, is listed here.",
        planned,
        act,
        dangerous=False,
    )


def _back(site: Site, hosts: list[str], asked: list[str]) -> str:
    row = (
        Host.objects.filter(site=site, name=hosts[0]).first() if len(hosts) == 1 and len(asked) != 1 else None
    )
    if row is not None:
        return reverse("admin:inventory_host_change", args=(row.pk,))
    return reverse("admin:inventory_service_changelist")
