"""Switches a machine of ours on. One whose card is not the declared one is never started, and kept off."""

from __future__ import annotations

from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed
from provisioning.machines.comparing import addresses_of, compare
from provisioning.steps import reaching
from provisioning.steps.watching import Watcher, compare_grave


class Switch(Watcher):
    """Steps that start the machine and wait for it."""

    def start(self) -> None:
        """Unless it runs already, and then as declared: what only waits for a power cycle is not what it runs with."""
        self.turn.step("Start it")
        if compare_grave(self.machine, self.existing()):
            raise JobFailed(
                f"{self.machine.host} changed after it was read back.", "It was not started; run this again."
            )
        if self.runs():
            self.check_running()
            return
        self.becomes("running", told=self.task(lambda: self.proxmox.start(self.vmid), "start"))

    def check_running(self, *, absent: bool = True) -> None:
        """JobFailed where the machine, which runs, has another card than declared; not *absent*: one may be missing."""
        found = self.proxmox.config(self.vmid, pending=True).running
        self._check_readable(found)
        differences = compare(self.machine.spec, found)
        if grave := [str(one) for one in differences if one.grave and (absent or one.found)]:
            raise JobFailed(
                f"{self.machine.host} runs with another card than is declared: {'; '.join(grave)}.",
                "Stop it (power), then run this again.",
            )

    def answers(self) -> tuple[str, ...]:
        """What the guest holds on the declared card; fails unless that is the reserved address.

        Then SSH, where it may be looked for; see ``reaching``.
        """
        held = self._held()
        reaching.look(self.turn, self.machine.host, held, self.machine.address, self.patience.pause)
        return held

    def _held(self) -> tuple[str, ...]:
        self.turn.step("Wait for the guest")
        spec, wanted = self.machine.spec, self.machine.address
        if not spec.agent:
            self.turn.event(
                "warning", "No guest agent is declared: whether it holds its address was not seen."
            )
            return ()
        seen: list[str] = []

        def holds() -> bool:
            seen[:] = addresses_of(self.proxmox.interfaces(self.vmid) or (), spec.mac)
            return bool(seen) if wanted is None else wanted in seen

        try:
            self.turn.wait(
                holds, timeout=self.patience.boot, pause=self.patience.pause, what="the guest's agent"
            )
        except JobFailed as fault:
            raise JobFailed(
                self._silence(seen), "Look at its console and at the DHCP server's leases."
            ) from fault
        return tuple(seen)

    def _silence(self, seen: list[str]) -> str:
        waited = f"{self.patience.boot:.0f} s after its start"
        if seen:
            return f"{waited} {self.machine.host} holds {', '.join(seen)} instead of {self.machine.address}."
        return f"{waited} no agent of {self.machine.host} told of an address on {self.machine.spec.mac}."

    def keep_off(self) -> None:
        """Its node does not start it any more, as far as that can be had: it is not what is declared."""
        try:
            found = self.existing()
            if not found.onboot:
                return
            self.proxmox.configure(self.vmid, {"onboot": "0"}, digest=found.digest)
            left = self.existing().onboot
        except (AdapterError, JobFailed) as fault:
            self.turn.event("error", f"Its node may start it at its next boot: {fault}")
            return
        if left:
            self.turn.event("error", "Its node may start it at its next boot: the API dropped onboot=0.")
        else:
            self.turn.event("warning", "It is not started with its node any more (onboot=0).")
