"""The only place that hands out identities: MACs, addresses, VMIDs and names. See ``docs/allocation.md``.

``allocate`` gives one host what it lacks, or makes the next host, in one change. What is given is the lowest free value:
a function of what is declared and withheld, and for VMIDs of what the hypervisors were seen to have. The door serialises
writers of one site, and the constraint of the ledger has the last word; who loses a race all the same looks again.
"""

from inventory.allocation.choosing import Refused
from inventory.allocation.requests import Handout, Wanted, allocate

__all__ = ["Handout", "Refused", "Wanted", "allocate"]
