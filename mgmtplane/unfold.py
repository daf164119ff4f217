"""How the admin looks: django-unfold's settings, its colours and its navigation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _may_view(permission: str) -> Callable[[Any], bool]:
    return lambda request: bool(request.user.has_perm(permission))


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    """An entry that leads to the list of *model* (``app.model``), for those who may see it."""
    app, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may_view(f"{app}.view_{name}"),
    }


_NAVIGATION: list[dict[str, Any]] = [
    {
        "items": [
            {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
        ],
    },
    {
        "title": "Declared",
        "separator": True,
        "items": [
            _item("Sites", "location_city", "inventory.site"),
            _item("Segments", "lan", "inventory.segment"),
            _item("Hosts", "dns", "inventory.host"),
            _item("Interfaces", "settings_ethernet", "inventory.interface"),
            _item("Services", "apps", "inventory.service"),
            _item("Aliases", "alternate_email", "inventory.alias"),
            _item("Roles", "badge", "inventory.role"),
            _item("Authority", "gavel", "inventory.authority"),
            _item("Lowered severities", "low_priority", "inventory.severityoverride"),
        ],
    },
    {
        "title": "Ansible",
        "separator": True,
        "items": [
            _item("Groups", "account_tree", "inventory.group"),
            _item("Workload profiles", "widgets", "inventory.workloadprofile"),
        ],
    },
    {
        "title": "Kept",
        "separator": True,
        "items": [
            _item("Identities", "fingerprint", "inventory.identity"),
            _item("Changes", "history", "inventory.change"),
            _item("Renderings", "difference", "inventory.rendering"),
        ],
    },
    {
        "title": "Access",
        "separator": True,
        "items": [
            _item("Consumers", "devices", "inventory.consumer"),
            _item("Tokens", "key", "inventory.token"),
            _item("Users", "person", "auth.user"),
            _item("User groups", "group", "auth.group"),
        ],
    },
]

#: A quiet blue: violet, unfold's own, says nothing that a link does not.
_PRIMARY = {
    "50": "oklch(97% .014 254.6)",
    "100": "oklch(93.2% .032 255.6)",
    "200": "oklch(88.2% .059 254.1)",
    "300": "oklch(80.9% .105 251.8)",
    "400": "oklch(70.7% .165 254.6)",
    "500": "oklch(62.3% .214 259.8)",
    "600": "oklch(54.6% .245 262.9)",
    "700": "oklch(48.8% .243 264.4)",
    "800": "oklch(42.4% .199 265.6)",
    "900": "oklch(37.9% .146 265.5)",
    "950": "oklch(28.2% .091 267.9)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "mgmtplane",
    "SITE_HEADER": "mgmtplane",
    "SITE_SUBHEADER": "declared once, rendered everywhere",
    "SITE_URL": reverse_lazy("admin:index"),
    "SITE_SYMBOL": "lan",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("inventory/favicon.svg")}
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": _PRIMARY},
    "STYLES": [lambda request: static("inventory/admin.css")],
    "DASHBOARD_CALLBACK": "inventory.admin.dashboard.first_page",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": _NAVIGATION},
}
