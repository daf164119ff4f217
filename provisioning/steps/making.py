"""Makes a declared virtual machine, step by step. Each step looks, acts if needed, and looks again.

So the whole can be run again from the start after anything: a lost answer, a dead worker, a cancel. What exists already and
carries our marker is gone on with; what carries none is never touched. A machine whose card is not the declared one is
never started.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from provisioning.adapters.base import AlreadyThere, Changed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.machines.comparing import Difference, compare
from provisioning.machines.facts import Config, GuestLine
from provisioning.machines.properties import new_disk
from provisioning.machines.sizes import disk_text
from provisioning.machines.spec import disk_of_serial, free_disk_key, in_image, os_disk, settings
from provisioning.steps import watching
from provisioning.steps.powering import Switch
from provisioning.steps.watching import TRIES

#: set last, once everything else is as declared
ONBOOT = ("onboot", "1")
PROTECTION = "protection"


@dataclass
class Maker(Switch):
    """Steps that make the machine and set it as declared."""

    #: what was written of the configuration, or may have been
    written: set[str] = field(default_factory=set, init=False)

    @property
    def description(self) -> str:
        """What a clone carries from its first moment on."""
        return self.machine.spec.owner.marker

    # --- making ---

    def clone(self, template: GuestLine) -> None:
        """A full copy of *template* with our marker in it, unless there is one."""
        self.turn.step(f"Clone {template.name}")
        if self.settled() is not None:
            return
        self._begin_clone(template)
        found = self.settled()
        if found is None:
            raise JobFailed(
                f"The clone of {template.name} for {self.machine.host} is not there, and nothing says why.",
                "Look at the tasks of the node.",
            )
        self.unprotect(found)

    def unprotect(self, found: Config) -> None:
        """Take off what a clone has of a protected template: neither it nor a disk of it could be removed."""
        if found.get(PROTECTION) == "1":
            self.turn.event("info", "It is protected, as its template is; that is taken off.")
            self._send(lambda now: {PROTECTION: "0"} if now.get(PROTECTION) == "1" else {})

    def _begin_clone(self, template: GuestLine) -> None:
        spec = self.machine.spec
        try:
            upid = self.proxmox.clone(
                template.vmid,
                spec.vmid,
                name=spec.name,
                storage=self.machine.storage,
                pool=self.machine.pool,
                description=self.description,
            )
        except Unanswered as lost:
            self.turn.event("warning", f"{lost} Looking whether it was begun.")
            self.appears(lost, "clone")
        except AlreadyThere:  # between our look and our asking; whose it is is seen next
            self.turn.event("warning", f"VMID {spec.vmid} was taken at this moment.")
        else:
            self.finish(upid, watching.CLONE_LIMIT)

    # --- configuring ---

    def configure(self, only: Collection[str] = (), *, step: str = "Configure it") -> None:
        """Identity, memory, cores, cloud-init, start order: what differs, and with the digest that was read.

        *only*: these keys, and no other. That it starts with its node is left to ``read_back``.
        """
        self.turn.step(step)
        self.settled()
        self._set(lambda key, value: (not only or key in only) and (key, value) != ONBOOT)

    def _set(self, wanted: Callable[[str, str], bool]) -> None:
        def changes(found: Config) -> dict[str, str]:
            differing = settings(self.machine.spec, found)
            return {key: value for key, value in differing.items() if wanted(key, value)}

        self._send(changes)

    def _send(self, changes_of: Callable[[Config], dict[str, str]]) -> None:
        """Set what *changes_of* says of the configuration as it is, with its digest, until it says nothing more."""
        for attempt in range(1, TRIES + 1):
            found = self.existing()
            changes = changes_of(found)
            if not changes:
                return
            self.written |= set(changes)
            try:
                self.proxmox.configure(self.vmid, changes, digest=found.digest)
                self.turn.event("info", f"Set {', '.join(sorted(changes))}.")
            except Changed:
                self.turn.event("warning", "Somebody changed it at this moment; reading anew.")
                if attempt == TRIES:
                    raise
            except Unanswered as lost:
                self.turn.event("warning", f"{lost} Reading back what is there.")

    def disks(self) -> None:
        """The OS disk at its declared size before the first boot, the data disk if absent."""
        self.turn.step("Disks")
        spec, found = self.machine.spec, self.existing()
        if spec.disk is not None:
            self._grow(found, spec.disk)
        if spec.data is not None and disk_of_serial(self.existing(), spec.data.serial) is None:
            self._add_data()

    def _grow(self, found: Config, size: int) -> None:
        data = self.machine.spec.data
        disk = os_disk(found, data_serial=data.serial if data else "")
        if disk is None or disk.size is None:
            raise JobFailed(f"{self.vmid} has no disk to boot from.", "Look at its template.")
        if disk.size > size:
            raise JobFailed(
                f"{disk.key} has {disk_text(disk.size)}, declared are {disk_text(size)}; a disk never shrinks.",
                "Declare at least what the template has.",
            )
        if disk.size < size:
            key = disk.key
            if not self.task(lambda: self.proxmox.resize(self.vmid, key, size), f"grow {key}"):
                self.seen(lambda: self.existing().disks[key].size == size, f"{key} has {disk_text(size)}")

    def _add_data(self) -> None:
        data = self.machine.spec.data
        assert data is not None, "asked for before"  # noqa: S101
        found = self.existing()
        value = new_disk(data.storage, data.gib, serial=data.serial)
        key = free_disk_key(found)
        add = f"add {data.serial}"
        if not self.task(lambda: self.proxmox.add_disk(self.vmid, key, value, digest=found.digest), add):
            self.seen(lambda: disk_of_serial(self.existing(), data.serial), f"{data.serial} is there")

    def image(self) -> None:
        """The cloud-init image as configured: it is stale until it is written anew.

        What the node lists as pending leaves out addresses and names that changed. So it is written anew as well after
        these were written, and where an earlier attempt may have done that.
        """
        self.turn.step("Write the cloud-init image")
        stale = any(in_image(key) for key in self.written) or self.turn.attempt > 1
        if self.proxmox.cloudinit_pending(self.vmid) or stale:
            try:
                self.proxmox.regenerate_cloudinit(self.vmid)
            except Unanswered as lost:
                self.turn.event("warning", f"{lost} Looking whether it is up to date.")
        if still := self.proxmox.cloudinit_pending(self.vmid):
            raise JobFailed(
                f"The cloud-init image of {self.machine.host} lacks {', '.join(still)} though it was written anew.",
                "Look at the node's storage.",
                retryable=True,
            )

    def read_back(self) -> None:
        """Success proves nothing: compare what is there with what is declared, before the first start.

        Only what is as declared is started with its node; what carries another's identity is not.
        """
        self.turn.step("Read back")
        differences = self._differences()
        if [one.field for one in differences] == [ONBOOT[0]]:
            self._set(lambda key, value: key == ONBOOT[0])
            differences = self._differences()
        if not differences:
            return
        said = "; ".join(str(one) for one in differences)
        grave = any(one.grave for one in differences)
        if grave:
            self.keep_off()
        raise JobFailed(
            f"{self.machine.host} is not as declared: {said}."
            + (" It was not started." if grave or not self.runs() else ""),
            "Somebody may have changed it meanwhile, or the API dropped it: run this again.",
        )

    def _differences(self) -> tuple[Difference, ...]:
        return compare(self.machine.spec, self.existing())
