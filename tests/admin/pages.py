"""How a test fills in a page: it takes the form that the page shows, changes what it wants, and sends it back."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.helpers import AdminForm
from django.test import Client
from django.urls import reverse

from inventory.models import Change


def url(noun: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:inventory_{noun}_{page}", args=args)


def shown(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back if nobody touched the page at *address*."""
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    page: AdminForm = response.context["adminform"]
    data = _values(page.form)
    for inline in response.context["inline_admin_formsets"]:
        formset = inline.formset
        data |= _values(formset.management_form)
        for form in formset.forms:
            data |= _values(form)
    return data


def _values(form: Any) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for bound in form:
        value = bound.field.prepare_value(bound.initial)
        if isinstance(value, list | tuple):
            data[bound.html_name] = [str(item) for item in value]
        elif value is True:
            data[bound.html_name] = "on"
        elif value is not False and value is not None:
            data[bound.html_name] = str(value)
    return data


def send(client: Client, address: str, data: dict[str, Any]) -> Any:
    """Post, and expect to be sent on to another page."""
    response = client.post(address, data)
    if response.status_code != 302:
        raise AssertionError(errors_of(response))
    return response


def errors_of(response: Any) -> dict[str, list[str]]:
    """field → what stands beside it; inline fields as ``interfaces-0-mac``."""
    assert response.status_code == 200, response.status_code
    form = response.context["adminform"].form
    found = {name: list(errors) for name, errors in form.errors.items()}
    for inline in response.context["inline_admin_formsets"]:
        for one in inline.formset.forms:
            found |= {one.add_prefix(name): list(errors) for name, errors in one.errors.items()}
        if inline.formset.non_form_errors():
            found[inline.formset.prefix] = list(inline.formset.non_form_errors())
    return found


def new_inline(prefix: str, index: int, **values: Any) -> dict[str, Any]:
    """One more row of an inline formset, the *index*-th."""
    return {f"{prefix}-TOTAL_FORMS": index + 1, **{f"{prefix}-{index}-{k}": v for k, v in values.items()}}


def latest_change() -> Change:
    return Change.objects.latest("id")
