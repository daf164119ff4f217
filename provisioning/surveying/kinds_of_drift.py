"""Every kind of drift in words: what it means, and the way out. Pure; ``docs/drift.md`` has one paragraph for each."""

from __future__ import annotations

from dataclasses import dataclass, field

#: how a finding stands; *open* asks for a decision
OPEN, UNKNOWN, LOST, IGNORED, ACCEPTED, CLOSED = "open", "unknown", "lost", "ignored", "accepted", "closed"
STANDINGS = {
    OPEN: "Seen by the newest survey, and nobody has decided about it.",
    UNKNOWN: "The newest survey of its hypervisor failed: whether it is still so is not known.",
    LOST: "Its hypervisor is declared lost: it will not be looked at again.",
    IGNORED: "Somebody lives with it until a day; it comes back by itself.",
    ACCEPTED: "Known, and nobody declares it; it comes back when it changes.",
    CLOSED: "A later survey saw it gone, or it is not declared any more.",
}


#: how a finding about a parked machine begins
PARKED = "parked"


@dataclass(frozen=True)
class KindOfDrift:
    name: str
    title: str
    meaning: str
    way_out: str
    #: the kinds of job that mend it, with parameters besides the host; those that do not exist are not offered
    jobs: tuple[tuple[str, dict[str, str]], ...] = field(default=())
    #: the same of a machine that is parked, where that is another
    parked: tuple[tuple[str, dict[str, str]], ...] = field(default=())

    def jobs_for(self, found: str) -> tuple[tuple[str, dict[str, str]], ...]:
        """The jobs for what was *found*: what is parked is not started, but taken back or destroyed."""
        return self.parked if self.parked and found.startswith(PARKED) else self.jobs


_REPAIR: tuple[tuple[str, dict[str, str]], ...] = (("repair_vm", {}),)

KINDS = {
    kind.name: kind
    for kind in (
        KindOfDrift(
            "missing",
            "missing",
            "The hypervisor was read completely, and the declared machine is not on it.",
            "Create it: identity and declaration are there. If it is not to exist, retire the host.",
            (("create_vm", {}),),
        ),
        KindOfDrift(
            "undeclared",
            "undeclared",
            "A guest that no host declares. Its MACs are shown: an address that it takes is an address of the site.",
            "Declare it (a host with its hypervisor and VMID), remove it on its hypervisor, or accept it as known.",
            (("adopt_vm", {}),),
        ),
        KindOfDrift(
            "spare",
            "spare left",
            "The clone beside a machine of ours that a rebuild of it left. It is marked as ours, and never started.",
            "The next rebuild of the machine takes it or removes it. Nothing is rebuilt just for that: it holds nothing of "
            "the machine, and may be removed on its hypervisor by hand; or it goes when the machine is destroyed.",
            (("rebuild_vm", {}),),
        ),
        KindOfDrift(
            "mac",
            "wrong MAC",
            "The card has another MAC than declared, often one that the hypervisor made up: it gets no reserved address.",
            "Stop the machine: one with another MAC does not run. Then repair it, and start it.",
            (("power", {"action": "stop"}), *_REPAIR),
        ),
        KindOfDrift(
            "tag",
            "VLAN tag",
            "The card is in another VLAN than the segment of its interface, or has trunks to VLANs of which no interface is "
            "declared upon it (eth0.20).",
            "Repair it; or, where it belongs there, move its interface to that segment.",
            _REPAIR,
        ),
        KindOfDrift(
            "bridge",
            "bridge",
            "The card is on another bridge than declared.",
            "Repair it, or take the bridge as declared.",
            _REPAIR,
        ),
        KindOfDrift(
            "size",
            "size",
            "Cores, memory, type of processor or the size of a disk are other than declared.",
            "Resize it, which only grows; or take what was found as declared.",
            (("resize_vm", {}),),
        ),
        KindOfDrift(
            "disk",
            "disk missing",
            "A declared disk is not there.",
            "A data disk: create the machine again, which goes on with what is there and adds it. "
            "No OS disk: restore it from a backup.",
            (("create_vm", {}), ("restore_vm", {})),
        ),
        KindOfDrift(
            "onboot",
            "start at boot",
            "It starts with its node though it should not, or the other way round.",
            "Repair it, or take what was found as declared.",
            _REPAIR,
        ),
        KindOfDrift(
            "name",
            "name",
            "The guest is called otherwise on its hypervisor.",
            "Repair it; or rename the host, which shows what names it.",
            _REPAIR,
        ),
        KindOfDrift(
            "unmarked",
            "unmarked",
            "It lacks our marker or tag, or carries another's: no job touches it before that is clear.",
            "A lost tag is repaired. Without the marker look whose it is, then adopt it, or give the host another VMID.",
            (("adopt_vm", {}), *_REPAIR),
        ),
        KindOfDrift(
            "node",
            "other hypervisor",
            "It is on another hypervisor, or another node, than declared.",
            "Take the hypervisor as declared, or move it back by hand.",
        ),
        KindOfDrift(
            "stopped",
            "stopped",
            "Its host is active, and it does not run; or it is parked.",
            "Start it. What may be stopped is declared as standby or maintenance; what is parked is created "
            "again, or destroyed.",
            (("power", {"action": "start"}),),
            parked=(("create_vm", {}), ("destroy_vm", {})),
        ),
        KindOfDrift(
            "template",
            "template gone",
            "No template of the declared beginning is on its hypervisor, or two have one version: "
            "it cannot be made again.",
            "Put the template there, then survey again.",
            (("survey", {}),),
        ),
        KindOfDrift(
            "pending",
            "waits for a power cycle",
            "It is configured, and the running machine does not have it yet.",
            "Shut it down and start it; a reboot from within is not enough.",
            (("power", {"action": "shutdown"}),),
        ),
        KindOfDrift(
            "setting",
            "setting",
            "Another setting (start order, agent, cloud-init) is not as declared.",
            "Repair it, or change the declaration.",
            _REPAIR,
        ),
        KindOfDrift(
            "gathered_mac",
            "MAC that a run found",
            "A run gathered the interfaces of the host, and the declared MAC is on none of them.",
            "Look which card it is. Re-identify or correct the interface, or repair the machine; the next run tells.",
        ),
        KindOfDrift(
            "gathered_address",
            "address that a run found",
            "A run gathered the addresses of the host, and the declared one is not among them.",
            "Configure the host as declared, or correct the declaration; the next run that gathers facts tells.",
        ),
        KindOfDrift(
            "gathered_name",
            "name that a run found",
            "The host calls itself otherwise than it is declared.",
            "Set its name (the role base does), or rename the host; or the inventory leads to another machine.",
        ),
    )
}
