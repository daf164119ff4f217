"""A first site from a few answers: networks by the convention, a router, a hypervisor, a first host. Pure.

What comes out is a Snapshot, which the site document's exporter writes down and ``inventory.document`` stores like any
other document: nothing here writes.
"""

from inventory.starting.answers import Answers, FirstHost, Unanswerable
from inventory.starting.site import first_site

__all__ = ["Answers", "FirstHost", "Unanswerable", "first_site"]
