"""Everything that can be asked for, with the permission that it names: what docs/access.md and the tests are made of.

Nothing is listed here by hand: pages of nouns, their actions, registered pages and endpoints say themselves what they
need. What says nothing has the permission ``None``, and a test fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin

from inventory.admin.pages import PAGES
from inventory.admin.sited import Sited

#: what nobody may do by a page, whatever his permissions
NOBODY = "nobody"
#: what needs no sign-in
ANYBODY = "anybody"
#: what needs no more than that one may sign in here
STAFF = "who may sign in"

MARKS = ("<!-- permissions: written by `make docs` -->", "<!-- end of permissions -->")
_SAID = {
    "list": "see the list, and each with its history",
    "change": "change one",
    "add": "add one",
    "delete": "delete one",
}


@dataclass(frozen=True)
class Entry:
    """One thing that can be asked for."""

    #: page, action, download, endpoint; for the pages of a noun: list, change, add, delete
    kind: str
    #: the noun whose page it is; empty for what belongs to none
    noun: str
    name: str
    #: as the docs show it
    said: str
    permission: str | None


def entries() -> list[Entry]:
    return [*_of_nouns(), *_downloads(), *_actions(), *_pages(), *_endpoints()]


def _nouns() -> Iterator[tuple[str, Any]]:
    for model, page in sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label_lower):
        yield model._meta.label_lower, page


def _of_nouns() -> Iterator[Entry]:
    for noun, page in _nouns():
        able = {
            "list": page.has_view_permission,
            "add": page.has_add_permission,
            "change": page.has_change_permission,
            "delete": page.has_delete_permission,
        }
        for kind, check in able.items():
            verb = "view" if kind == "list" else kind
            named = _named(page, verb) if check(_Allowed()) else NOBODY
            yield Entry(kind, noun, f"{noun} {kind}", _SAID[kind], named)


def _downloads() -> Iterator[Entry]:
    for noun, page in _nouns():
        if hasattr(page, "csv_view"):
            yield Entry("download", noun, "csv", "the list as CSV", _named(page, "view"))


def _actions() -> Iterator[Entry]:
    for noun, page in _nouns():
        found = {name: (act, str(description)) for act, name, description in page._get_base_actions()}
        for given in (page.actions_list, page.actions_detail, page.actions_row, page.actions_submit_line):
            for name in page._extract_action_names(given):
                act = getattr(page, name)
                found[name] = (act, str(getattr(act, "short_description", name)))
        for name, (act, said) in sorted(found.items()):
            verbs = getattr(act, "allowed_permissions", None) or ()
            named = " and ".join(_named(page, verb) for verb in verbs) or None
            if list(verbs) == ["delete"] and not page.has_delete_permission(_Allowed()):
                named = NOBODY
            yield Entry("action", noun, name, said, named)


def _named(page: Any, verb: str) -> str:
    if "." in verb:
        return verb
    if isinstance(page, Sited):
        return page.permission(verb)
    return f"{page.opts.app_label}.{verb}_{page.opts.model_name}"


def _pages() -> Iterator[Entry]:
    yield Entry("page", "", "index", "/admin/", STAFF)
    for name, route in (("findings", "findings/<site>/"), ("finding", "finding/<finding>/")):
        yield Entry("page", "", name, f"/admin/{route}", "inventory.view_site")
    for known in PAGES:
        yield Entry("page", "", known.name, f"/admin/{known.route}", known.permission)


def _endpoints() -> Iterator[Entry]:
    from inventory.urls import urlpatterns

    for pattern in urlpatterns:
        view = getattr(getattr(pattern, "callback", None), "view_class", None)
        if view is not None:
            named = getattr(view, "permission", None)
            yield Entry("endpoint", "", str(pattern.name), f"/{pattern.pattern}", named)


class _Allowed:
    """A request by somebody who has every permission: what is refused to him, nobody may do."""

    method = "GET"
    GET: dict[str, str] = {}
    POST: dict[str, str] = {}

    class user:
        pk = None
        is_active = is_staff = is_superuser = is_authenticated = True

        @staticmethod
        def has_perm(permission: str, where: Any = None) -> bool:
            return True


def markdown() -> str:
    """The table for docs/access.md: each noun on a line, then what belongs to none."""
    found = entries()
    lines = ["| noun | see | add | change | delete | actions |", "|---|---|---|---|---|---|"]
    for noun, _page in _nouns():
        own = {entry.kind: entry for entry in found if entry.noun == noun and entry.kind in _SAID}
        acts = {
            _told(entry) for entry in found if entry.noun == noun and entry.kind in ("action", "download")
        }
        seen = [noun.partition(".")[2], *(_short(own[kind]) for kind in ("list", "add", "change", "delete"))]
        lines.append(f"| {' | '.join(seen)} | {', '.join(sorted(acts))} |")
    lines += ["", "| page or endpoint | permission |", "|---|---|"]
    lines += [
        f"| `{entry.said}` | {_short(entry)} |" for entry in found if entry.kind in ("page", "endpoint")
    ]
    return "\n".join(lines) + "\n"


def _told(entry: Entry) -> str:
    said = entry.said.replace("%(verbose_name_plural)s", "").strip()
    return f"{said}: {_short(entry)}"


def _short(entry: Entry) -> str:
    named = entry.permission or "?"
    return named if named in (NOBODY, ANYBODY, STAFF) else f"`{named.removeprefix('inventory.')}`"


def with_table(page: str) -> str:
    """*page* with the table up to date between its two marks."""
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    return f"{before}{begin}\n{markdown()}{end}{after}"
