"""Forms that go through the door: a reason beside the facts, refusals beside the field that must change."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteMixin, AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.utils.html import escape

from inventory.admin import fields
from inventory.models import Declared, Interface, Segment
from inventory.models.fields import OrderedJSONField

WHY_HELP = "Kept in history with your name. People will ask."


class PartForm(forms.ModelForm):
    """A form of one declared row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, fields.StoredTextField):
                field.stored = self.initial.get(name)

    @property
    def row_changed(self) -> bool:
        """Whether a column of the row itself was edited, and not just the reason or a link."""
        columns = {field.name for field in self._meta.model._meta.concrete_fields}
        return bool(columns & set(self.changed_data))


class VersionField(forms.CharField):
    """Which version of the row the page showed; of no interest to people."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class DoorForm(PartForm):
    """A page's main form."""

    why = forms.CharField(
        label="Reason for this change",
        required=False,
        max_length=1000,
        widget=fields.text_input(autocomplete="off", list="recent-reasons"),
        help_text=WHY_HELP,
    )

    version = VersionField()

    #: what the door said to the same input a moment ago; a fresh class is made for each request
    refusal: ClassVar[ValidationError | None] = None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.refusal is None:
            return
        by_field = getattr(self.refusal, "error_dict", None)
        problems = self.refusal.message_dict if by_field else {NON_FIELD_ERRORS: self.refusal.messages}
        for name, messages in problems.items():
            for message in messages:
                self.add_error(name if name in self.fields else self._field_of(message), message)

    def _field_of(self, message: str) -> str | None:
        """The field whose value the message begins with, such as “pi01 belongs to …”."""
        first_word = message.split(" ", 1)[0]
        return next(
            (
                name
                for name, value in self.cleaned_data.items()
                if value == first_word and name in self.fields
            ),
            None,
        )

    @property
    def reason(self) -> str:
        return str(self.cleaned_data.get("why", "")).strip()

    def require_reason(self, sentence: str) -> None:
        if not self.reason and "why" not in self.errors:
            self.add_error("why", sentence)


class SiteBound:
    """What pages and their inlines share: fields typed as people write, choices limited to one site.

    ``request.declared_site_id`` says which; ``DoorAdmin.get_form`` sets it before any field is made.
    """

    admin_site: admin.AdminSite

    def formfield_for_dbfield(self, db_field: models.Field, request: Any, **kwargs: Any) -> Any:
        if isinstance(db_field, OrderedJSONField):
            return fields.field_for(db_field)
        if db_field is Interface._meta.get_field("mac"):
            kwargs["form_class"] = fields.MacField
        if isinstance(db_field, models.GenericIPAddressField):
            kwargs["form_class"] = fields.AddressField
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:  # “<host>-<suffix>” is text, and templates take it for HTML
            field.help_text = escape(str(field.help_text))
        if isinstance(field, forms.CharField) and isinstance(field.widget, forms.Textarea):
            field.widget.attrs["rows"] = 3
        for way in ("add", "change", "delete", "view"):  # pop-up windows know nothing of the site
            if field is not None and hasattr(field.widget, f"can_{way}_related"):
                setattr(field.widget, f"can_{way}_related", False)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        remote = db_field.remote_field.model
        site_id = getattr(request, "declared_site_id", None)
        if issubclass(remote, Declared) and hasattr(remote, "site"):
            kwargs["queryset"] = of_site(remote._default_manager.all(), site_id)
            if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
                kwargs["widget"] = SiteSelect(db_field, self.admin_site, site_id)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if remote is Segment and field is not None:  # one query, however many interfaces a host has
            if not hasattr(request, "segment_choices"):
                request.segment_choices = list(field.choices)
            field.choices = request.segment_choices
        return field


def of_site(rows: QuerySet[Any], site_id: int | None) -> QuerySet[Any]:
    return rows.filter(site=site_id) if site_id else rows


class _SiteAjax(AutocompleteMixin):
    def __init__(self, field: Any, admin_site: Any, site_id: int | None, **only: str) -> None:
        super().__init__(field, admin_site)
        self.only = {"site": str(site_id), **only} if site_id else only

    def get_url(self) -> str:
        url: str = super().get_url()
        return f"{url}?{urlencode(self.only)}" if self.only else url

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """Without what is no number: Django looks for the rows of whatever was sent."""
        numbers = [one for one in value if not one or (str(one).isdecimal() and len(str(one)) < 18)]
        return super().optgroups(name, numbers, attr)


class SiteSelect(_SiteAjax, AutocompleteSelect):
    """One row of the same site, found by typing; ten thousand hosts make no list."""


class SiteSelectMultiple(_SiteAjax, AutocompleteSelectMultiple):
    """Several rows of the same site, found by typing."""


class LinksField(forms.ModelMultipleChoiceField):
    """The other side of a many-to-many; *through_field* leads there."""

    def __init__(self, through_field: Any, **kwargs: Any) -> None:
        self.through_field = through_field
        remote = through_field.remote_field.model
        super().__init__(queryset=remote._default_manager.all(), required=False, **kwargs)

    def limit(self, rows: QuerySet[Any], site_id: int | None, **only: str) -> None:
        """Offer *rows* of one site. The widget is made here, since it needs the site; *only* narrows its search."""
        self.queryset = of_site(rows, site_id)
        widget = SiteSelectMultiple(self.through_field, admin.site, site_id, **only)
        widget.is_required = False
        widget.choices = self.choices
        self.widget = widget
