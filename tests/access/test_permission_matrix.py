"""Every page, action and endpoint by every level by site: what is expected comes from the permission that each names."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from inventory.admin.pages import PAGES
from inventory.admin.register import ANYBODY, NOBODY, Entry, entries
from inventory.models import Rendering, Token
from inventory.serving import renderings
from tests.access.people import Kind
from tests.access.two_sites import Furnished
from tests.admin import every_page

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

ENTRIES = entries()
NOUNS = sorted({entry.noun for entry in ENTRIES if entry.noun.startswith("inventory.")})
HOME = "/admin/"


class World(every_page.World):
    """What addresses are made of, at the site “ours”."""

    def __init__(self, ours: Furnished) -> None:
        super().__init__(ours.site)
        self.ours = ours

    def sample(self, name: str, page: str) -> Any:
        if page == "download_rendering" and name == "rendering":  # one that has bytes
            renderings.rendering(self.site.slug, "kea")
            return Rendering.objects.filter(site=self.site, format="kea").latest("pk").pk
        own = self.ours.rows.get(name)
        return super().sample(name, page) if own is None or name == "site" else own.pk


@pytest.fixture
def ours(matrix):
    return matrix.ours


@pytest.fixture
def theirs(matrix):
    return matrix.theirs


@pytest.fixture
def visits(matrix):
    return matrix.visits()


def let_in(response: Any, *, home_is_out: bool = False) -> bool:
    """Whether the person got what he asked for: no refusal, and not sent to sign in or (no such row) home."""
    if response.status_code in (401, 403, 404):
        return False
    assert response.status_code < 500
    to = response.headers.get("Location", "")
    return not (to.startswith("/admin/login/") or (home_is_out and to == HOME))


def differences(visits: Any, ask: Any, expected: Any, **how: Any) -> list[str]:
    """Those for whom it was otherwise than expected."""
    wrong = []
    for kind, browser in visits:
        response = ask(browser)
        if let_in(response, **how) != expected(kind):
            wrong.append(f"{kind.name}: {response.status_code} {response.headers.get('Location', '')}")
    return wrong


# --- nothing without a permission ---


def test_everything_names_its_permission():
    unnamed = [f"{entry.kind} {entry.noun} {entry.name}" for entry in ENTRIES if not entry.permission]
    assert unnamed == []


#: Django's and the theme's own, which look after themselves
_OTHERS = {
    "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "app_list", "auth_user_password_change", "search", "toggle_sidebar",
}  # fmt: skip


def test_every_address_of_the_project_is_in_the_register():
    known = {entry.name for entry in ENTRIES if entry.kind in ("page", "endpoint")}
    for entry in ENTRIES:
        base = entry.noun.replace(".", "_")
        known |= {
            f"{base}_{page}"
            for page in ("changelist", "add", "change", "delete", "history", "simple_history")
        }
        if entry.kind in ("action", "download"):
            known.add(f"{base}_{entry.name}")
    known.add("inventory_rendering_compare")  # asks for both rows; tests/access/test_sited.py
    strange = sorted(name for name in _names(get_resolver()) if name not in known | _OTHERS)
    assert strange == [], "give these a permission: @page, @action, or a view with an attribute permission"


def _names(resolver: Any) -> set[str]:
    found: set[str] = set()
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            if str(pattern.pattern) != "api/v1/":  # tests/api walk these by their own register
                found |= _names(pattern)
        elif pattern.name:
            found.add(pattern.name)
    return found


# --- pages of the nouns ---


def _by(kind: str) -> list[Entry]:
    return [entry for entry in ENTRIES if entry.kind == kind and entry.noun.startswith("inventory.")]


def address(entry: Entry, page: str, *args: Any) -> str:
    return reverse(f"admin:{entry.noun.replace('.', '_')}_{page}", args=args)


def row_of(entry: Entry, ours: Furnished) -> Any:
    return ours[entry.noun.partition(".")[2]]


def expects(entry: Entry, at: str | None) -> Any:
    permission = entry.permission or ""
    return lambda kind: permission != NOBODY and all(kind.may(one, at) for one in permission.split(" and "))


@pytest.mark.parametrize("entry", _by("list"), ids=lambda entry: entry.noun)
def test_who_sees_a_list_and_its_rows(ours, visits, entry):
    assert differences(visits, lambda b: b.get(address(entry, "changelist")), expects(entry, None)) == []
    row = row_of(entry, ours)
    if any(other.kind == "download" and other.noun == entry.noun for other in ENTRIES):
        assert differences(visits, lambda b: b.get(address(entry, "csv")), expects(entry, None)) == []
    pages = ["change", "history"] if hasattr(row, "history") else ["change"]
    for page in pages:
        at = address(entry, page, row.pk)
        assert (
            differences(visits, lambda b, at=at: b.get(at), expects(entry, "ours"), home_is_out=True) == []
        ), page


@pytest.mark.parametrize("entry", _by("add"), ids=lambda entry: entry.noun)
def test_who_adds(ours, visits, entry):
    at = address(entry, "add")
    assert differences(visits, lambda b: b.get(at), expects(entry, None)) == []
    assert differences(visits, lambda b: b.post(at, {}), expects(entry, None)) == []
    if entry.noun not in ("inventory.site", "inventory.token", "inventory.grant"):
        here = {"site": ours.site.pk}
        assert differences(visits, lambda b: b.get(at, here), expects(entry, "ours")) == []
        assert differences(visits, lambda b: b.post(at, here), expects(entry, "ours")) == []


#: The page of a rendering is a comparison; what is posted there changes nothing.
CHANGED = [entry for entry in _by("change") if entry.noun != "inventory.rendering"]


@pytest.mark.parametrize("entry", CHANGED, ids=lambda entry: entry.noun)
def test_who_changes(ours, visits, entry):
    at = address(entry, "change", row_of(entry, ours).pk)
    assert differences(visits, lambda b: b.post(at, {}), expects(entry, "ours"), home_is_out=True) == []


@pytest.mark.parametrize("entry", _by("delete"), ids=lambda entry: entry.noun)
def test_who_deletes(ours, visits, entry):
    at = address(entry, "delete", row_of(entry, ours).pk)
    assert differences(visits, lambda b: b.get(at), expects(entry, "ours"), home_is_out=True) == []
    assert differences(visits, lambda b: b.post(at, {}), expects(entry, "ours"), home_is_out=True) == []


# --- actions ---


@pytest.mark.parametrize("entry", _by("action"), ids=lambda entry: f"{entry.noun}-{entry.name}")
def test_who_acts(ours, visits, entry):
    row = row_of(entry, ours)
    try:
        at = address(entry, entry.name, row.pk)
    except NoReverseMatch:
        try:
            at = address(entry, entry.name)
        except NoReverseMatch:
            assert _chosen(visits, entry, row) == []
            return
        assert differences(visits, lambda b: b.get(at), expects(entry, None)) == []
        return
    assert differences(visits, lambda b: b.get(at), expects(entry, "ours"), home_is_out=True) == []


def _chosen(visits: Any, entry: Entry, row: Any) -> list[str]:
    """Those for whom an action on a chosen row was offered or refused otherwise than expected."""
    wrong = []
    at = address(entry, "changelist")
    for kind, browser in visits:
        shown = browser.get(at)
        offered = let_in(shown) and f'<option value="{entry.name}"' in shown.content.decode()
        if offered != expects(entry, None)(kind) and offered:
            wrong.append(f"{kind.name}: offered")
        answer = browser.post(at, {"action": entry.name, "_selected_action": [row.pk]}, follow=True)
        said = " ".join(map(str, (answer.context or {}).get("messages", ())))
        reached = offered and "Nothing was done" not in said and "Items must be selected" not in said
        visible = kind.may(f"inventory.view_{entry.noun.partition('.')[2]}", "ours")
        if visible and reached != expects(entry, "ours")(kind):
            wrong.append(f"{kind.name}: {'reached' if reached else 'refused'} {said}")
    return wrong


# --- pages that belong to no noun ---

#: what a page must be asked besides its address, to have something to show
ASKED = {"move_services": "host=ours-host"}


@pytest.mark.parametrize("known", PAGES, ids=lambda known: known.name)
def test_who_opens_a_page(ours, visits, known):
    world = World(ours)
    parts = {
        match["name"]: world.sample(match["name"], known.name)
        for match in every_page._PART.finditer(known.route)
    }
    at = reverse(f"admin:{known.name}", kwargs=parts)
    where = "ours" if known.of_site else None
    for method in known.methods:
        if method == "HEAD":
            continue

        def ask(browser: Client, method: str = method) -> Any:
            said = ASKED.get(known.name, "")
            form = "application/x-www-form-urlencoded"
            return browser.generic(
                method, f"{at}?{said}", said if method == "POST" else "", content_type=form
            )

        assert differences(visits, ask, lambda kind: kind.may(known.permission, where)) == [], method


@pytest.mark.parametrize("name", ["findings", "finding"])
def test_who_reads_findings(ours, visits, name):
    at = reverse(f"admin:{name}", args=("ours" if name == "findings" else "address-in-pool",))
    where = "ours" if name == "findings" else None
    assert differences(visits, lambda b: b.get(at), lambda kind: kind.may("inventory.view_site", where)) == []


def test_who_opens_the_first_page(visits):
    assert differences(visits, lambda b: b.get(HOME), lambda kind: kind.name != "anonymous") == []


# --- endpoints ---

ADDRESSES = {
    "inventory": "/inventory/{}/", "export": "/export/{}/hosts", "export-applied": "/export/{}/hosts/applied",
    "healthz": "/healthz", "readyz": "/readyz", "metrics": "/metrics",
}  # fmt: skip
ENDPOINTS = [entry for entry in ENTRIES if entry.kind == "endpoint"]


def ask_endpoint(name: str, site: str) -> Any:
    at = ADDRESSES[name].format(site)
    method = "POST" if name == "export-applied" else "GET"
    return lambda browser: browser.generic(method, at, REMOTE_ADDR="192.0.2.9")


@pytest.mark.parametrize("entry", ENDPOINTS, ids=lambda entry: entry.name)
def test_who_reads_an_endpoint_with_a_session(visits, entry):
    def expected(kind: Kind) -> bool:
        if entry.permission == ANYBODY:
            return True
        return kind.may(entry.permission or "", "ours" if "site" in entry.said else None)

    assert differences(visits, ask_endpoint(entry.name, "ours"), expected) == []


@pytest.mark.parametrize("entry", ENDPOINTS, ids=lambda entry: entry.name)
@pytest.mark.parametrize("scope", Token.SCOPES)
@pytest.mark.parametrize("site", ["ours", "theirs", None])
def test_what_a_token_reads(ours, theirs, entry, scope, site):
    token = Token(name="t", scope=scope, site={"ours": ours.site, "theirs": theirs.site}.get(site or ""))
    plain = token.issue()
    token.save()
    bearer = Client(headers={"Authorization": f"Bearer {plain}"})
    for asked in ("ours", "theirs"):
        response = ask_endpoint(entry.name, asked)(bearer)
        of_site = "site" in entry.said
        assert let_in(response) == (not of_site or site in (None, asked)), (asked, response.status_code)
        if entry.name == "metrics" and site:
            other = "theirs" if site == "ours" else "ours"
            assert f'site="{other}"' not in response.content.decode()


@pytest.mark.parametrize("scope", Token.SCOPES)
def test_no_token_opens_the_admin(ours, scope):
    token = Token(name="t", scope=scope)
    plain = token.issue()
    token.save()
    bearer = Client(headers={"Authorization": f"Bearer {plain}"})
    for at in (HOME, "/admin/inventory/host/", f"/admin/site/{ours.site}/"):
        assert not let_in(bearer.get(at))
