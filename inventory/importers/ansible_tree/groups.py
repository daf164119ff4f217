"""Groups with their variables, and who is in them."""

from __future__ import annotations

from inventory.ansible.grouping import ALL, PROFILE_PREFIX, UNGROUPED
from inventory.importers.ansible_tree.site import Taken
from inventory.importers.ansible_tree.work import Work, out_of_order
from inventory.importers.tree import TreeGroup

#: An inventory script keeps the hosts' variables under this key, beside the groups.
META = "_meta"
GREATEST = 2**31 - 1  # of an integer column


def translate_groups(work: Work, taken: Taken) -> None:
    """Fill in groups, nestings and memberships. ``all`` is the site; ``ungrouped`` is computed."""
    ours = _profiles(work)
    for name, group in work.tree.groups.items():
        if name not in ours and work.fits("group", name):
            _group(work, group, taken[name])
    kept = work.draft.groups.keys()
    for name, group in work.tree.groups.items():
        if name in kept:
            work.draft.nestings |= {(name, child) for child in group.children if child in kept}
        if name in kept and name != UNGROUPED:
            work.draft.memberships |= {(name, host) for host in group.hosts}
    _order(work)


def _group(work: Work, group: TreeGroup, taken: set[str]) -> None:
    name = group.name
    plain = {key: value for key, value in work.merged[name].items() if key not in taken}
    variables = work.sealer.seal("group", name, plain)
    sealed = work.sealed.get(("group", name), {})
    if taken:
        work.written.setdefault("keys", {})[name] = list(work.merged[name])
    if late := work.late("group", name):
        work.written.setdefault("late", {})[name] = late
    if name == ALL:
        work.draft.site.update(variables=variables, sealed=sealed)
        return
    if name == UNGROUPED and not (work.merged[name] or sealed or group.children or group.priority != 1):
        return
    if name == META:
        message = "has a name that no inventory script can serve"
        work.complain("group", name, [], message, "rename the group", "error")
    if abs(group.priority) > GREATEST:
        message = f"has the priority {group.priority}, which is too large"
        work.complain("group", name, [], message, "write a smaller number", "error")
    work.draft.groups[name] = {"variables": variables, "priority": group.priority, "sealed": sealed}


def _profiles(work: Work) -> set[str]:
    """The groups that are workload profiles of this site, as its own ``ansible-tree`` writes them."""
    profiles = {PROFILE_PREFIX + profile.name for profile in work.stored.profiles} if work.stored else set()
    found = profiles & work.tree.groups.keys()
    for name in sorted(found):
        work.complain(
            "group",
            name,
            [],
            f"stands for the workload profile “{name.removeprefix(PROFILE_PREFIX)}”, which is left as it is",
            "edit the profile itself",
        )
    return found


def _order(work: Work) -> None:
    """Remember the order of hosts and children in each group: ``groups.web[0]`` depends on it."""
    groups = work.tree.groups
    hosts = out_of_order((name, group.hosts) for name, group in groups.items() if name != ALL)
    if groups[ALL].hosts:
        hosts[ALL] = groups[ALL].hosts
    below = {
        name: [child for child in group.children if child != UNGROUPED] for name, group in groups.items()
    }
    children = out_of_order(below.items())
    if any(groups[child].parents != [ALL] for child in below[ALL]):  # in all itself, and deeper
        children[ALL] = below[ALL]
    if hosts or children:
        work.written["order"] = {"hosts": hosts, "children": children}
