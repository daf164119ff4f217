"""What one host adds to every export, without rendering the site: for people who type. Pure.

``around`` reduces a Snapshot to the host and what its lines depend on; ``rendering`` renders that twice, with the host and
without. The lines that only the first has are the host's, byte by byte as the whole export has them.
"""

from inventory.contribution.around import Draft, drafted, reduced
from inventory.contribution.rendering import Contribution, Fragment, Judged, contribution, judged

__all__ = [
    "Contribution",
    "Draft",
    "Fragment",
    "Judged",
    "contribution",
    "drafted",
    "judged",
    "reduced",
]
