"""The page on which a person compares gathered host keys and records them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from inventory.admin.pages import page
from inventory.admin.sited import row_or_404
from inventory.models import Host, Site
from inventory.permissions import may
from provisioning.drift import Refused
from provisioning.observed import recording


@page("host-keys/<str:site>/<int:host>/", permission="inventory.change_host", methods=("GET", "HEAD", "POST"))
def record_host_keys(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """Show what would be recorded, then record exactly that."""
    row: Host = row_or_404(Host.objects.filter(site=site).select_related("site"), str(host))
    if not may(request.user, "provisioning.view_run", site):
        raise PermissionDenied("What runs gathered needs the permission provisioning.view_run.")
    back = reverse("admin:inventory_host_change", args=(row.pk,))
    try:
        if request.method == "POST":
            given = {name: request.POST.get(name, "") for name in ("fingerprint", "why")}
            recording.record(row, by=request.user, **given)
            messages.success(request, f"The host keys of {row} are recorded.")
            return redirect(back)
        plan = recording.recording(row)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    context = {
        **admin.site.each_context(request),
        "title": f"Record the SSH host keys of {row}",
        "row": row,
        "plan": plan,
        "back": back,
    }
    return TemplateResponse(request, "admin/provisioning/record_host_keys.html", context)
