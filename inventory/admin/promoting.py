"""The page that makes this copy of the application the live one of a site: the name is typed, a reason given."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from inventory.admin.pages import page, shown
from inventory.copying import copies, promoting
from inventory.models import Site


class PromoteForm(forms.Form):
    typed = forms.CharField(
        label="Name of the site",
        help_text="Typed, not copied: it is what keeps this from happening by mistake.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autocapitalize": "off"}),
    )
    why = forms.CharField(
        label="Reason",
        help_text="What became of the copy that was live; kept in history.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    above = forms.IntegerField(
        label="Above epoch",
        required=False,
        min_value=0,
        help_text="Empty, unless a consumer refuses to go below an epoch that this copy does not know of: that one.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    epoch = forms.IntegerField(widget=forms.HiddenInput)


@page("promote/<str:site>/", permission="inventory.promote_site", methods=("GET", "HEAD", "POST"))
def promote(request: HttpRequest, site: Site) -> HttpResponse:
    epoch = copies.next_epoch(site)
    form = PromoteForm(request.POST if request.method == "POST" else None, initial={"epoch": epoch})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            done = promoting.promote(
                site,
                typed=given["typed"],
                by=request.user,
                why=given["why"],
                shown=max(given["epoch"], (given["above"] or 0) + 1),
                above=given["above"] or 0,
            )
        except promoting.NotPromoted as reason:
            form.add_error(None, str(reason))
            form.data = {**request.POST.dict(), "epoch": str(epoch)}
        else:
            messages.success(request, f"This copy is live for {site} now, in epoch {done.epoch}.")
            return redirect("admin:index")
    (standing,) = copies.standings(Site.objects.filter(pk=site.pk))
    return shown(
        request,
        "promote.html",
        f"Make this copy the live one of {site}?",
        site=site,
        form=form,
        standing=standing,
        epoch=epoch,
        others=copies.heard().filter(site=site, epoch__gte=site.epoch).exclude(uid=site.live_copy),
        rumoured=copies.rumoured(site),
        last=promoting.last(site),
        back=reverse("admin:index"),
    )
