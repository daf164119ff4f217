"""Which machines come in: tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django_celery_beat import models as beat
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from inventory.admin.lists import LeanLists
from inventory.admin.many.list_csv import ListCsv
from inventory.admin.people import site_choice
from inventory.admin.sited import Sited
from inventory.exports.registry import MODULES
from inventory.models import Token
from inventory.permissions import may

for model in (beat.ClockedSchedule, beat.CrontabSchedule, beat.IntervalSchedule, beat.PeriodicTask):
    admin.site.unregister(model)  # schedules are declared, not edited in the machine room
admin.site.unregister(beat.SolarSchedule)


class TokenForm(forms.ModelForm):
    formats = forms.MultipleChoiceField(
        choices=[(name, name) for name in MODULES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=Token._meta.get_field("formats").help_text,
    )

    class Meta:
        model = Token
        fields = ("name", "site", "formats", "scope", "expires")


@admin.register(Token)
class TokenAdmin(Sited, ListCsv, LeanLists, ModelAdmin):
    """A token's secret is shown on the page that answers its creation, and nowhere else."""

    form = TokenForm
    list_display = ["name", "site_shown", "formats_shown", "scope", "state", "expires", "last_used"]
    list_select_related = ["site"]
    list_filter = ["scope"]
    search_fields = ["name"]
    readonly_fields = ["created", "last_used"]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Not by what nobody is shown: letter by letter a list would tell it."""
        return not lookup.startswith("digest") and super().lookup_allowed(lookup, value, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = ["name", "site", "formats", "scope", "expires"]
        return [*asked, "created", "last_used"] if obj else asked

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "site":
            kwargs |= site_choice(request, self.permission("add"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not may(request.user, self.permission("change" if change else "add"), obj):
            raise PermissionDenied("A token for every site needs an administrator of every site.")
        if not change:
            obj.shown_once = obj.issue()
        obj.save()

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        """Answer with the secret itself: a message would pass through a cookie or the session's table."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Token {obj.name}",
            "opts": self.opts,
            "token": obj,
            "secret": obj.shown_once,
            "site_slug": obj.site.slug if obj.site else "SITE",
            "base_url": request.build_absolute_uri("/")[:-1],
        }
        response: HttpResponse = TemplateResponse(request, "admin/inventory/token_issued.html", context)
        add_never_cache_headers(response)
        return response

    @display(description="site", ordering="site__slug")
    def site_shown(self, token: Token) -> str:
        return token.site.slug if token.site else "every site"

    @display(description="formats")
    def formats_shown(self, token: Token) -> str:
        return ", ".join(token.formats) or "every format"

    @display(description="state", label={"valid": "success", "expired": "danger"})
    def state(self, token: Token) -> str:
        return "expired" if token.is_expired else "valid"
