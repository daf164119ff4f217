"""Shell scripts that shut a site down and power it up in order, with what they need beside them.

They run without this application: POSIX shell and ssh. ``inventory.recovery.power`` has the order.
"""

from __future__ import annotations

from inventory.exports.registry import Document, Export
from inventory.exports.ssh_plan import plan
from inventory.recovery.scripts import scripts, ssh_files
from inventory.snapshot import AuthorityMode, Snapshot


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    found = {**scripts(snapshot, authority), **ssh_files(snapshot, authority)}
    return Document(dict(sorted(found.items())), plan(snapshot, authority).findings)


EXPORT = Export(
    name="power-scripts",
    title="Shutdown and power-up",
    purpose="Scripts that shut the site down and power it up in order, with the SSH configuration that they use.",
    content_type="application/gzip",
    filename="power-scripts",
    is_directory=True,
    render=render,
)
