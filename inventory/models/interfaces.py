"""Interfaces of hosts: MAC → address → name."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from inventory import validators
from inventory.door import open_change
from inventory.identity import canonical_mac, eui64_address, is_locally_administered, mac_problem
from inventory.models.fields import OrderedJSONField
from inventory.models.hosts import Host, HostPart
from inventory.models.identity import contested


class Interface(HostPart):
    """One network interface: MAC → address → name."""

    class MacKind(models.TextChoices):
        OBSERVED = "observed", "observed: read off real hardware"
        ASSIGNED = "assigned", "assigned: generated here"

    class Addressing(models.TextChoices):
        STATIC = "static", "static address"
        DHCP = "dhcp", "whatever DHCP gives"
        NONE = "none", "no address"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="interfaces")
    name = models.CharField(max_length=64, help_text="As the system calls it: eth0.")
    position = models.PositiveIntegerField(default=0, help_text="Order on the host; lower comes first.")
    mac = models.CharField(
        "MAC",
        max_length=17,
        null=True,
        blank=True,
        db_index=True,
        help_text="Any spelling; empty while unknown.",
    )
    mac_kind = models.CharField("MAC is", max_length=8, choices=MacKind, default=MacKind.OBSERVED)
    segment = models.ForeignKey(
        "inventory.Segment", null=True, blank=True, on_delete=models.RESTRICT, related_name="interfaces"
    )
    addressing = models.CharField(max_length=6, choices=Addressing, default=Addressing.NONE)
    ipv4 = models.GenericIPAddressField("IPv4 address", protocol="IPv4", null=True, blank=True, db_index=True)
    ipv6 = OrderedJSONField(
        "IPv6 addresses",
        default=list,
        blank=True,
        validators=[validators.ipv6_list],
        help_text="One a line; eui64 derives the address from the MAC.",
    )
    a_record = models.BooleanField(
        "address record", default=False, help_text="A, AAAA and PTR for its addresses."
    )
    reservation = models.BooleanField("DHCP reservation", default=False)
    management = models.BooleanField("management address", default=False, help_text="Ansible comes in here.")
    wake_on_lan = models.BooleanField("Wake-on-LAN", default=False)
    bootstrap_ipv4 = models.GenericIPAddressField(
        "IPv4 address in bootstrap mode",
        protocol="IPv4",
        null=True,
        blank=True,
        help_text="Of the bootstrap node: what it has here while it is the authority, such as the gateway's. "
        "Empty: the same address in both modes.",
    )
    primary = models.BooleanField(default=False, help_text="Carries the host's own name.")
    pxe_server = models.CharField(
        "boot server", max_length=253, blank=True, validators=[validators.boot_server]
    )
    pxe_file = models.CharField("boot file", max_length=127, blank=True, validators=[validators.boot_file])
    switch = models.ForeignKey(Host, null=True, blank=True, on_delete=models.SET_NULL, related_name="ports")
    switch_port = models.CharField(max_length=64, blank=True)
    variables = OrderedJSONField(
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="Further keys of the interface in Ansible.",
    )
    written = OrderedJSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["host", "position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "name"],
                name="interface_name",
                violation_error_message="The host has an interface of this name.",
            ),
            models.UniqueConstraint(
                fields=["host"],
                condition=Q(primary=True),
                name="interface_one_primary",
                violation_error_message="Another interface of the host is the primary one.",
            ),
            models.CheckConstraint(
                name="interface_static_has_address",
                condition=Q(addressing="static") | Q(ipv4__isnull=True),
                violation_error_message="Only a static interface has an address; choose “static” or empty the field.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.host.name}/{self.name}"

    def clean(self) -> None:
        problems: dict[str, list[str]] = {}
        self._check_mac(problems)
        self._check_assigned(problems)
        self._check_address(problems)
        if self.bootstrap_ipv4 and self.differs("bootstrap_ipv4", "segment"):
            self._collect(problems, "bootstrap_ipv4", self._misplaced(self.bootstrap_ipv4))
        for field in ("segment", "switch"):
            other, host = getattr(self, field), getattr(self, "host", None)
            if other and host and other.site_id != host.site_id:
                problems.setdefault(field, []).append(f"{other} belongs to another site.")
        if problems:
            raise ValidationError(problems)

    def _check_mac(self, problems: dict[str, list[str]]) -> None:
        if not self.mac:
            self.mac = None
            return
        try:
            self.mac = canonical_mac(self.mac)
        except ValueError as error:
            problems.setdefault("mac", []).append(str(error))
            return
        if self.differs("mac"):
            self._collect(problems, "mac", mac_problem(self.mac))
        if self.differs("mac", "mac_kind") and self.mac_kind == self.MacKind.ASSIGNED:
            self._collect(problems, "mac", self._not_assignable())
        self._collect(problems, "mac", self._contest("mac", self.mac))

    def _not_assignable(self) -> str:
        if not self.mac or is_locally_administered(self.mac):
            return ""
        return f"{self.mac} is a vendor's address, which nobody assigns; choose “observed”, or let one be handed out."

    def _check_assigned(self, problems: dict[str, list[str]]) -> None:
        """An assigned MAC is what leases, boot files and routers know a machine by; a new one is an act of its own."""
        stored: Any = self._stored
        if stored is None or stored.mac_kind != self.MacKind.ASSIGNED or not stored.mac:
            return
        change = open_change()
        if change is not None and self.pk in change.reidentified:
            return
        if self.mac != stored.mac:
            self._collect(
                problems,
                "mac",
                f"{stored.mac} is assigned to {self} and cannot be edited; re-identify the interface for a new one. If "
                "it is other hardware, delete the interface and declare the new one.",
            )
        elif self.differs("mac_kind"):
            self._collect(
                problems,
                "mac_kind",
                f"{stored.mac} was assigned here; it does not become observed. Delete the interface and declare the "
                "hardware anew.",
            )

    def _check_address(self, problems: dict[str, list[str]]) -> None:
        if self.ipv4 == "":
            self.ipv4 = None
        if self.addressing == "static" and not self.ipv4 and not self.ipv6:
            self._collect(
                problems,
                "ipv4",
                "A static interface needs an address; give one or choose another addressing.",
            )
        for field, address in [("ipv4", self.ipv4), *(("ipv6", text) for text in self._ipv6(problems))]:
            if not address:
                continue
            self._collect(problems, field, self._contest("ip", address))
            self._collect(problems, field, self._misplaced(address))

    def _ipv6(self, problems: dict[str, list[str]]) -> list[str]:
        try:
            given = [text for text in self.ipv6 or [] if text != validators.EUI64]
            canonical = [str(ipaddress.IPv6Address(text)) for text in given]
        except (ValueError, TypeError):
            return []  # the field's own validator says it
        if validators.EUI64 in (self.ipv6 or []):
            canonical += self._derived(problems)
        canonical = self._following_the_mac(canonical)
        setattr(self, "ipv6", canonical)  # noqa: B010 - the stubs take the column for text
        return canonical

    def _derived(self, problems: dict[str, list[str]]) -> list[str]:
        """The EUI-64 address in the segment's /64, if there are a MAC and a segment to derive it from."""
        network = self.segment.network6 if self.segment else None
        if not self.mac or not network:
            self._collect(
                problems, "ipv6", "eui64 needs a MAC and a segment with an IPv6 network; give both first."
            )
            return []
        try:
            return [str(eui64_address(self.mac, ipaddress.IPv6Network(network)))]
        except ValueError as error:
            self._collect(problems, "ipv6", str(error))
            return []

    def _following_the_mac(self, addresses: list[str]) -> list[str]:
        """A new MAC is one change: the address that the old one gave in the segment becomes the new one's."""
        stored: Any = self._stored
        if stored is None or not self.segment or not self.segment.network6 or not (stored.mac and self.mac):
            return addresses
        network = ipaddress.IPv6Network(self.segment.network6)
        if not self.differs("mac") or network.prefixlen != 64:
            return addresses
        old, new = (str(eui64_address(mac, network)) for mac in (stored.mac, self.mac))
        return list(dict.fromkeys(new if address == old else address for address in addresses))

    def _misplaced(self, address: str) -> str:
        """A person may not put an address where it does not belong; an unchanged imported one may stay."""
        if not self.segment or not self._is_new(address):
            return ""
        value = ipaddress.ip_address(address)
        text = self.segment.network4 if value.version == 4 else self.segment.network6
        if not text:
            return f"Segment {self.segment.name} has no IPv{value.version} network; declare one or choose another segment."
        network = ipaddress.ip_network(text, strict=False)
        if value not in network:
            return f"{address} lies outside {network} of segment {self.segment.name}."
        if value.version == 4 and network.prefixlen < 31 and value in (network[0], network[-1]):
            return f"{address} is the network or broadcast address of {network}."
        return ""

    def _is_new(self, address: str) -> bool:
        stored: Any = self._stored
        return self.differs("segment") or (address != stored.ipv4 and address not in stored.ipv6)

    def _contest(self, kind: str, value: str) -> str:
        host = getattr(self, "host", None)  # on the page of a new host it is not stored yet
        if host is None or host.status == "retired":
            return ""
        return contested(host.site_id, kind, value, host.pk)

    @staticmethod
    def _collect(problems: dict[str, list[str]], field: str, problem: str) -> None:
        if problem:
            problems.setdefault(field, []).append(problem)
