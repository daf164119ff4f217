"""Forms of pages that belong to no row: unfold's widgets on Django's fields, and the way a template shows them."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from inventory.admin.fields import MacField
from inventory.admin.forms import WHY_HELP


def text(label: str, help_text: str = "", *, required: bool = True, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        **{"max_length": 200, **more},
    )


def number(label: str, help_text: str = "", **more: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        **more,
    )


def choice(label: str, choices: Any, help_text: str = "", **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, help_text=help_text, widget=UnfoldAdminSelectWidget(), **more
    )


def yes_no(label: str, help_text: str = "", **more: Any) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, help_text=help_text, required=False, widget=UnfoldBooleanWidget(), **more
    )


def mac(label: str, help_text: str = "") -> MacField:
    return MacField(
        label=label,
        help_text=help_text,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


def file(label: str, help_text: str = "", **more: Any) -> forms.FileField:
    return forms.FileField(label=label, help_text=help_text, widget=UnfoldAdminFileFieldWidget(), **more)


def password(label: str, help_text: str = "") -> forms.CharField:
    """Asked for, used in this request, never shown again and never stored."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )


def reason(*, required: bool = False) -> forms.CharField:
    return text("Reason for this change", WHY_HELP, required=required, max_length=1000)


def textarea(*, rows: int, classes: str = "") -> forms.Textarea:
    attrs = {"rows": rows, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
    return UnfoldAdminTextareaWidget(attrs={**attrs, **({"class": classes} if classes else {})})
