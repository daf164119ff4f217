"""Rebuilds a machine of ours from its template: a new disk goes in, what it is called and where it is reached stays.

The machine itself is never destroyed, so that nobody takes its VMID meanwhile, and its data disk is never moved. A
*spare* is cloned from the template beside it, before anything is stopped. Then a line in the machine's description says
what goes; its disk is taken out, the spare's put in. The old disk stays unused until the new one has answered. A
volume that the line does not name is not removed by any step, in whatever order they are cut short and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from provisioning.adapters.base import Changed, NotFound, TaskFailed, Unanswered, Unauthorized
from provisioning.engine.faults import JobFailed
from provisioning.machines import rebuilding
from provisioning.machines.facts import Config, GuestLine
from provisioning.machines.owning import owner_of, parked_since, unparked
from provisioning.machines.rebuilding import Rebuild, Unclear
from provisioning.machines.templates import NoTemplate, newest
from provisioning.observed import surveys
from provisioning.steps.making import ONBOOT, PROTECTION, Maker
from provisioning.steps.watching import TASK_LIMIT, TRIES, may_be_absent


@dataclass
class Spare(Maker):
    """The clone beside the machine. It is never started, and holds nothing that anybody wrote."""

    template: str = ""

    @property
    def description(self) -> str:
        return rebuilding.spare_description(self.machine.spec.owner.marker, self.template)

    def of(self, template: str) -> Spare:
        return replace(self, template=template)

    def is_there(self) -> bool:
        """Whether there is one, and it is ours."""
        try:
            found = self.proxmox.config(self.vmid)
        except NotFound:
            return False
        except Unauthorized as fault:
            if not may_be_absent(fault, self.vmid):
                raise
            if not self.proxmox.is_free(self.vmid):
                said = f"VMID {self.vmid}, that of its spare, is taken by a guest that the token may not see."
                self.turn.event("warning", said)
            return False
        return owner_of(found.get("description")) == self.machine.spec.owner

    def free(self, found: Config) -> None:
        """Switch off what it has of its template: it starts with no node, and its disks can be taken out."""
        if found.onboot or found.get(PROTECTION) == "1":
            keys = (ONBOOT[0], PROTECTION)
            self._send(lambda now: {key: "0" for key in keys if now.get(key) == "1"})

    def remove(self) -> None:
        """Away with it. Raises JobFailed where it is somebody else's."""
        found = self.settled()
        if found is not None:
            self.check_ours(found)
            if self.proxmox.status(self.vmid).status != "stopped":
                raise JobFailed(
                    f"The spare {self.vmid} runs, though nobody here starts it.", "Look what it is."
                )
            self.unprotect(found)
            destroy(self)
        if site := self.turn.asked.site:
            surveys.keep_guest(site, self.machine.hypervisor, self.vmid, lambda _: None)


def spare_for(work: Maker) -> Spare:
    """Raises JobFailed where there is no VMID for one."""
    try:
        machine = rebuilding.spare_of(work.machine)
    except Unclear as fault:
        raise JobFailed(str(fault)) from None
    return Spare(work.turn, work.proxmox, machine, work.patience)


def destroy(work: Maker) -> None:
    """The machine's own VMID is asked for, never a list: an empty list proves nothing."""
    try:
        work.finish(work.proxmox.destroy(work.vmid))
    except Unanswered as lost:
        work.turn.event("warning", f"{lost} Looking whether it is gone.")
        try:
            work.turn.wait(
                lambda: work.config() is None,
                timeout=work.patience.settle,
                pause=work.patience.pause,
                what="it to be gone",
            )
        except JobFailed as fault:
            raise JobFailed(
                f"The answer to removing {work.machine.host} ({work.vmid}) was lost, and it is still there.",
                "Run this again.",
                retryable=True,
            ) from fault
    except NotFound:
        work.turn.event("warning", "It was gone already.")
    if work.config() is not None:
        raise JobFailed(f"{work.vmid} is still there though the task ended well.", "Look at its node.")


def check_whole(found: Config | None, host: str) -> None:
    """Raise JobFailed where *found* is a machine whose rebuild was begun and is not done."""
    begun = rebuilding.begun(found.get("description")) if found is not None else None
    if begun is not None:
        raise JobFailed(
            f"{host} is half rebuilt: job {begun.job.partition('-')[0]} did not get to its end.",
            "Rebuild it again, which goes on there, or put its backup back.",
        )


def check_not_parked(found: Config, host: str) -> None:
    """Raise JobFailed where *found* is kept off until it is destroyed: what is started again would be destroyed as well."""
    if since := parked_since(found.get("description")):
        raise JobFailed(
            f"{host} is parked since {since:%Y-%m-%d %H:%M} UTC, to be destroyed.",
            "It is not started like this; create it again, which takes it back.",
        )


