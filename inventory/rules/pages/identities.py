"""Pages of findings about identities: what a host is, and whether anybody else is it too."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "identity-disputed": Page(
        title="Two hosts claim one MAC, address, VMID or name.",
        severity="error",
        what=(
            "Two live hosts of the site claim the same MAC address, IP address, VMID or name (a host's own,"
            " an interface's or a service's). It is rendered for neither: no reservation, no record, and no"
            " pool address in its place."
        ),
        why=(
            "Which of them is right is not written down anywhere. Serving one of them would be a guess, and"
            " the wrong guess sends traffic, or a new system, to the wrong machine. The interfaces of one "
            "host may share an identity (bridges, VLANs, bonds); that is no dispute."
        ),
        todo=(
            "Leave the identity with one host and take it from the others, or retire the machine that is "
            "gone."
        ),
    ),
    "identity-hidden": Page(
        title="A variable of another meaning keeps facts of a host out of the Ansible inventory.",
        severity="warning",
        what=(
            "Somebody declared here what the variables env or infrastructure would say of a host, but the "
            "imported tree used that name for something else, as one template, or sealed. The inventory "
            "keeps the variable as it was."
        ),
        why=(
            "DHCP and DNS follow the facts and Ansible does not see them, so playbooks and servers may "
            "disagree about the host."
        ),
        todo="Remove the variable from the host, or import with a mapping of the noun to another name.",
    ),
    "identity-jinja": Page(
        title="A field of a host's identity holds Jinja that only Ansible could evaluate.",
        severity="error",
        what=(
            "A form, role, MAC, address, segment, flag or service name holds a template. The field counts "
            "as empty, and the inventory renders the template as it was written."
        ),
        why=(
            "Templates are never evaluated here, with one exception: a single reference to one of the "
            "host's own variables, with or without a default. What is not known here cannot be reserved, "
            "recorded or kept apart from other hosts."
        ),
        todo="Write the value itself, or move it into a variable of the host that the field refers to.",
    ),
    "identity-unreadable": Page(
        title="A field of a host's identity is not what it should be.",
        severity="error",
        what=(
            "A field cannot be read: a MAC without quotes that YAML took for a number, an address that is "
            "none, a VLAN id that is too large, a value sealed in a vault. It counts as empty, and the "
            "inventory renders it as it was written."
        ),
        why=(
            "A machine whose identity cannot be read is neither served nor protected from another one with "
            "the same."
        ),
        todo="Correct the field.",
    ),
    "mac-names-another": Page(
        title="An assigned MAC names another role or VMID than its host has.",
        severity="warning",
        what=(
            "Read by the site's encoding, an assigned MAC gives another role or another VMID than the host "
            "is declared with."
        ),
        why="The encoding is there so that a MAC in a log names the machine. This one names a wrong one.",
        todo="Re-identify the interface, or correct the role or VMID of the host.",
    ),
    "mac-octets-missing": Page(
        title="A site with assigned MACs does not say which octets they begin with.",
        severity="info",
        what="Interfaces have assigned MACs, and the site declares no organisation or no environment octet.",
        why="Nobody can read what the MACs name, and none can be assigned.",
        todo="Declare the two octets of the site.",
    ),
    "mac-of-a-vendor": Page(
        title="An assigned MAC looks like a vendor's.",
        severity="warning",
        what=(
            "A MAC that is declared as assigned is not locally administered: the second-lowest bit of its "
            "first octet is not set."
        ),
        why=(
            "A real card may have the same one, and two machines on one link with one MAC lose packets at "
            "random."
        ),
        todo="Set it to observed if it was read off hardware; else assign another one.",
    ),
    "mac-of-another-site": Page(
        title="Assigned MACs are not of this site's encoding.",
        severity="info",
        what=(
            "MACs that are declared as assigned are locally administered, and are not what this site's "
            "octets and encoding make."
        ),
        why="They work, but nobody can read off them what they name. Told once a site.",
        todo="Re-identify the machines when they are rebuilt, or set MACs that others made to observed.",
    ),
    "name-off-pattern": Page(
        title="A host's name departs from the site's naming pattern.",
        severity="warning",
        what=(
            "The site declares a naming pattern, and the name of the host does not follow it, or says "
            "another form or role than the host is declared with."
        ),
        why=(
            "People and tools read form, role and number off a name. A name from before the standard is no "
            "fault of the machine, but nobody should have to know which names to read how."
        ),
        todo=(
            "Rename the host when it is rebuilt. Names that stay for now can be lowered with a reason and a"
            " day."
        ),
    ),
    "naming-unusable": Page(
        title="The site's naming pattern cannot be used.",
        severity="error",
        what="The naming pattern of the site is not one that can be read.",
        why="No name is judged by it, and none can be handed out.",
        todo="Correct the pattern; docs/naming.md describes it.",
    ),
    "quarantine-long": Page(
        title="Identities are in quarantine for more than 180 days.",
        severity="info",
        what="Identities of hosts that left long ago are still withheld.",
        why="What is withheld cannot be handed out, and an address range can run full of what nobody has.",
        todo="See that nothing is keyed on them any more (leases, boot files, records), then free them.",
    ),
    "quarantine-passed": Page(
        title="Identities whose quarantine has passed are still withheld.",
        severity="info",
        what="The last day of a quarantine is over, and nobody released the identities.",
        why=(
            "Housekeeping releases them while the application runs. Where it did not, its worker may stand "
            "still."
        ),
        todo="See that the worker runs, or free the identities by hand.",
    ),
    "quarantined-in-use": Page(
        title="A host claims what is in quarantine under another host.",
        severity="warning",
        what="An imported host claims a MAC, address, VMID or name that another host gave up not long ago.",
        why=(
            "Reservations, leases, boot files and records of the former host may still carry it. A boot "
            "file keyed on a recycled MAC once reinstalled the wrong machine."
        ),
        todo="Remove what was keyed on it for the former host, then free the identity from quarantine.",
    ),
    "role-without-code": Page(
        title="A role has no RR code, and hosts with assigned MACs.",
        severity="warning",
        what="The site's MACs name roles, and a role of hosts with assigned MACs has no code.",
        why="No MAC can be made or read for the role.",
        todo="Give the role two hex digits in the registry of roles.",
    ),
    "vmid-missing": Page(
        title="A virtual machine has no VMID at a site whose MACs are made from it.",
        severity="warning",
        what="The MAC encoding of the site is vmid, and a virtual machine has no VMID.",
        why="No MAC can be assigned to it, and its number may be given to another machine.",
        todo="Declare the VMID that it has, or have one allocated.",
    ),
    "vmid-outside-range": Page(
        title="A VMID lies outside the site's range.",
        severity="warning",
        what="A host has a VMID outside the range that the site declares.",
        why=(
            "The range keeps sites and tools apart: another site, or another tool, may hand out the same "
            "number."
        ),
        todo="Give the machine a VMID of the range when it is rebuilt, or widen the range.",
    ),
}
