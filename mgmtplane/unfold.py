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


def _picture(title: str, icon: str, name: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}_somewhere"),
        "permission": _may_view(permission),
    }


_NAVIGATION: list[dict[str, Any]] = [
    {
        "items": [
            {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
            {
                "title": "Find",
                "icon": "search",
                "link": reverse_lazy("admin:find"),
                "permission": _may_view("inventory.view_host"),
            },
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
            _item("Projects", "folder_code", "inventory.project"),
            _item("Job templates", "playlist_play", "inventory.jobtemplate"),
            {
                "title": "Import",
                "icon": "upload_file",
                "link": reverse_lazy("admin:imports"),
                "permission": _may_view("inventory.change_host"),
            },
            _item("Emergency uses", "emergency", "inventory.emergencyuse"),
            _item("Lowered severities", "low_priority", "inventory.severityoverride"),
        ],
    },
    {
        "title": "Happening",
        "separator": True,
        "items": [
            _item("Jobs", "play_circle", "provisioning.job"),
            {
                "title": "Runs",
                "icon": "terminal",
                "link": reverse_lazy("admin:provisioning_playbookrun_changelist"),
                "permission": _may_view("provisioning.view_job"),
            },
            _item("Drift", "compare_arrows", "provisioning.driftfinding"),
            _item("Schedules", "schedule", "inventory.schedule"),
            _item("Places of kits", "medical_services", "inventory.kitplace"),
            _picture("Unlocked", "lock_open", "unlocked", "provisioning.unlock"),
        ],
    },
    {
        "title": "Pictures",
        "separator": True,
        "items": [
            _picture("Use of segments", "grid_on", "segments", "inventory.view_segment"),
            _picture("Topology", "hub", "topology", "inventory.view_host"),
            _picture("MAC namespace", "pin", "macs", "inventory.view_host"),
            _picture("Failure domains", "domino_mask", "fate", "inventory.view_host"),
            _picture("Shutdown and power-up", "power_settings_new", "power", "inventory.view_host"),
        ],
    },
    {
        "title": "Ansible",
        "separator": True,
        "items": [
            _item("Groups", "account_tree", "inventory.group"),
            _item("Workload profiles", "widgets", "inventory.workloadprofile"),
            {
                "title": "Variables",
                "icon": "data_object",
                "link": reverse_lazy("admin:variables"),
                "permission": _may_view("inventory.view_group"),
            },
        ],
    },
    {
        "title": "Kept",
        "separator": True,
        "items": [
            _item("Identities", "fingerprint", "inventory.identity"),
            _item("Changes", "history", "inventory.change"),
            {
                "title": "Exports",
                "icon": "output",
                "link": reverse_lazy("admin:exports_anywhere"),
                "permission": _may_view("inventory.view_rendering"),
            },
            _item("Renderings", "difference", "inventory.rendering"),
        ],
    },
    {
        "title": "Access",
        "separator": True,
        "items": [
            _item("Consumers", "devices", "inventory.consumer"),
            _item("Tokens", "key", "inventory.token"),
            _item("Levels at sites", "shield_person", "inventory.grant"),
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

#: own style sheets and scripts of every page, one a line
_STYLES = [
    "inventory/admin.css",
    "inventory/find.css",
    "inventory/history.css",
    "inventory/many.css",
    "inventory/yaml.css",
    "inventory/pictures.css",
    "provisioning/jobs.css",
    "provisioning/runs.css",
]
_SCRIPTS = [
    "inventory/admin.js",
    "inventory/find.js",
    "inventory/accessible.js",
    "inventory/waiting.js",
    "inventory/timezone.js",
    "inventory/yaml.js",
    "provisioning/unlocked.js",
]


def _served(name: str) -> Callable[[Any], str]:
    return lambda request: static(name)


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
    "STYLES": [_served(name) for name in _STYLES],
    "SCRIPTS": [_served(name) for name in _SCRIPTS],
    "DASHBOARD_CALLBACK": "inventory.admin.overview.first_page",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": _NAVIGATION},
}