def template_for(work: Maker, named: str = "") -> GuestLine:
    """The newest template of the machine's own node, or the one *named*. Raises JobFailed."""
    here = [guest for guest in work.proxmox.guests() if guest.node == work.proxmox.node]
    if named:
        found = [guest for guest in here if guest.is_template and guest.name == named]
        if len(found) != 1:
            raise JobFailed(
                f"The rebuild was begun from {named}, and that template is not there any more.",
                "Put the machine back from its backup, or make the template again.",
            )
        return found[0]
    try:
        return newest(here, work.machine.template)
    except NoTemplate as fault:
        raise JobFailed(str(fault)) from None


def turned_off(work: Maker, timeout: int, *, force: bool) -> None:
    """The guest is asked and gets *timeout* seconds; the plug is pulled only where *force* says so."""
    work.turn.step("Shut it down")
    if not work.runs():
        return
    told = False
    try:
        upid = work.proxmox.shutdown(work.vmid, timeout=timeout, force=force)
        work.finish(upid, timeout + TASK_LIMIT)
        told = True
    except Unanswered as lost:
        work.turn.event("warning", f"{lost} Looking how it is.")
    except TaskFailed as fault:
        raise JobFailed(
            f"{work.machine.host} did not shut down within {timeout} s ({fault.status}).",
            "It runs on. Give it longer (timeout), or allow the plug to be pulled after that (force).",
        ) from fault
    work.becomes("stopped", told=told, within=timeout)


