"""Pages of findings about hypervisors, what runs on them, and how machines are reached."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "hypervisor-unusable": Page(
        title="A virtual machine runs on what is no hypervisor in use.",
        severity="error",
        what="The hypervisor of a virtual machine is retired, or is not of form hv.",
        why="Nothing can be done with the machine from here, and what it shares its fate with is unknown.",
        todo="Name the hypervisor that it runs on now.",
    ),
    "hypervisor-without-credentials": Page(
        title="A hypervisor has no credentials for its API.",
        severity="warning; info when its Ansible variables look like them",
        what=(
            "A host of form hv has no API token id, or no reference to the token's secret. Variables of "
            "Ansible are named as a hint: an import takes a token id that stands in plain, and of a secret "
            "the name of the sealed variable; anything else it leaves to you."
        ),
        why=(
            "Without them the hypervisor cannot be surveyed, so no VMID can be handed out safely, and "
            "nothing can be made there."
        ),
        todo=(
            "Create a token on the hypervisor and declare its id, and a reference to its secret: env:NAME, "
            "file:/path of a file that only the server's user may read, or vault:VARIABLE or unlock:NAME where "
            "its jobs shall wait for a person (docs/unlock.md)."
        ),
    ),
    "hypervisor-one-token": Page(
        title="A hypervisor has no token of its own for reading.",
        severity="info; warning when half of one is declared",
        what=(
            "A hypervisor has a token that writes, and none that only reads, or the same one twice. Half of a "
            "reading token, an id without a secret or a secret without an id, is never filled up from the other. "
            "Or its secret is locked (vault:, unlock:): every survey waits until a person unlocks it."
        ),
        why=(
            "Surveys and checks run often and without anybody watching. With the writing token each of them "
            "holds what it takes to destroy every machine of the node."
        ),
        todo=(
            "Create a second token that may only look (docs/proxmox.md has the commands), and declare its id "
            "and a reference to its secret as the reading token."
        ),
    ),
    "machine-implausible": Page(
        title="A machine is specified with an odd amount of memory or cores.",
        severity="warning",
        what="Memory is below 256 MiB or above 1 TiB, or there are more than 128 cores.",
        why="Memory is counted in MiB; who writes 4 and means GiB gets a machine that never starts.",
        todo="Correct it, or lower this finding if it is meant.",
    ),
    "machine-of-other-form": Page(
        title="A host that is no virtual machine has a machine specification.",
        severity="warning",
        what="A host has a machine specification, and its form is not vm.",
        why="Nothing is made from it; either the form is wrong, or the specification is a leftover.",
        todo="Set its form to vm, or take the specification away.",
    ),
    "machine-pxe-without-rng": Page(
        title="A machine boots from the network without a random number device.",
        severity="error",
        what="A machine specification says pxe, which is UEFI (OVMF), and switches off the VirtIO RNG.",
        why="Such a guest never sends a DHCP packet, and its installation fails minutes later without a word.",
        todo="Switch the random number device on.",
    ),
    "machine-unspecified": Page(
        title="A virtual machine has no specification.",
        severity="info",
        what="A host of form vm says neither cores nor memory, disks or template.",
        why="It cannot be made from here, nor made again when it breaks.",
        todo="Declare what it is made from on its page, in a table of machines or in the site document.",
    ),
    "machine-without-template": Page(
        title="A machine is to be cloned, and no template is named.",
        severity="info",
        what="A machine specification says cloud-init and names no template.",
        why="There is nothing that it could be made from.",
        todo="Write how the template's name begins; of several the newest by version is taken.",
    ),
    "management-on-tenant-hypervisor": Page(
        title="A machine of the management plane runs on a tenants' hypervisor.",
        severity="warning",
        what="A virtual machine of the management plane is on a hypervisor of the tenant plane.",
        why="Tenants and what carries them may be destroyed at any time.",
        todo="Move it to a hypervisor of the management plane.",
    ),
    "switch-port-twice": Page(
        title="Two hosts name one switch port.",
        severity="warning",
        what=(
            "Interfaces of two hosts are declared on one port of one switch. VLANs of one host, and virtual"
            " machines behind a hypervisor, are left out."
        ),
        why="One cable is in a port, so one of the two is wrong, and somebody will pull the wrong cable.",
        todo="Look where the cables are, and correct the other machine.",
    ),
    "tenant-in-management-segment": Page(
        title="A tenant's machine has a card in the management plane.",
        severity="warning; error while the machine is yet to be made",
        what=(
            "A virtual machine of the tenant plane has an interface in a segment whose trust is management or, where no "
            "trust is declared, that is named management."
        ),
        why="What tenants do must not reach the plane that repairs them; such a machine is not made.",
        todo="Put the interface into a segment of the tenant's, or declare the plane that the machine belongs to.",
    ),
    "tenant-on-management-hypervisor": Page(
        title="A tenant's machine runs on a hypervisor of the management plane.",
        severity="warning; error while the machine is yet to be made",
        what=(
            "A virtual machine of the tenant plane is on a hypervisor of the management plane, or such a "
            "hypervisor itself carries a tenant's service."
        ),
        why="What tenants do, and what breaks them, must not reach the plane that repairs them.",
        todo="Move it to the tenants' hypervisor.",
    ),
    "wol-without-mac": Page(
        title="A machine shall be woken over the network, and its MAC is unknown.",
        severity="warning",
        what="An interface is declared with Wake-on-LAN and has no MAC.",
        why="The call that wakes a machine is made of its MAC.",
        todo="Read the MAC off the machine, its label or the switch's table.",
    ),
}
