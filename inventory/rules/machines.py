"""Virtual machines and hypervisors: who may run where, by which number, and how the hypervisor is entered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from inventory.disputes import disputes
from inventory.findings import Finding
from inventory.rules import specifications
from inventory.rules.places import named
from inventory.snapshot import HostFacts, Snapshot

#: Beginnings of Ansible variables that may hold what a hypervisor's API asks for.
HINTS = ("proxmox_", "pve_")
#: what such a reference leads to is entered by a person, or opened with what one enters
LOCKED = ("vault:", "unlock:")


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    yield from disputes(snapshot, "vmid")
    for host in snapshot.live_hosts:
        if host.form == "hv":
            yield from _hypervisor(host)
            yield from _tenants_here(host)
        if host.hypervisor:
            yield from _carried(host, snapshot.host_by_name.get(host.hypervisor))
        yield from _tenants_cards(snapshot, host)
        yield from _vmid(snapshot, host)
        yield from specifications.findings(host)
        for interface in host.interfaces:
            if interface.wake_on_lan and not interface.mac:
                yield Finding(
                    "wol-without-mac",
                    "warning",
                    interface.subject,
                    "shall be woken over the network, and its MAC is unknown: nobody can call it.",
                    "Read the MAC off the machine, its label or the switch's table, and write it down.",
                )
    yield from _ports(snapshot)


def _hypervisor(host: HostFacts) -> Iterator[Finding]:
    api = host.proxmox
    missing = [
        word
        for word, given in (("token id", api and api.token_id), ("token secret", api and api.secret))
        if not given
    ]
    if not missing:
        yield from _one_token(host)
        return
    hints = sorted(key for key in host.variables if key.startswith(HINTS))
    said = (
        f" Its Ansible variables {named(hints)} may be meant; what an import cannot read in plain is not taken."
        if hints
        else ""
    )
    yield Finding(
        "hypervisor-without-credentials",
        "info" if hints else "warning",
        host.subject,
        f"is a hypervisor without {' and '.join(missing)}: nothing can be surveyed or made there.{said}",
        "Declare the token of its API; the secret as env:NAME or file:/path, or as vault:VARIABLE or unlock:NAME where "
        "jobs shall wait for a person.",
    )


def _one_token(host: HostFacts) -> Iterator[Finding]:
    """What looks had better not be able to destroy."""
    api = host.proxmox
    if api is not None and api.read_token_id and api.read_secret.startswith(LOCKED):
        yield Finding(
            "hypervisor-one-token",
            "info",
            host.subject,
            "has a token for reading that is locked until a person unlocks it: surveys wait for that, scheduled ones too.",
            "Declare its secret as env:NAME or file:/path where surveys shall run without anybody.",
        )
    if api is None or (api.read_token_id and api.read_secret and api.read_token_id != api.token_id):
        return
    if bool(api.read_token_id) != bool(api.read_secret):
        lacking = "reference to its secret" if api.read_token_id else "id"
        yield Finding(
            "hypervisor-one-token",
            "warning",
            host.subject,
            f"has a token for reading without its {lacking}: it cannot be surveyed.",
            f"Declare its {lacking}, or empty both fields: then the writing token reads as well.",
        )
        return
    yield Finding(
        "hypervisor-one-token",
        "info",
        host.subject,
        f"is surveyed with {api.token_id}, the token that may change and destroy machines.",
        "Create a second token that may only look, and declare it as its reading token.",
    )


def _tenants_here(host: HostFacts) -> Iterator[Finding]:
    tenants = [service.label for service in host.services if service.tenant]
    if tenants and host.plane == "management":
        yield Finding(
            "tenant-on-management-hypervisor",
            "warning",
            host.subject,
            f"is a hypervisor of the management plane and itself carries {named(tenants)} for tenants.",
            "Move what tenants use to a machine on the tenants' hypervisor.",
        )


def _tenants_cards(snapshot: Snapshot, host: HostFacts) -> Iterator[Finding]:
    """Virtual machines only: the tenants' hypervisors themselves are managed over the management plane."""
    if host.form != "vm" or host.plane != "tenant":
        return
    for interface in host.interfaces:
        segment = snapshot.segment_of(interface)
        if segment is not None and segment.is_management:
            yield Finding(
                "tenant-in-management-segment",
                "error" if host.status == "provisioning" else "warning",
                interface.subject,
                f"is a card of a tenant's machine in segment {segment.name} of the management plane.",
                "Put it into a segment of the tenant's: no machine is made with such a card.",
            )


def _carried(host: HostFacts, carrier: HostFacts | None) -> Iterator[Finding]:
    if carrier is None or carrier.is_retired or carrier.form != "hv":
        why = (
            "is not declared"
            if carrier is None
            else "is retired"
            if carrier.is_retired
            else "is no hypervisor"
        )
        yield Finding(
            "hypervisor-unusable",
            "error",
            host.subject,
            f"runs on {host.hypervisor}, which {why}.",
            "Name the hypervisor that it runs on now.",
        )
    elif host.plane == "tenant" and carrier.plane == "management":
        yield Finding(
            "tenant-on-management-hypervisor",
            "error"
            if host.status == "provisioning"
            else "warning",  # what is not there yet is not made there
            host.subject,
            f"is a tenant's machine on {carrier.name}, a hypervisor of the management plane.",
            "Move it to the tenants' hypervisor: what tenants do must not reach the management plane.",
        )
    elif host.plane == "management" and carrier.plane == "tenant":
        yield Finding(
            "management-on-tenant-hypervisor",
            "warning",
            host.subject,
            f"belongs to the management plane and runs on {carrier.name}, a hypervisor of the tenants.",
            "Move it to a hypervisor of the management plane: the tenants' may be destroyed at any time.",
        )


def _vmid(snapshot: Snapshot, host: HostFacts) -> Iterator[Finding]:
    site = snapshot.site
    if host.vmid is None:
        if host.form == "vm" and site.mac_encoding == "vmid":
            yield Finding(
                "vmid-missing",
                "warning",
                host.subject,
                "is a virtual machine without a VMID, from which this site's MACs are made.",
                "Declare the VMID that it has, or have one allocated.",
            )
    elif not (site.vmid_first or 0) <= host.vmid <= (site.vmid_last or host.vmid):
        yield Finding(
            "vmid-outside-range",
            "warning",
            host.subject,
            f"has the VMID {host.vmid}, outside the site's range {site.vmid_first}-{site.vmid_last}.",
            "Give it a VMID of the range when it is rebuilt, or widen the range.",
        )


def _ports(snapshot: Snapshot) -> Iterator[Finding]:
    """One cable a port. VLANs of one host share it, and guests are behind their hypervisor's."""
    plugged: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for host in snapshot.live_hosts:
        if host.form == "vm":
            continue
        for interface in host.interfaces:
            if interface.switch and interface.switch_port:
                plugged[interface.switch, interface.switch_port].setdefault(
                    host.name, f"{host.name}/{interface.name}"
                )
    for (switch, port), by_host in sorted(plugged.items()):
        if len(by_host) > 1:
            yield Finding(
                "switch-port-twice",
                "warning",
                f"host {switch}",
                f"has its port {port} named by {named(by_host.values())}; one cable is in a port.",
                "Look where the cables are, and correct the port of the other machine.",
            )
