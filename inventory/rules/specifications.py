"""Machine specifications: whether a machine can be made from what is declared, and would start."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.findings import Finding
from inventory.snapshot import HostFacts, MachineFacts

#: Below and above lies what people write in GiB, or with a digit too many.
PLAUSIBLE_MEMORY = (256, 1_048_576)
MOST_CORES = 128


def findings(host: HostFacts) -> Iterator[Finding]:
    machine = host.machine
    if machine is None:
        if host.form == "vm":
            yield Finding(
                "machine-unspecified",
                "info",
                host.subject,
                "is a virtual machine without a specification: it cannot be made, or made again, from here.",
                "Declare its cores, memory, disks and template on its page.",
            )
        return
    if host.form != "vm":
        yield Finding(
            "machine-of-other-form",
            "warning",
            host.subject,
            f"has a machine specification, and is of form {host.form or 'unknown'}: nothing is made from it.",
            "Set its form to vm, or take the specification away.",
        )
        return
    yield from _implausible(host, machine)
    yield from _boot(host, machine)


def _implausible(host: HostFacts, machine: MachineFacts) -> Iterator[Finding]:
    low, high = PLAUSIBLE_MEMORY
    odd = []
    if not low <= machine.memory <= high:
        odd.append(f"{machine.memory} MiB of memory")
    if machine.cores > MOST_CORES:
        odd.append(f"{machine.cores} cores")
    if odd:
        yield Finding(
            "machine-implausible",
            "warning",
            host.subject,
            f"is specified with {' and '.join(odd)}.",
            "Memory is counted in MiB: 2 GiB are 2048. Correct it, or lower this finding if it is meant.",
        )


def _boot(host: HostFacts, machine: MachineFacts) -> Iterator[Finding]:
    if machine.boot == "pxe" and not machine.rng:
        yield Finding(
            "machine-pxe-without-rng",
            "error",
            host.subject,
            "boots from the network with UEFI, and has no random number device: it never asks for an address.",
            "Switch the random number device on in its specification.",
        )
    if machine.boot == "cloud-init" and not machine.template:
        yield Finding(
            "machine-without-template",
            "info",
            host.subject,
            "is to be a clone of a template, and no template is named: it cannot be made.",
            "Write how the template's name begins, such as debian-13-; or have it boot from the network.",
        )
