"""Write the extracts beside this file from the API descriptions of Proxmox VE.

    python -m tests.provisioning.pve.extract pve-api-schema-9.1.json.gz tests/provisioning/pve/schema-9.1.json

An extract holds facts alone: methods, names and types of parameters, who may call. Definitions that repeat are kept once.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

NODE = "/nodes/{node}"
MACHINE = NODE + "/qemu/{vmid}"
METHODS = (
    "GET /version",
    "GET /access/permissions",
    "GET /cluster/nextid",
    "GET /cluster/resources",
    "GET /nodes",
    "GET /storage",
    *(f"GET {NODE}/{what}" for what in ("storage", "network", "qemu", "lxc", "tasks")),
    f"GET {NODE}/storage/{{storage}}/content",
    *(f"{method} {NODE}/storage/{{storage}}/content/{{volume}}" for method in ("PUT", "DELETE")),
    f"POST {NODE}/qemu",
    f"GET {NODE}/lxc/{{vmid}}/config",
    f"DELETE {MACHINE}",
    *(f"{method} {MACHINE}/config" for method in ("GET", "PUT", "POST")),
    f"GET {MACHINE}/pending",
    f"PUT {MACHINE}/resize",
    f"POST {MACHINE}/move_disk",
    f"POST {MACHINE}/clone",
    f"PUT {MACHINE}/cloudinit",
    f"GET {MACHINE}/cloudinit",
    f"GET {MACHINE}/cloudinit/dump",
    f"GET {MACHINE}/status/current",
    *(f"POST {MACHINE}/status/{how}" for how in ("start", "stop", "shutdown", "reset", "reboot")),
    f"GET {MACHINE}/snapshot",
    f"POST {MACHINE}/snapshot",
    f"DELETE {MACHINE}/snapshot/{{snapname}}",
    f"POST {MACHINE}/snapshot/{{snapname}}/rollback",
    f"GET {MACHINE}/agent/network-get-interfaces",
    f"POST {NODE}/vzdump",
    f"GET {NODE}/vzdump/extractconfig",
    f"GET {NODE}/tasks/{{upid}}/status",
    f"GET {NODE}/tasks/{{upid}}/log",
    f"DELETE {NODE}/tasks/{{upid}}",
)
KEPT = (
    *("type", "optional", "enum", "minimum", "maximum", "maxLength", "pattern", "requires"),
    *("format", "alias", "keyAlias", "default_key"),
)


def extract(description: dict[str, Any]) -> dict[str, Any]:
    """The extract of one API description (the shape of pve-docs' ``apidata.js``, keyed by path)."""
    kept: list[str] = []
    methods = {}
    for name in METHODS:
        method, path = name.split(" ")
        entry = description["paths"][path][method]
        parameters = {}
        for parameter, definition in sorted(entry["parameters"].items()):
            text = json.dumps(_slim(definition), sort_keys=True)
            if text not in kept:
                kept.append(text)
            parameters[parameter] = kept.index(text)
        methods[name] = {"parameters": parameters, "check": (entry.get("permissions") or {}).get("check")}
    return {
        "version": description["version"],
        "types": [json.loads(text) for text in kept],
        "methods": methods,
    }


def text_of(extracted: dict[str, Any]) -> str:
    """As it is kept: one method and one type a line, so that a difference can be read."""
    types = ",\n".join(json.dumps(each, sort_keys=True) for each in extracted["types"])
    methods = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(entry, sort_keys=True)}"
        for name, entry in extracted["methods"].items()
    )
    return (
        f'{{"version": "{extracted["version"]}",\n"types": [\n{types}\n],\n"methods": {{\n{methods}\n}}}}\n'
    )


def _slim(definition: dict[str, Any]) -> dict[str, Any]:
    slim = {key: definition[key] for key in KEPT if key in definition}
    if isinstance(slim.get("format"), dict):
        slim["format"] = {key: _slim(part) for key, part in sorted(slim["format"].items())}
    return slim


if __name__ == "__main__":
    with gzip.open(sys.argv[1]) as described:
        Path(sys.argv[2]).write_text(text_of(extract(json.load(described))))
