"""What is known about one name, address, MAC or VMID, and where any words stand. Pure.

``resolving`` answers about one value; ``searching`` looks for words everywhere. Both see a Snapshot; what it does not hold
(the ledger's own rows, changes) is passed in as values.
"""

from inventory.lookup.answers import Answer, Claim, Declared, Exported, Touched
from inventory.lookup.resolving import resolve

__all__ = ["Answer", "Claim", "Declared", "Exported", "Touched", "resolve"]
