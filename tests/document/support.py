"""Sites in and out of the database as documents."""

from __future__ import annotations

import io
from typing import Any

from django.core.management import CommandError, call_command

from inventory import reading
from inventory.changes import change
from inventory.document.declaring import Declared, declare
from inventory.exports import all_exports
from inventory.models import Site
from inventory.serving import renderings


def export(slug: str) -> bytes:
    """The site document, as everybody gets it."""
    _, _, document = renderings.document(slug, "site")
    (content,) = document.files.values()
    return content


def exports(slug: str) -> dict[str, dict[str, bytes]]:
    """Every export of the site, the site document first: it publishes all zones."""
    found = {"site": {"site.yml": export(slug)}}
    for one in all_exports():
        if one.name != "site":
            found[one.name] = dict(renderings.document(slug, one.name)[2].files)
    return found


def apply(content: bytes | str, **more: Any) -> list[Declared]:
    text = content.encode() if isinstance(content, str) else content
    return declare(text, "site.yml", apply=True, by="ana", why="a test", **more)


def plan(content: bytes | str) -> list[Declared]:
    return declare(content.encode() if isinstance(content, str) else content, "site.yml")


def lines(content: bytes | str) -> list[str]:
    """What the plan would write, in its words."""
    return [
        str(entry)
        for one in plan(content)
        for entry in one.plan.entries
        if entry.action not in ("unchanged", "gone")
    ]


def delete(slug: str) -> None:
    """The machine is lost."""
    site = Site.objects.get(slug=slug)
    with change(site, by="ana", why="a test", source="test"):
        for row in site.authoritys.all():
            row.delete()
        for host in site.hosts.exclude(hypervisor=None):
            host.hypervisor = None
            host.save()
        site.delete()
    reading.forget()
    renderings.forget()


def run(*arguments: str, **options: Any) -> tuple[str, str, str]:
    """``manage.py declare``: output, errors, and its last word where it refused."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        call_command("declare", *arguments, stdout=output, stderr=errors, **options)
    except CommandError as error:
        return output.getvalue(), errors.getvalue(), str(error)
    return output.getvalue(), errors.getvalue(), ""
