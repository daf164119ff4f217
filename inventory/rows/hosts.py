"""Hosts with their interfaces and services: three queries."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import ExpressionWrapper, F, TextField

from inventory.models import Host, Interface, Service
from inventory.packed import packed
from inventory.snapshot import (
    AliasFacts,
    HostFacts,
    HypervisorFacts,
    InterfaceFacts,
    MachineFacts,
    ServiceFacts,
)

Row = dict[str, Any]


def host_facts(
    site_id: int,
    segments: dict[int, str],
    ids: list[int] | None = None,
    *,
    aliases: list[AliasFacts] | None = None,
) -> dict[int, tuple[HostFacts, dict[str, str]]]:
    """Return host id → (facts, its sealed files) for the hosts of a site, or for those in *ids*. Three queries.

    The aliases of the services seen on the way are added to *aliases*.
    """
    only_hosts: dict[str, Any] = {"site": site_id} if ids is None else {"pk__in": ids}
    only_parts: dict[str, Any] = {"host__site": site_id} if ids is None else {"host__in": ids}
    rows = list(
        _with_text(Host.objects.filter(**only_hosts), HOST_PACKED).values(
            *HOST_COLUMNS,
            *map(_text_of, HOST_PACKED),
            "id",
            "sealed",
            "role__slug",
            "hypervisor__name",
            *(f"proxmox__{name}" for name in HYPERVISOR_COLUMNS),
            *(f"machine__{name}" for name in MACHINE_COLUMNS),
        )
    )
    names = {row["id"]: row["name"] for row in rows}
    interfaces: dict[int, list[tuple[int, str, InterfaceFacts]]] = defaultdict(list)
    found = _with_text(Interface.objects.filter(**only_parts), INTERFACE_PACKED)
    for row in found.values_list(
        "host_id",
        "position",
        "segment_id",
        "switch__name",
        "ipv6",
        *map(_text_of, INTERFACE_PACKED),
        *INTERFACE_COLUMNS,
    ):
        host_id, position, segment_id, switch, ipv6, variables, written, *rest = row
        interface = InterfaceFacts(
            names[host_id],
            segment=segments.get(segment_id),
            switch=switch,
            ipv6=tuple(ipv6),
            variables=packed(variables),
            written=packed(written),
            **dict(zip(INTERFACE_COLUMNS, rest, strict=True)),
        )
        interfaces[host_id].append((position, interface.name, interface))
    services: dict[int, dict[int, ServiceFacts]] = defaultdict(dict)
    carried = Service.objects.filter(**only_parts)
    for pk, host_id, alias, *rest in carried.values_list("id", "host_id", "aliases__name", *SERVICE_COLUMNS):
        service = ServiceFacts(host=names[host_id], **dict(zip(SERVICE_COLUMNS, rest, strict=True)))
        services[host_id][pk] = service
        if alias and aliases is not None:
            aliases.append(AliasFacts(alias, service.label))
    return {
        row["id"]: (
            HostFacts(
                **{key: row[key] for key in HOST_COLUMNS},
                **{key: packed(row[_text_of(key)]) for key in HOST_PACKED},  # type: ignore[arg-type]
                role=row["role__slug"] or "",
                hypervisor=row["hypervisor__name"] or "",
                proxmox=_proxmox(row),
                machine=_machine(row),
                interfaces=tuple(facts for _, _, facts in sorted(interfaces[row["id"]], key=lambda i: i[:2])),
                services=tuple(sorted(services[row["id"]].values(), key=lambda s: (s.name, s.tenant))),
            ),
            row["sealed"],
        )
        for row in rows
    }


def _proxmox(row: Row) -> HypervisorFacts | None:
    if row["proxmox__api_url"] is None:
        return None
    return HypervisorFacts(**{name: row[f"proxmox__{name}"] for name in HYPERVISOR_COLUMNS})


def _machine(row: Row) -> MachineFacts | None:
    if row["machine__cores"] is None:
        return None
    return MachineFacts(**{name: row[f"machine__{name}"] for name in MACHINE_COLUMNS})


HOST_COLUMNS = (
    "name", "form", "vmid", "status", "plane", "platform", "location", "notes", "console_kind", "console_address",
    "power_kind", "power_address", "power_outlet", "host_keys",
)  # fmt: skip
HOST_PACKED = ("access", "out_of_band", "variables", "written")
INTERFACE_COLUMNS = (
    "name", "mac", "mac_kind", "addressing", "ipv4", "a_record", "reservation", "management", "wake_on_lan", "primary",
    "bootstrap_ipv4", "pxe_server", "pxe_file", "switch_port",
)  # fmt: skip
INTERFACE_PACKED = ("variables", "written")
HYPERVISOR_COLUMNS = (
    "api_url", "node", "token_id", "secret", "read_token_id", "read_secret", "ca_file", "fingerprint",
    "storage", "bridge", "pool",
)  # fmt: skip
MACHINE_COLUMNS = (
    "cores", "memory", "os_disk", "data_disk", "data_disk_serial", "keep_data_disk", "boot", "template", "ciuser",
    "ssh_keys", "cpu", "agent", "rng", "start_on_boot", "startup_order", "storage", "bridge", "pool",
)  # fmt: skip
SERVICE_COLUMNS = ("name", "tenant", "port", "health_check", "metrics_path", "web_scheme", "local_port")


def _text_of(column: str) -> str:
    return f"{column}_text"


def _with_text(rows: Any, columns: tuple[str, ...]) -> Any:
    """Have JSON *columns* come as text, which is unpacked only where somebody looks."""
    return rows.annotate(
        **{_text_of(column): ExpressionWrapper(F(column), output_field=TextField()) for column in columns}
    )
