"""Bodies of hosts and of what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from rest_framework import serializers

from inventory.api.v1 import fields
from inventory.api.v1.bodies import Body, SiteName, Strict
from inventory.api.v1.problems import FieldError, errors_of
from inventory.changes import SiteChange
from inventory.models import (
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    Membership,
    Role,
    Segment,
    Service,
    VirtualMachine,
)

INTERFACE = (
    "name", "position", "mac", "mac_kind", "segment", "segment_id", "addressing", "ipv4", "ipv6", "a_record",
    "reservation", "management", "wake_on_lan", "bootstrap_ipv4", "primary", "pxe_server", "pxe_file", "switch",
    "switch_id", "switch_port", "variables",
)  # fmt: skip
POSITION: Any = {"min_value": 0, "max_value": 10_000, "required": False}


class OfHost(Body):
    """A part of a host; the host's site is the row's."""

    site = SiteName(path="host.site")
    host = fields.Named(Host)
    host_id = serializers.IntegerField(read_only=True)


class InterfaceFields(Body):
    position = fields.Number(**POSITION, help_text="Order on the host; lower comes first.")
    segment = fields.Named(Segment, required=False, allow_null=True)
    segment_id = serializers.IntegerField(read_only=True, allow_null=True)
    switch = fields.Named(Host, required=False, allow_null=True)
    switch_id = serializers.IntegerField(read_only=True, allow_null=True)
    ipv6 = fields.Texts(
        required=False, help_text="Addresses; “eui64” derives one from the MAC in the segment's /64."
    )

    class Meta:
        model = Interface
        fields: tuple[str, ...] = ("id", *INTERFACE)


class InterfaceBody(OfHost, InterfaceFields):
    class Meta(InterfaceFields.Meta):
        fields = ("id", "site", "host", "host_id", *INTERFACE, "why")


class HostInterface(InterfaceFields):
    """An interface within its host's body: matched by name, placed as listed."""

    why: Any = None
    position: Any = serializers.IntegerField(read_only=True)

    def strangers(self, data: Any) -> Iterator[tuple[str, str]]:
        """Ids of interfaces that are sent back belong to rows that are matched by name: they say nothing here."""
        yield from Strict.strangers(self, data)


class ServiceBody(OfHost):
    port = fields.Number(min_value=1, max_value=65535, allow_null=True, required=False)
    local_port = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Service
        fields = (
            "id", "site", "host", "host_id", "name", "tenant", "port", "health_check", "metrics_path",
            "web_scheme", "local_port", "why",
        )  # fmt: skip


class HypervisorBody(OfHost):
    class Meta:
        model = Hypervisor
        fields = (
            "id", "site", "host", "host_id", "api_url", "node", "token_id", "secret", "read_token_id",
            "read_secret", "ca_file", "fingerprint", "storage", "bridge", "pool", "why",
        )  # fmt: skip


class MachineBody(OfHost):
    class Meta:
        model = VirtualMachine
        fields = (
            "id", "site", "host", "host_id", "cores", "memory", "os_disk", "data_disk", "data_disk_serial",
            "keep_data_disk", "boot", "template", "ciuser", "ssh_keys", "cpu", "agent", "rng", "start_on_boot",
            "startup_order", "storage", "bridge", "pool", "why",
        )  # fmt: skip


def _in(kind: str) -> Any:
    return lambda host: [
        link.group.name for link in host.memberships.all() if host.pk and link.group.kind == kind
    ]


