"""How the admin looks: django-unfold's settings."""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "mgmtplane",
    "SITE_HEADER": "mgmtplane",
    "SITE_URL": "/admin/",
    "SITE_SYMBOL": "lan",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
