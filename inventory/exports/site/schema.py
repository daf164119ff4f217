"""What a site document may hold: one table, from which the published JSON Schema, the reader and the writer all come. Pure.

Draft 2020-12. Every key has a description, which editors show; a key that has a ``default`` is left out of the document
while it has that value. ``format`` names a check of ``inventory.document.form``.
"""

from __future__ import annotations

from collections.abc import Mapping

from inventory.exports.site import vocabulary as words
from inventory.exports.site.automation import PROJECT, TEMPLATE
from inventory.exports.site.bookkeeping import IDENTITIES, SEALED, SERIAL, SHAPES
from inventory.exports.site.nouns import (
    AUTHORITY,
    EMERGENCY_USE,
    FACTS,
    GROUP,
    HOST,
    KIT_PLACE,
    PROFILE,
    ROLE,
    SCHEDULE,
    SECRETS,
    SEGMENT,
    SEVERITY,
)

#: Of the document's layout: raised when a document of the old one would be misunderstood.
VERSION = 1
DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Beside the document in the repository; editors that know the schema complete and check.
FILE_NAME = "site-document.schema.json"

#: Noun → what it may hold, in the order in which a document has them.
NOUNS: Mapping[str, words.Schema] = {
    "facts": FACTS,
    "naming": words.data(
        "How hosts are named: {standard: role-form}, {standard: coded, …} or a pattern as data."
    ),
    "mapping": {
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1},
        "description": "Which Ansible variable means which noun, where it differs from the documented table.",
    },
    "variables": words.data(f"Ansible variables of the group all. {SECRETS}"),
    "authority": {
        "type": "array",
        "items": AUTHORITY,
        "description": "Every declaration of who serves DHCP and DNS, oldest first; the last one counts.",
    },
    "roles": words.named("Role → its RR code: the registry that makes assigned MACs readable.", ROLE, 40),
    "severities": {
        "type": "array",
        "items": SEVERITY,
        "description": "Severities that people lowered, with a reason and an end.",
    },
    "emergency_uses": {
        "type": "array",
        "items": EMERGENCY_USE,
        "description": "Every use of the emergency access. One that a document does not name stays.",
    },
    "segments": words.named("Segment → VLAN, networks, DHCP.", SEGMENT, 63),
    "hosts": words.named("Host → the machine. A host that is left out is retired, never deleted.", HOST, 253),
    "groups": words.named(
        "Ansible group → children, hosts, variables. The group all is the site.", GROUP, 253
    ),
    "profiles": words.named("Workload profile → hosts, variables.", PROFILE, 253),
    "aliases": {
        "type": "object",
        "propertyNames": {"type": "string", "minLength": 1, "maxLength": 63},
        "additionalProperties": words.needed("The service, as <name> or <name>.<tenant>.", 254),
        "description": "Name directly below the root domain → service of this site.",
    },
    "schedules": words.named("Schedule → kind of job, parameters, when.", SCHEDULE, 63),
    "projects": words.named("Project → where playbooks come from.", PROJECT, 63),
    "templates": words.named("Job template → project, playbook, what a run is given.", TEMPLATE, 63),
    "kit_places": words.named("Place of recovery kits → how it is reached.", KIT_PLACE, 63),
    "sealed": SEALED,
    "shapes": SHAPES,
    "serials": words.named(
        "Zone, or zone@bootstrap → its published serial. It never goes back.", SERIAL, 300
    ),
    "epoch": words.number(
        "How often another copy of the application was promoted to be the one that writes; 1 is left out. Taken where the "
        "document founds the site; of one that is there `manage.py promote` alone raises it.",
        1,
        999_999_999,
    ),
    "identities": IDENTITIES,
}

DOCUMENT: words.Schema = {
    "type": "object",
    "required": ["mgmtplane", "site"],
    "additionalProperties": False,
    "properties": {
        "mgmtplane": {
            "type": "integer",
            "const": VERSION,
            "description": f"Version of this layout: {VERSION}.",
        },
        "site": {
            "type": "string",
            "pattern": words.LABEL,
            "description": "Short name of the site and DNS label. What a document leaves out below is left alone.",
        },
        **NOUNS,
    },
}


def published() -> words.Schema:
    """The schema as it is published: ``docs/site-document.schema.json``."""
    return {
        "$schema": DIALECT,
        "title": "mgmtplane site document",
        "description": "Everything declared about one site. See docs/site-document.md.",
        **DOCUMENT,
    }
