"""People: users, their groups, and the levels they have at sites. Nobody raises anybody above himself."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from inventory import granting
from inventory.admin.fields import text_input
from inventory.admin.filters import SiteFilter
from inventory.admin.sited import Sited
from inventory.models import Grant
from inventory.permissions import sites_where, visible_sites

admin.site.unregister(User)
admin.site.unregister(Group)


def site_choice(request: HttpRequest, permission: str) -> dict[str, Any]:
    """The site field's queryset for *request*: "every site" only for who may do this at every site."""
    limited = sites_where(request.user, permission) is not None
    said = {"required": True, "help_text": "One of the sites that you administer."} if limited else {}
    return {"queryset": visible_sites(request.user, permission), **said}


class GrantForm(forms.ModelForm):
    """A level at a site, of those that the person who gives it has there."""

    #: who gives; a fresh class is made for each request
    by: ClassVar[Any] = None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        level = given.get("level")
        if level and not self.errors:
            site = given.get("site", self.instance.site)
            if level not in granting.offered(self.by, site):
                where = f"site {site}" if site else "every site"
                self.add_error(
                    "level", f"You are no {level} of {where} yourself; give a level up to your own."
                )
        return given


class NewGrantForm(GrantForm):
    person = forms.CharField(
        label="Person",
        max_length=150,
        widget=text_input(autocomplete="off"),
        help_text="The name with which the person signs in. Who is new is made under Users first.",
    )

    class Meta:
        model = Grant
        fields = ("site", "level")

    def clean_person(self) -> User:
        name: str = self.cleaned_data["person"].strip()
        found = User.objects.filter(username=name).first()
        if found is None:
            raise ValidationError(f"There is no user “{name}”; who may add users makes one first.")
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        user = given.get("person")
        if user and not self.errors:
            self.instance.user = user
            if present := Grant.objects.filter(user=user, site=given["site"]).first():
                self.add_error("person", f"{present}, already; change that one.")
        return given


class Given(Sited):
    """What the list of grants and the part of a person's page share."""

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._within_own(request, obj)

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._within_own(request, obj)

    def _within_own(self, request: Any, obj: Any) -> bool:
        row = self.where(obj)
        return not isinstance(row, Grant) or row.level in granting.offered(request.user, row.site)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "site":
            kwargs |= site_choice(request, self.permission("add"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


@admin.register(Grant)
class GrantAdmin(Given, ModelAdmin):
    list_display = ["user", "site_shown", "level"]
    list_select_related = ["user", "site"]
    list_filter = [SiteFilter, "level"]
    search_fields = ["user__username"]
    search_help_text = "Person"
    form = GrantForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["user", "site", "level"] if obj else ["person", "site", "level"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["user", "site"] if obj else []

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(
            request, obj, change, **{"form": GrantForm if obj else NewGrantForm, **kwargs}
        )
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.save()
        if said := granting.let_in(obj.user):
            messages.warning(request, said.strip())

    @admin.display(description="site", ordering="site__slug")
    def site_shown(self, grant: Grant) -> str:
        return grant.site.slug if grant.site else "every site"


class GrantInline(Given, TabularInline):
    """On the page of a person, for who may grant: the levels at the sites that one may see."""

    model = Grant
    form = GrantForm
    fields = ["site", "level"]
    extra = 0
    verbose_name_plural = "levels at sites"

    def get_formset(self, request: Any, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.by = request.user
        return formset

    def where(self, obj: Any) -> Any:
        """The page's row is a person, who belongs to no site: asked anywhere, and each row limits its choices."""
        return None if isinstance(obj, User) else super().where(obj)

    def get_queryset(self, request: Any) -> Any:
        """Rows above the own level are not there to be changed."""
        rows = super().get_queryset(request)
        kept = [
            row.pk
            for row in rows.select_related("site")
            if row.level in granting.offered(request.user, row.site)
        ]
        return rows.filter(pk__in=kept)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [GrantInline]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj else []

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._no_more_than(request, obj)

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._no_more_than(request, obj)

    def _no_more_than(self, request: Any, obj: Any) -> bool:
        """Whose password one may set, one can be: nobody who may do anything that one may not oneself."""
        me = request.user
        if obj is None or me.is_superuser or obj == me:
            return True
        if isinstance(obj, str):
            obj = User.objects.filter(pk=obj).first() if obj.isdecimal() else None
        if obj is None or obj.is_superuser:
            return False
        django = obj.get_user_permissions() | obj.get_group_permissions()
        if any(sites_where(me, permission) is not None for permission in django):
            return False
        return all(row.level in granting.offered(me, row.site) for row in obj.grants.select_related("site"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What makes somebody more than he is: for superusers, who are that already."""
        kept = super().get_readonly_fields(request, obj)
        return kept if request.user.is_superuser else (*kept, "is_superuser", "groups", "user_permissions")

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user = form.instance
        if user.grants.exists() and (said := granting.let_in(user)):
            messages.warning(request, said.strip())


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """User groups hold at every site; who may change one may give himself anything, so superusers alone do."""

    def has_add_permission(self, request: Any) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)
