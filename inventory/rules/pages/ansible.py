"""Pages of findings about what an imported Ansible tree says."""

from inventory.rules.page import Page

PAGES: dict[str, Page] = {
    "group-empty": Page(
        title="Nobody is in a group, its children included.",
        severity="info",
        what=(
            "A group has no host that is in use, and neither has any group below it. Told for the outermost"
            " one."
        ),
        why="Plays for it do nothing and say so at best in a line that nobody reads.",
        todo="Put hosts into it, or remove it from the inventory.",
    ),
    "host-named-as-group": Page(
        title="A host has the name of a group, which inventory scripts cannot express.",
        severity="error",
        what=(
            "A host and a group have one name. The variables of the host are left out of the format "
            "ansible; ansible-tree has them."
        ),
        why=(
            "Ansible gives what an inventory script says of the host to the group. Where the group holds "
            "this one host only and it comes to the same, they are rendered and there is no finding."
        ),
        todo="Rename one of them.",
    ),
    "variable-pinned": Page(
        title="A variable of a group is repeated on a host, to resolve as in the imported tree.",
        severity="info",
        what=(
            "The imported tree writes a variable of a group in several places (inline in the hosts file, "
            "and in group_vars), and the host repeats the value that it resolves to."
        ),
        why=(
            "Ansible puts the inline variables of all groups below all files; the one set of variables that"
            " a group has here cannot say that. A change of the group's variable does not reach this host."
        ),
        todo="Write the variable in one place and import again.",
    ),
    "vault-sealed": Page(
        title="A wholly vaulted file was imported without its password.",
        severity="warning",
        what=(
            "A file that is vaulted as a whole was imported without its password. It is kept as it is for "
            "ansible-tree; the format ansible lacks its variables."
        ),
        why=(
            "Nobody here can tell which variables it holds, so playbooks that read the served inventory "
            "miss them."
        ),
        todo="Import again with --vault-password-file.",
    ),
}
