"""Hostile text in every text of a site, and what a browser would make of the pages that show it."""

from __future__ import annotations

import re
import uuid
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.auth.models import Group as UserGroup
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models

from inventory import reading
from inventory.changes import change
from inventory.models import Consumer, SavedFilter, Token
from inventory.models.fields import OrderedJSONField
from tests.access.two_sites import Furnished

#: breaks out of attributes and scripts, is an element, and a template of both kinds; without a slash, which no name has
MARKUP = "\"'><img src=x onerror=alert(1)>{{7*7}}"
SHORT = "\"'><img src=x onerror=alert(1)>"
ADDRESS = "javascript:alert(1)//{{7*7}}"
CORE = "alert(1)"

#: names that forms judge, and that an import keeps as a living site has them
NAMES = {
    "host.name", "host.form", "interface.name", "segment.name", "segment.suffix", "group.name", "workloadprofile.name",
    "role.slug", "service.name", "service.tenant", "alias.name", "severityoverride.subject", "identity.host_name",
    "schedule.name", "project.name", "jobtemplate.name", "kitplace.name",
}  # fmt: skip
#: what somebody may make a link of
LINKED = frozenset({"api_url", "health_check", "metrics_path"})
#: what addresses of pages and files are made of
KEPT = {
    "site.slug",
    "site.live_copy",
    "change.site_slug",
    "change.source",
    "token.digest",
    "severityoverride.finding",
    "schedule.cron",
    "project.source",
    "kitplace.kind",
    "consumer.format",
    "identity.value",
}


def plant(ours: Furnished, text: str, *, names: bool) -> set[str]:
    """*text* in every text that a form lets through; with *names* in those too that an import alone brings.

    Returns what was planted, as ``host.notes``.
    """
    planted: set[str] = set()
    rows = {noun: row for noun, row in ours.rows.items() if noun not in ("rendering", "grant")}
    for noun, row in rows.items():
        given = _texts(noun, type(row), text, names=names)
        if given:
            type(row)._base_manager.filter(pk=row.pk).update(**given)
            planted |= {f"{noun}.{column}" for column in given}
    with change(ours.site, by=text, why=text, source="import", batch=uuid.uuid4()):
        for row in rows.values():  # their history says it as well
            if hasattr(type(row), "history"):
                type(row)._base_manager.get(pk=row.pk).save()
    Consumer.objects.filter(pk=ours["consumer"].pk).update(ok=False)
    reading.forget()
    return planted


def _texts(noun: str, model: Any, text: str, *, names: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        called = f"{noun}.{field.name}"
        if field.name in LINKED:
            found[field.name] = ADDRESS
            continue
        if called in KEPT or field.choices or called.endswith("_etag"):
            continue
        if isinstance(field, OrderedJSONField):
            if field.name in ("variables", "access", "out_of_band"):
                found[field.name] = {text: text, "listed": [text, {text: {text: text}}]}
        elif isinstance(field, models.CharField | models.TextField):
            fitting = text if len(text) <= (field.max_length or 1000) else SHORT
            if len(fitting) > (field.max_length or 1000) or (called in NAMES) > names:
                continue
            if called in NAMES or _lets_through(field, fitting):
                found[field.name] = fitting
    return found


def _lets_through(field: Any, text: str) -> bool:
    try:
        field.run_validators(text)
    except ValidationError:
        return False
    return True


def people(ours: Furnished, viewer: User, text: str) -> None:
    """Somebody, a user group and a token of that name; and views that *viewer* saved."""
    User.objects.create_user(text, first_name=text, last_name=text, email="x@example.net", is_staff=True)
    UserGroup.objects.create(name=text)
    Token.objects.create(name=f"{text} 2", digest="1" * 64)
    for model in apps.get_app_config("inventory").get_models():
        noun = f"inventory.{model._meta.model_name}"
        SavedFilter.objects.create(user=viewer, noun=noun, name=text, query=urlencode({"q": text}))


# --- what a browser would make of it ---

_ADDRESSES = frozenset(
    {
        "href",
        "src",
        "action",
        "formaction",
        "xlink:href",
        "data",
        "poster",
        "hx-get",
        "hx-post",
        "hx-put",
        "hx-delete",
    }
)
#: Alpine and htmx run what these say
_RUN = re.compile(
    r"(?:x-|@|:|on|hx-on|hx-vals|hx-vars|hx-headers|hx-trigger|hx-include|hx-target|style|srcdoc)"
)
_SCHEMES = re.compile(r"(?:javascript|vbscript|data|file):", re.IGNORECASE)
_NO_NAME = re.compile(r"[\"'<>{}()=]")


class Page(HTMLParser):
    """Collects in ``faults`` whatever our text became on a page besides text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        #: whether the text is there at all
        self.shows = False
        self.forms: list[dict[str, Any]] = []
        self._script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._script = "" if tag != "script" else given.get("type", "text/javascript")
        if tag == "img" and "onerror" in given:
            self.faults.append(f"an element of ours: {self.get_starttag_text()}")
        for name, value in given.items():
            self.shows = self.shows or CORE in value
            if _NO_NAME.search(name) or name.startswith("on"):
                self.faults.append(f"the attribute {name} of {self.get_starttag_text()}")
            if _RUN.match(name) and CORE in value:
                self.faults.append(f"run as code: {name}={value[:120]!r}")
            if name in _ADDRESSES and _SCHEMES.match(re.sub(r"[\s\x00-\x1f]", "", value)):
                self.faults.append(f"leads to a script: {name}={value[:120]!r}")
        self._note(tag, given)

    def handle_data(self, data: str) -> None:
        self.shows = self.shows or CORE in data
        if self._script and "json" not in self._script and CORE in data:
            self.faults.append(f"within a script: {data[:120]!r}")
        if "49" in re.findall(r"alert\(1\)(?:>|//)(..)", data):
            self.faults.append(f"a template was run: {data[:120]!r}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = ""

    def _note(self, tag: str, given: dict[str, str]) -> None:
        """Forms with their fields, for who fills them in."""
        if tag == "form":
            self.forms.append(
                {
                    "method": given.get("method", "get").lower(),
                    "action": given.get("action", ""),
                    "fields": {},
                }
            )
        elif self.forms and tag in ("input", "textarea", "select") and given.get("name"):
            kind = given.get("type", tag)
            self.forms[-1]["fields"][given["name"]] = (kind, given.get("value", ""))


def read(response: Any) -> Page:
    page = Page()
    body = b"".join(response.streaming_content) if response.streaming else response.content
    page.feed(body.decode("utf-8"))
    page.close()
    return page