@dataclass
class Remaker:
    """Steps on *work*, the machine, and on the spare beside it. Each looks, acts if needed, and looks again."""

    work: Maker
    spare: Spare

    # --- before anything is taken away ---

    def prepare(self, template: GuestLine, stays: Mapping[str, str]) -> Config:
        """A spare that is a whole clone of *template*; its configuration. Nothing of the machine is touched."""
        found = self.spare.settled()
        if found is not None and not self._is_whole(found, template):
            self.work.turn.step("Remove an older spare")
            self.spare.remove()
            found = None
        if found is None:
            spare = self.spare.of(template.name)
            spare.clone(template)
            found = spare.existing()
        self.spare.free(found)
        self._check_slots(found, stays)
        return found

    def _is_whole(self, found: Config, template: GuestLine) -> bool:
        """A clone of *template* that has every disk of it."""
        theirs = rebuilding.drives(self.work.proxmox.config(template.vmid))
        named = rebuilding.template_in(found.get("description")) == template.name
        return named and set(rebuilding.drives(found)) == set(theirs)

    def _check_slots(self, spare: Config, stays: Mapping[str, str]) -> None:
        brought = rebuilding.drives(spare)
        if clash := sorted(set(brought) & set(stays)):
            raise JobFailed(
                f"The template brings a disk as {', '.join(clash)}, where {self.work.machine.host} has one that stays.",
                "Nothing was stopped. Move that disk to another slot, or rebuild the template.",
            )
        found, key = self.work.existing(), rebuilding.cloudinit_key(spare)
        if key in found.values and not rebuilding.cloudinit_key(found):
            raise JobFailed(
                f"{self.work.machine.host} has no cloud-init drive, and {key}, where its template has one, is taken.",
                f"Nothing was stopped. Free {key} on its hypervisor.",
            )
        if not brought:
            raise JobFailed(
                f"The clone of {self.work.machine.template} has no disk.", "Look at its template."
            )

    def begin(self, rebuild: Rebuild) -> Config:
        """Write into the machine what goes; from now on it is half done until ``end``."""
        self.work.turn.step("Note what is exchanged")
        return self._describe(
            lambda text: rebuilding.beginning(text, rebuild),
            lambda found: rebuilding.begun(found.get("description")) == rebuild and not found.onboot,
            onboot="0",
        )

    # --- half done ---

    def exchange(self, rebuild: Rebuild) -> None:
        """The old disks out, the spare's in. The old ones stay, attached to nothing."""
        self.work.turn.step("Take the old disk out")
        self._check_off(rebuild)
        self._take_out(rebuild.old)
        self.work.turn.step("Put the new disk in")
        found = self.spare.settled()
        if found is not None:
            self.spare.check_ours(found)
            self._build_as(found)
            for key in rebuilding.drives(found):
                self._move(key)
        self._order(rebuild.boot)

    def lacks_spare(self, rebuild: Rebuild) -> bool:
        """Whether there is no new disk, neither in the machine nor in a spare: a node died while it was moved."""
        inside = rebuilding.drives(self.work.existing())
        if any(key in rebuild.boot and volume not in rebuild.old for key, volume in inside.items()):
            return False
        found = self.spare.settled()
        return found is None or not rebuilding.drives(found)

    def _check_off(self, rebuild: Rebuild) -> None:
        inside = rebuilding.drives(self.work.existing())
        if set(inside.values()) & set(rebuild.old) and self.work.runs():
            raise JobFailed(
                f"{self.work.machine.host} runs on its old disk: somebody started it after it was stopped for this.",
                "What it wrote since is in no backup. Stop it, then run this again; or put its backup back.",
            )

    def _take_out(self, old: Iterable[str]) -> None:
        gone = frozenset(old)

        def left(found: Config) -> list[str]:
            return [key for key, volume in _drives(found) if volume in gone]

        self._set(lambda found: ({}, left(found)), lambda found: not left(found), "the old disk to be out")

    def _build_as(self, spare: Config) -> None:
        """Firmware, chipset and the like; and a cloud-init drive, where the template has one and the machine none."""
        self._set(
            lambda found: rebuilding.hardware(spare, found),
            lambda found: rebuilding.hardware(spare, found) == ({}, ()),
            "the machine to be built as its template",
        )
        found, key = self.work.existing(), rebuilding.cloudinit_key(spare)
        if key and not rebuilding.cloudinit_key(found):
            drive = f"{self.work.machine.storage}:cloudinit"
            self.work.task(
                lambda: self.work.proxmox.add_disk(self.work.vmid, key, drive, digest=found.digest), "add it"
            )

    def _move(self, key: str) -> None:
        """One disk of the spare into the same slot of the machine."""
        if key in rebuilding.drives(self.work.existing()):
            raise JobFailed(
                f"{key} of {self.work.machine.host} is taken by another disk by now.",
                "Somebody attached it meanwhile: take it out, then run this again.",
            )
        self.work.task(
            lambda: self.work.proxmox.move_disk(self.spare.vmid, key, to=self.work.vmid, key=key),
            f"move {key}",
        )
        if key not in rebuilding.drives(self.work.existing()):
            raise JobFailed(
                f"{key} of the spare {self.spare.vmid} did not arrive.", "Run this again.", retryable=True
            )

    def _order(self, boot: tuple[str, ...]) -> None:
        def wanted(found: Config) -> str:
            return "order=" + ";".join(device for device in boot if device in found.values)

        self._set(
            lambda found: ({"boot": wanted(found)}, ()),
            lambda found: found.get("boot") == wanted(found),
            "the boot order to be set",
        )

    # --- once it answers ---

    def end(self, rebuild: Rebuild) -> None:
        """The old volumes and the spare go, then the line that named them."""
        self.drop(rebuild.old)
        self.work.turn.step("Remove the spare")
        self.spare.remove()
        self.work.turn.step("Note that it is rebuilt")
        self._describe(
            lambda text: rebuilding.ending(text, rebuild),
            lambda found: rebuilding.begun(found.get("description")) is None,
        )

    def drop(self, volumes: Iterable[str]) -> None:
        """Remove those of *volumes* that lie unused in the machine; none that is attached."""
        self.work.turn.step("Remove the old disks")
        gone = frozenset(volumes)

        def left(found: Config) -> list[str]:
            return [key for key, volume in rebuilding.unused(found).items() if volume in gone]

        self._set(lambda found: ({}, left(found)), lambda found: not left(found), "the old disks to be gone")

    # --- put back from a backup ---

    def forget(self) -> Config:
        """Neither parked nor half rebuilt any more, whatever it was when its backup was made."""
        return self._describe(
            lambda text: rebuilding.given_up(unparked(text)),
            lambda found: (
                not (parked_since(found.get("description")) or rebuilding.begun(found.get("description")))
            ),
        )

    # --- below ---

    def _describe(self, text: Callable[[str], str], done: Callable[[Config], bool], **more: str) -> Config:
        return self._set(
            lambda found: ({"description": text(found.get("description")), **more}, ()),
            done,
            "its description to be set",
        )

    def _set(
        self,
        changes: Callable[[Config], tuple[Mapping[str, str], Iterable[str]]],
        done: Callable[[Config], bool],
        what: str,
    ) -> Config:
        """Set what *changes* says of the configuration as it is, with its digest, until *done* says so of it."""
        for _ in range(TRIES):
            found = self.work.existing()
            if done(found):
                return found
            sets, deletes = changes(found)
            try:
                self.work.proxmox.configure(self.work.vmid, sets, delete=deletes, digest=found.digest)
            except Changed:
                self.work.turn.event("warning", "Somebody changed it at this moment; reading anew.")
            except Unanswered as lost:
                self.work.turn.event("warning", f"{lost} Reading back what is there.")
        found = self.work.existing()
        if not done(found):
            raise JobFailed(f"Waited for {what}, in vain.", "Run this again.", retryable=True)
        return found


def _drives(found: Config) -> list[tuple[str, str]]:
    return list(rebuilding.drives(found).items())


def remaker_of(work: Maker) -> Remaker:
    return Remaker(work, spare_for(work))
