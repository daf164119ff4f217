"""What the machine keeps, and people only carry along: shapes, sealed files, the ledger. Pure."""

from __future__ import annotations

from inventory.exports.site import vocabulary as words
from inventory.exports.site.vocabulary import MOMENT, Schema

_SHAPE = words.formed("JSON text.", "json-mapping", '{"order":[]}')
SHAPES = words.fields(
    "How imported facts were written, as JSON: kept so that Ansible gets back what it knew. Not for people.",
    {
        "site": {**_SHAPE, "default": {}},
        "segments": words.named("Segment → shape.", _SHAPE, 63),
        "hosts": words.named("Host → shape.", _SHAPE, 253),
        "interfaces": words.named(
            "Host → interface → shape.", words.named("Interface → shape.", _SHAPE, 64), 253
        ),
    },
)
_FILES = words.named(
    "Owner → path → ciphertext.", words.named("Path → ciphertext.", {"type": "string"}, 4096), 253
)
SEALED = words.fields(
    "Files that are vaulted as a whole and were never opened.",
    {
        "groups": {**_FILES, "description": "Group (all: the site) → path → ciphertext."},
        "hosts": {**_FILES, "description": "Host → path → ciphertext."},
    },
)

SERIAL = {
    "type": "array",
    "prefixItems": [
        {"type": "integer", "minimum": 0, "maximum": 2**32 - 1, "description": "The serial."},
        {"type": "string", "description": "What the zone's content hashed to."},
    ],
    "minItems": 2,
    "maxItems": 2,
    "description": "[serial, hash of the content]",
}
_WHO = {"type": "string", "minLength": 1, "maxLength": 253, "description": "The host."}
_SINCE = words.formed("Since when.", "date-time", MOMENT)
_UNTIL = {**_SINCE, "type": ["string", "null"], "description": "Until when; null: until somebody frees it."}


def _line(description: str, *items: Schema) -> Schema:
    size = len(items)
    return {
        "type": "array",
        "prefixItems": list(items),
        "minItems": size,
        "maxItems": size,
        "description": description,
    }


_CLAIMS = {
    "type": "object",
    "propertyNames": {"type": "string", "minLength": 1, "maxLength": 253},
    "additionalProperties": _SINCE,
    "description": "Who claims it beside its holder, longest first, and since when.",
}


#: Kind of identity → what people call them.
KINDS = {"mac": "MACs", "ip": "Addresses", "vmid": "VMIDs", "name": "Names below the zone, as DNS has them"}
#: Kind of identity → the form of its values, where it has one.
FORMS = {"mac": "mac", "ip": "address", "vmid": "vmid"}


def _by_kind(description: str, values: Schema) -> Schema:
    kinds = {
        kind: words.named(f"{what} → who.", values, 253, **({"format": FORMS[kind]} if kind in FORMS else {}))
        for kind, what in KINDS.items()
    }
    return words.fields(description, kinds)


IDENTITIES = words.fields(
    "The ledger: whose each value is, and since when.",
    {
        "quarantined": _by_kind(
            "Given up, not to be handed out yet.", _line("[host, since, until]", _WHO, _SINCE, _UNTIL)
        ),
        "disputed": _by_kind("Claimed by several hosts: rendered for none of them.", _CLAIMS),
        "held": _by_kind(
            "One host has it. What no host claims is ignored.", _line("[host, since]", _WHO, _SINCE)
        ),
    },
)
