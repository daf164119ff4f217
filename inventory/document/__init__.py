"""A site as values, compared with the rows and brought to them: draft → plan → apply.

Importers and the site document only translate into a :class:`SiteDraft`; plan and apply exist once. What a draft leaves
out is left alone. Of an import, hosts, groups and segments that it no longer names are listed as gone and stay; a site
document retires such hosts and removes the others. Parts of what a draft does name (interfaces, services, memberships)
follow it.
"""

from inventory.document.applying import Again, apply, plan
from inventory.document.draft import Fields, HostDraft, SiteDraft
from inventory.document.plans import Entry, Plan

__all__ = ["Again", "Entry", "Fields", "HostDraft", "Plan", "SiteDraft", "apply", "plan"]
