"""To take what was found as declared: one fact of the declaration, through the inventory's door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from inventory.changes import change
from inventory.models import Host, VirtualMachine
from inventory.permissions import may
from provisioning import drift
from provisioning.drift import Refused
from provisioning.machines.sizes import GIB, disk_bytes
from provisioning.models import DriftFinding
from provisioning.surveying.drifting import DATA_DISK, OS_DISK

_ORDER = re.compile(r"order=(\d+)\Z")


@dataclass(frozen=True)
class Taking:
    """What would be written: a fact of the host or of its machine specification, before and after."""

    row: Any
    attribute: str
    said: str
    before: Any
    after: Any

    @property
    def permission(self) -> str:
        return f"inventory.change_{self.row._meta.model_name}"

    @property
    def fingerprint(self) -> str:
        """Names what was shown; it comes back with the confirmation."""
        return f"{self.row._meta.model_name} {self.row.pk} {self.attribute}: {self.before} → {self.after}"


def taking(finding: DriftFinding) -> Taking:
    """What taking *finding* as declared would write. Raises Refused, with the way out."""
    if finding.closed:
        raise Refused(f"{finding} is closed: there is nothing to take.")
    host = Host.objects.filter(site=finding.site_id, name=finding.host_name).first()
    if host is None or not finding.host_name:
        raise Refused("No host declares it; declare one with its hypervisor and VMID.")
    row: Any
    if finding.kind == "node":
        row, attribute, said, after = host, "hypervisor", "hypervisor", _carrier(finding)
    else:
        row = VirtualMachine.objects.filter(host=host).first()
        if row is None:
            raise Refused(f"{host} has no machine specification to write it in.")
        attribute, said, after = _of_machine(finding)
    before = getattr(row, attribute)
    if before == after:
        raise Refused(f"{said} of {host} is declared as {after} by now; the next survey closes this.")
    return Taking(row, attribute, f"{said} of {host}", before, after)


def take(finding: DriftFinding, *, fingerprint: str, by: Any, why: str) -> Taking:
    """Write what was shown under *fingerprint*, and judge again. Raises Refused, and writes nothing then."""
    if not why.strip():
        raise Refused("Say why; nothing was changed.")
    try:
        with change(finding.site, by=by, why=why.strip(), source="admin"):
            shown = taking(finding)
            if shown.fingerprint != fingerprint:
                raise Refused(
                    "What this page showed has changed meanwhile. Nothing was done: this is how it is now."
                )
            setattr(shown.row, shown.attribute, shown.after)
            shown.row.full_clean()
            shown.row.save()
    except ValidationError as fault:
        raise Refused(" ".join(fault.messages)) from None
    drift.note(finding, "declare", by=by, why=why.strip())
    drift.judge(finding.site)
    return shown


def can_take(finding: DriftFinding) -> bool:
    """Whether *finding* is of a fact that the declaration can take; nothing is looked up."""
    if finding.closed or not finding.host_name or not finding.found:
        return False
    try:
        if finding.kind != "node":
            _of_machine(finding)
    except Refused:
        return False
    return finding.kind != "node" or finding.found == finding.elsewhere


def may_take(user: Any, finding: DriftFinding) -> bool:
    noun = "host" if finding.kind == "node" else "virtualmachine"
    return may(user, f"inventory.change_{noun}", finding.site_id)


def _carrier(finding: DriftFinding) -> Host:
    """The hypervisor on which it was found."""
    found = Host.objects.filter(site=finding.site_id, name=finding.elsewhere, form="hv").first()
    if found is None:
        raise Refused(f"The site has no hypervisor {finding.elsewhere} any more; survey again.")
    if finding.found != finding.elsewhere:
        raise Refused(
            f"It is on {finding.found}: only the node that is declared is looked into. Move it there, or "
            "declare that node as a hypervisor of its own."
        )
    return found


def _of_machine(finding: DriftFinding) -> tuple[str, str, Any]:
    """(attribute of the specification, its name, value)."""
    field, found = finding.field, finding.found
    if finding.kind == "size":
        if field in ("cores", "memory") and found.isdigit():
            return field, field, int(found)
        if field == "cpu" and found:
            return field, "CPU type", found.partition(",")[0].removeprefix("cputype=")
        if field == OS_DISK:
            return "os_disk", OS_DISK, _gib(found)
        if field.startswith(DATA_DISK):
            return "data_disk", DATA_DISK, _gib(found)
    if finding.kind == "onboot":
        return "start_on_boot", "start at boot", found == "1"
    if finding.kind == "bridge" and found:
        return "bridge", "bridge", found
    if finding.kind == "setting" and field == "startup" and (order := _ORDER.match(found)):
        return "startup_order", "startup order", int(order[1])
    raise Refused(
        f"{finding.title} is nothing that the declaration takes over from what was found: repair it, or change the "
        "declaration on its own page."
    )


def _gib(text: str) -> int:
    try:
        size = disk_bytes(text)
    except ValueError as fault:
        raise Refused(str(fault)) from None
    if size % GIB:
        raise Refused(f"It has {text}; sizes of disks are declared in whole GiB. Grow it to the next one.")
    return size // GIB
