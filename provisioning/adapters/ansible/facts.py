"""The few gathered facts that are worth keeping, in words of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: a fact may be anything that the host says
LONGEST, MOST = 1024, 256


def selected(facts: Mapping[str, Any]) -> dict[str, Any]:
    """*facts* without the prefix ``ansible_``, as the run's callback chose them; what is not there is left out."""
    found: dict[str, Any] = {}
    for name, source in _PLAIN.items():
        if isinstance(value := facts.get(source), str) and value:
            found[name] = value[:LONGEST]
    default = facts.get("default_ipv4") or facts.get("default_ipv6")
    if isinstance(default, Mapping) and isinstance(default.get("interface"), str):
        found["default_interface"] = default["interface"][:LONGEST]
    if isinstance(details := facts.get("details"), Mapping):
        found["interfaces"] = [
            _interface(str(name), one)
            for name, one in sorted(details.items())[:MOST]
            if isinstance(one, Mapping)
        ]
    if keys := _host_keys(facts):
        found["ssh_host_keys"] = keys
    return found


_PLAIN = {
    "hostname": "hostname",
    "fqdn": "fqdn",
    "os_family": "os_family",
    "distribution": "distribution",
    "distribution_version": "distribution_version",
    "distribution_release": "distribution_release",
    "kernel": "kernel",
    "architecture": "architecture",
    "python": "python_version",
}


def _interface(name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    addresses = []
    ipv4 = [said.get("ipv4"), *_list(said.get("ipv4_secondaries"))]
    for one in [*ipv4, *_list(said.get("ipv6"))]:
        if isinstance(one, Mapping) and isinstance(one.get("address"), str):
            prefix = one.get("prefix")
            addresses.append(f"{one['address']}/{prefix}" if prefix not in (None, "") else one["address"])
    mac = said.get("macaddress")
    return {
        "name": name[:LONGEST],
        "mac": mac[:LONGEST].lower() if isinstance(mac, str) else "",
        "active": bool(said.get("active")),
        "type": str(said.get("type", ""))[:LONGEST],
        "addresses": addresses[:MOST],
    }


def _host_keys(facts: Mapping[str, Any]) -> dict[str, str]:
    """By type of key, such as ``ssh-ed25519``, in base64."""
    keys = {}
    for name, value in facts.items():
        if name.startswith("ssh_host_key_") and name.endswith("_public") and isinstance(value, str):
            kind = facts.get(f"{name}_keytype")
            if isinstance(kind, str) and len(value) <= 8 * LONGEST:
                keys[kind] = value
    return dict(sorted(keys.items()))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
