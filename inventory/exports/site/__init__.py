"""The site document: everything declared, as one YAML file for people, git, tests and recovery. Pure.

``inventory.document`` reads it. The same facts give the same bytes, and the document read into an empty database gives
the same document again. It holds neither revision nor time, nor what belongs to this installation alone: tokens,
users, renderings, consumers.
"""

from __future__ import annotations

from inventory import yaml11
from inventory.exports import bind
from inventory.exports.registry import Document, Export
from inventory.exports.site import schema, writing
from inventory.snapshot import AuthorityMode, Snapshot

HEADER = f"""\
# yaml-language-server: $schema={schema.FILE_NAME}
#
# Site {{site}}: everything declared, for review, for git, for recovery. Made by `manage.py export site --site {{site}}`.
# See what an edited copy would change with `manage.py declare FILE`, and store it with `--apply`.
# What has its default is left out here. A top-level key that a document leaves out is left alone.
# Every key explained: docs/site-document.md. For editors: `manage.py declare --schema > {schema.FILE_NAME}`.
"""

#: Noun → what people read above it.
COMMENTS = {
    "facts": "The site itself.",
    "naming": "How hosts are named.",
    "mapping": "Which Ansible variable means which noun, where it differs from the documented table.",
    "variables": "Ansible variables of the group all.",
    "authority": "Who serves DHCP and DNS: every declaration, oldest first. A switch is a job, not an edit here.",
    "roles": "What hosts are for, and the RR codes in assigned MACs.",
    "severities": "Findings that count less for a while.",
    "emergency_uses": "Uses of the emergency access. One that is left out stays.",
    "segments": "VLANs, their networks, and what DHCP does there.",
    "hosts": "Machines. One that is left out is retired, never deleted.",
    "groups": "Ansible groups.",
    "profiles": "Workload profiles: intent that is not bound to a host. Without hosts: parked.",
    "aliases": "Names directly below the root domain.",
    "schedules": "Jobs that a clock asks for.",
    "projects": "Where playbooks come from.",
    "templates": "Playbooks with all that one run of each is given.",
    "kit_places": "Where recovery kits are brought to.",
    "sealed": "From here on kept by the machine. Vaulted files that were never opened:",
    "shapes": "How imported facts were written, so that Ansible gets back what it knew.",
    "serials": "Zone serials: [serial, hash of the content].",
    "epoch": "How often another copy of the application became the one that writes.",
    "identities": "The ledger. quarantined: [host, since, until]; held: [host, since].",
}


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    """The document is the same for either authority."""
    values = writing.values_of(snapshot)
    parts = [HEADER.format(site=snapshot.site.slug)]
    parts.append(yaml11.dump({"mgmtplane": schema.VERSION, "site": snapshot.site.slug}))
    for noun in schema.NOUNS:
        if noun in values:
            parts.append(f"# {COMMENTS[noun]}\n{yaml11.dump({noun: values[noun]})}")
    return Document({EXPORT.filename: "\n".join(parts).encode()})


def content_hashes(snapshot: Snapshot, authority: AuthorityMode | None = None) -> dict[str, str]:
    """Every zone in both modes: published before this document, so that it is a function of the revision."""
    return {**bind.content_hashes(snapshot, "gateway"), **bind.content_hashes(snapshot, "bootstrap")}


EXPORT = Export(
    name="site",
    title="Site document",
    purpose="Everything declared as one YAML document: for review in git, for editing with `declare`, for recovery.",
    content_type="application/yaml",
    filename="site.yml",
    is_directory=False,
    render=render,
    is_whole=True,
)
