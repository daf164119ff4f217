"""Every id that a finding may have, by subject, each with its page. Pure.

Adding a rule is adding its ids to a module of ``inventory.rules.pages``, a pair of cases to ``tests/rules/cases`` and
running ``make docs``, which writes ``docs/findings/<id>.md`` and the index in ``docs/findings.md``.
"""

from __future__ import annotations

from inventory.rules.page import Page
from inventory.rules.pages import (
    addresses,
    ansible,
    automation,
    dhcp,
    dns,
    formats,
    identities,
    lowering,
    machines,
    needs,
    secrets,
    services,
    ways_in,
)

__all__ = ["CATALOGUE", "KNOWN", "SUBJECTS", "Page"]

#: heading of the index → id → page, in reading order
SUBJECTS: dict[str, dict[str, Page]] = {
    "Identities": identities.PAGES,
    "Segments and addresses": addresses.PAGES,
    "DHCP and network boot": dhcp.PAGES,
    "DNS": dns.PAGES,
    "Services": services.PAGES,
    "Hypervisors and machines": machines.PAGES,
    "Needs of hosts": needs.PAGES,
    "Ways in": ways_in.PAGES,
    "Secrets": secrets.PAGES,
    "Ansible": ansible.PAGES,
    "Projects and job templates": automation.PAGES,
    "Bootstrap mode and single formats": formats.PAGES,
    "Lowered severities": lowering.PAGES,
}

CATALOGUE: dict[str, Page] = {finding: page for pages in SUBJECTS.values() for finding, page in pages.items()}

#: Every id and what it says in one line.
KNOWN: dict[str, str] = {finding: page.title for finding, page in CATALOGUE.items()}
