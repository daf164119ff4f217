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
}
