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
            "Ansible are named as a hint and never read as credentials: which of them is meant, and for "
            "which user, is not written in them."
        ),
        why=(
            "Without them the hypervisor cannot be surveyed, so no VMID can be handed out safely, and "
            "nothing can be made there."
        ),
        todo=(
            "Create a token on the hypervisor and declare its id, and a reference to its secret (env:, "
            "file: or vault:)."
        ),
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
    "tenant-on-management-hypervisor": Page(
        title="A tenant's machine runs on a hypervisor of the management plane.",
        severity="warning",
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
