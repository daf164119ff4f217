"""An Ansible inventory, brought in from the browser: an archive of the tree, what it would change, then the change."""

from __future__ import annotations

import base64
import binascii
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from inventory import validators
from inventory.admin import asking
from inventory.admin.many.allowed import lacking
from inventory.admin.pages import page, shown
from inventory.document import Plan
from inventory.document.plans import told
from inventory.importers import archives
from inventory.importers.intake import Intake, take
from inventory.models import Site
from inventory.permissions import may, visible_sites

#: An inventory is text and packs well; what is larger is imported in a shell.
MOST_BYTES = 4 << 20
MOST_LINES = 2_000


class TreeForm(forms.Form):
    site = asking.text("Site", "Its short name, such as lab; made if it is new.", max_length=63)
    archive = asking.file(
        "Archive of the tree",
        "tar, tar.gz or zip of the directory with hosts.yml, group_vars and host_vars: "
        "tar czf tree.tar.gz -C path/to/inventory .",
        required=False,
    )
    #: the same, carried from the plan to its confirmation
    carried = forms.CharField(required=False, widget=forms.HiddenInput)
    password = asking.password(
        "Vault password",
        "Used for this request and forgotten. Without it, wholly vaulted files are kept sealed as they are.",
    )
    why = asking.reason()

    def clean_site(self) -> str:
        slug: str = self.cleaned_data["site"].strip()
        validators.site_slug(slug)
        return slug

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        upload = given.get("archive")
        if upload is not None:
            given["content"] = self._read(upload)
        elif given.get("carried"):
            given["content"] = self._decoded(given["carried"])
        else:
            self.add_error("archive", "Choose the archive of a tree.")
        return given

    def _read(self, upload: Any) -> bytes:
        if upload.size > MOST_BYTES:
            self.add_error(
                "archive",
                f"The archive has {upload.size:,} bytes, and {MOST_BYTES:,} are the most a page carries. Archive the "
                "inventory directory alone, or import it in a shell: manage.py import_ansible PATH --site SLUG.",
            )
            return b""
        return bytes(upload.read())

    def _decoded(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self.add_error("archive", "What was carried along is damaged; choose the archive again.")
            return b""


@page("import/ansible/", permission="inventory.change_site", methods=("GET", "HEAD", "POST"))
def tree_import(request: HttpRequest) -> HttpResponse:
    """Show what importing a tree would do; do exactly that when it is confirmed."""
    form = TreeForm(request.POST or None, request.FILES or None, initial=_initial(request))
    if request.method != "POST" or not form.is_valid():
        return _asked(request, form)
    slug, content = form.cleaned_data["site"], form.cleaned_data["content"]
    _require(request, slug)
    with tempfile.TemporaryDirectory(prefix="mgmtplane-import-") as scratch:
        try:
            root = archives.unpack(content, Path(scratch))
            intake = take(
                root,
                slug,
                password=form.cleaned_data["password"].encode() or None,
                max_file_bytes=settings.IMPORT_MAX_FILE_BYTES,
            )
        except archives.BadArchive as refusal:
            form.add_error("archive", str(refusal))
            return _asked(request, form)
        if intake.errors:
            form.add_error(
                None, f"{len(intake.errors)} errors in the tree; nothing was stored. Mend them there first."
            )
            return _asked(request, form, intake=intake)
        return _planned(request, form, intake, content)


def _planned(request: HttpRequest, form: TreeForm, intake: Intake, content: bytes) -> HttpResponse:
    """The plan, or the import when exactly this plan was confirmed."""
    try:
        plan = intake.plan()
        if lines := _lacking(request, plan):
            form.add_error(None, ValidationError(["Nothing was stored.", *lines]))
            return _asked(request, form, intake=intake, plan=plan)
        fingerprint = _fingerprint(plan, content)
        if request.POST.get("confirmed") == fingerprint and not plan.is_empty:
            why = form.cleaned_data["why"] or "import of an Ansible tree"
            done = intake.apply(by=request.user, why=why)
            messages.success(request, f"Imported into {intake.slug}, as revision {done.revision}.")
            return redirect("admin:site_overview", site=intake.slug)
    except ValidationError as refusal:
        form.add_error(None, ValidationError(["Nothing was stored.", *refusal.messages]))
        return _asked(request, form, intake=intake)
    carried = base64.b64encode(content).decode()
    moved = "confirmed" in request.POST
    return _asked(
        request, form, intake=intake, plan=plan, fingerprint=fingerprint, carried=carried, moved=moved
    )


def _fingerprint(plan: Plan, content: bytes) -> str:
    """Of what was shown: the site's revision, every line of the plan, and the tree."""
    seen = "\n".join([plan.slug, str(plan.revision), *map(str, plan.entries)])
    return hashlib.sha256(seen.encode() + content).hexdigest()


def _require(request: HttpRequest, slug: str) -> None:
    """An import writes the site itself: its variables, its nouns, all of its hosts."""
    site = Site.objects.filter(slug=slug).first()
    allowed = (
        may(request.user, "inventory.change_site", site) if site else may(request.user, "inventory.add_site")
    )
    if not allowed:
        raise PermissionDenied(f"Importing into {slug} needs the permission to change sites there.")


def _lacking(request: HttpRequest, plan: Plan) -> list[str]:
    """What the person may not write of a plan for a site that there is; who may add sites fills new ones."""
    if not Site.objects.filter(slug=plan.slug).exists():
        return []
    return [one.sentence for one in lacking(request.user, plan.slug, plan.entries)]


def _initial(request: HttpRequest) -> dict[str, str]:
    given = request.GET.get("site", "")
    sites = visible_sites(request.user, "inventory.change_site")
    site = (
        sites.filter(pk=int(given)).first()
        if given.isascii() and given.isdecimal() and len(given) < 18
        else None
    )
    return {"site": site.slug if site else ""}


def _asked(
    request: HttpRequest, form: TreeForm, *, intake: Intake | None = None, **context: Any
) -> HttpResponse:
    plan: Plan | None = context.get("plan")
    lines = told(plan, applied=False, verbose=False) if plan else []
    problems = (
        sorted(intake.problems, key=lambda one: (one.severity, one.path, one.line or 0)) if intake else []
    )
    return shown(
        request,
        "starting/tree_import.html",
        "Import an Ansible inventory",
        form=form,
        lines=lines[:MOST_LINES],
        more_lines=max(0, len(lines) - MOST_LINES),
        problems=problems[:MOST_LINES],
        password_used=bool(plan and form.cleaned_data["password"]),
        **context,
    )