class HostBody(Body):
    site = SiteName()
    site_id = serializers.IntegerField(read_only=True)
    role = fields.Named(Role, by="slug", required=False, allow_null=True)
    role_id = serializers.IntegerField(read_only=True, allow_null=True)
    hypervisor = fields.Named(Host, required=False, allow_null=True)
    hypervisor_id = serializers.IntegerField(read_only=True, allow_null=True)
    needs = fields.NamesInOrder(
        "host",
        lambda host: [need.needed.name for need in host.needs.all()] if host.pk else [],
        lambda: Host.objects.all(),
        help_text="All hosts that it needs besides, in order: up before it, down after it. Without the list they stay.",
    )
    vmid = fields.Number(min_value=100, max_value=999_999_999, allow_null=True, required=False)
    interfaces = HostInterface(
        many=True,
        required=False,
        help_text="All, in order, matched by name: those that a list leaves out are deleted. Without a list they stay.",
    )
    services = fields.Names(
        "service", lambda host: [s.label for s in host.services.all()], list, read_only=True
    )
    groups = fields.Names(
        "group",
        _in("group"),
        lambda: Group.objects.filter(kind="group"),
        help_text="All Ansible groups that name the host directly. Without the list they stay.",
    )
    profiles = fields.Names(
        "workload profile",
        _in("profile"),
        lambda: Group.objects.filter(kind="profile"),
        help_text="All workload profiles that the host has. Without the list they stay.",
    )

    links: ClassVar[dict[str, str]] = {
        "interfaces": "interface",
        "needs": "hostneed",
        "groups": "membership",
        "profiles": "membership",
    }

    class Meta:
        model = Host
        fields = (
            "id", "site", "site_id", "name", "form", "role", "role_id", "hypervisor", "hypervisor_id", "needs", "vmid",
            "status", "plane", "platform", "location", "notes", "console_kind", "console_address",
            "power_kind", "power_address", "power_outlet", "host_keys", "access", "out_of_band", "variables", "interfaces",
            "services", "groups", "profiles", "why",
        )  # fmt: skip

    def write_links(
        self, the_change: SiteChange, row: Any, links: dict[str, Any], *, written: bool
    ) -> list[FieldError]:
        errors = []
        if "interfaces" in links:
            errors += self._write_interfaces(row, links["interfaces"], written)
        if "needs" in links:
            errors += self._write_needs(row, links["needs"], written)
        if written and not errors:
            for name, kind in (("groups", "group"), ("profiles", "profile")):
                if name in links:
                    self._write_memberships(the_change, row, kind, links[name])
        return errors

    def _write_needs(self, host: Any, wanted: list[Any], written: bool) -> list[FieldError]:
        if host in wanted:
            return [FieldError(f"needs.{wanted.index(host)}", "A host cannot need itself.")]
        present = {need.needed_id: need for need in host.needs.all()} if host.pk else {}
        if not written or list(present) == [needed.pk for needed in wanted]:
            return []
        self.require_links("hostneed")
        for need in present.values():
            if need.needed not in wanted:
                need.delete()
        for position, needed in enumerate(wanted):
            need = present.get(needed.pk) or HostNeed(host=host, needed=needed)
            if need._state.adding or need.position != position:
                need.position = position
                need.save()
        return []

    def _write_memberships(self, the_change: SiteChange, row: Any, kind: str, wanted: list[Any]) -> None:
        others = [link.group for link in row.memberships.select_related("group") if link.group.kind != kind]
        present = {link.group_id for link in row.memberships.all() if link.group.kind == kind}
        if present != {group.pk for group in wanted}:
            self.require_links("membership")
            the_change.set_links(Membership, {"host": row}, "group", [*others, *wanted])

    def _write_interfaces(self, host: Any, given: list[dict[str, Any]], written: bool) -> list[FieldError]:
        """Those that leave go first, and who is primary comes last: the constraints never see two."""
        present = {row.name: row for row in host.interfaces.all()} if host.pk else {}
        errors = list(_twice(given))
        wanted = [_row(host, present, number, values) for number, values in enumerate(given)]
        if errors:
            return errors
        if self._lost(present, given, written):
            self.caller.require("inventory.delete_interface", self.context["site"])
        for number, (row, moved) in sorted(enumerate(wanted), key=lambda one: one[1][0].primary):
            if not moved:
                continue
            self.caller.require(
                f"inventory.{'add' if row._state.adding else 'change'}_interface", self.context["site"]
            )
            try:
                row.save() if written else row.full_clean(exclude={"host"}, validate_constraints=False)
            except ValidationError as error:
                errors += errors_of(error, f"interfaces.{number}")
        return errors

    def _lost(self, present: dict[str, Any], given: list[dict[str, Any]], written: bool) -> bool:
        names = {values["name"] for values in given}
        gone = [row for name, row in present.items() if name not in names]
        if written:
            for row in gone:
                row.delete()
        return bool(gone)


def _twice(given: list[dict[str, Any]]) -> Iterator[FieldError]:
    names = [values["name"] for values in given]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield FieldError(f"interfaces.{number}.name", f"The host has an interface “{name}” already.")
    primary = [number for number, values in enumerate(given) if values.get("primary")]
    for number in primary[1:]:
        yield FieldError(f"interfaces.{number}.primary", "A host has one primary interface.")


def _row(host: Any, present: dict[str, Any], number: int, values: dict[str, Any]) -> tuple[Any, bool]:
    """(the interface as it is to be, whether that is anything new). What is left out keeps its value."""
    row = present.get(values["name"]) or Interface()
    wanted = {**values, "position": number}
    moved = row._state.adding or any(getattr(row, name) != value for name, value in wanted.items())
    row.host = host
    for name, value in wanted.items():
        setattr(row, name, value)
    return row, moved
