"""What a viewer, an operator and an administrator may do: the table, without a database. Pure.

A level holds Django permissions (``inventory.view_host``). The same table fills the user groups that the migrations make
(for every site) and answers for a :class:`~inventory.models.Grant` (for one site, or all).
"""

from __future__ import annotations

VIEWER, OPERATOR, ADMINISTRATOR = "viewer", "operator", "administrator"
LEVELS = (VIEWER, OPERATOR, ADMINISTRATOR)

#: What everybody sees who may see a site at all.
SEEN = (
    "site", "segment", "host", "interface", "service", "alias", "role", "authority", "severityoverride", "group",
    "workloadprofile", "membership", "nesting", "hypervisor", "virtualmachine", "identity", "change", "rendering",
    "consumer", "schedule", "project", "jobtemplate", "emergencyuse", "kitplace",
    "hostneed",
)  # fmt: skip

#: What daily work declares and changes.
WORKED_ON = (
    "segment", "host", "interface", "service", "alias", "role", "severityoverride", "group", "workloadprofile",
    "membership", "nesting", "virtualmachine", "schedule", "emergencyuse", "hostneed",
)  # fmt: skip

#: What daily work takes away: parts and links. Whole hosts are retired, not deleted.
TAKEN_AWAY = (
    "interface",
    "service",
    "alias",
    "severityoverride",
    "membership",
    "nesting",
    "virtualmachine",
    "schedule",
    "hostneed",
)

#: What decides over others: whole sites, who serves, who comes in, where a hypervisor's token and the kits are sent, which
#: code runs with which secrets, what is given up for good.
DECIDED = (
    "add_site", "change_site", "delete_site", "promote_site", "add_authority", "change_identity", "delete_segment",
    "delete_host", "delete_role", "delete_group", "delete_workloadprofile", "add_hypervisor", "change_hypervisor",
    "delete_hypervisor", "view_token", "add_token", "change_token", "delete_token", "delete_consumer", "view_grant",
    "add_grant", "change_grant", "delete_grant", "add_project", "change_project", "delete_project", "add_jobtemplate",
    "change_jobtemplate", "delete_jobtemplate", "delete_emergencyuse", "add_kitplace", "change_kitplace",
    "delete_kitplace",
)  # fmt: skip

#: Of what happens, in an application that this one does not know: who sees jobs, and who starts, confirms and cancels.
JOBS_SEEN = ("provisioning.view_job", "provisioning.view_driftfinding")
JOBS_RUN = (
    "provisioning.run_job",
    "provisioning.confirm_job",
    "provisioning.cancel_job",
    "provisioning.unlock",
    "provisioning.decide_drift",
    # output of a run tells more of a host than its declaration does
    "provisioning.view_run",
)

#: What decides over others there: VMIDs are handed out afterwards without looking at a hypervisor that may still run.
JOBS_DECIDED = ("provisioning.declare_lost",)

#: What nobody has by a level at one site: a new site is none of those there are.
ONLY_EVERYWHERE = frozenset({"inventory.add_site"})


def permissions_of(level: str) -> frozenset[str]:
    """The permissions of *level* as Django writes them, with the application. Nothing for an unknown one."""
    if level not in LEVELS:
        return frozenset()
    names = {f"view_{noun}" for noun in SEEN}
    if level != VIEWER:
        names |= {f"{verb}_{noun}" for verb in ("add", "change") for noun in WORKED_ON}
        names |= {f"delete_{noun}" for noun in TAKEN_AWAY}
    if level == ADMINISTRATOR:
        names |= set(DECIDED)
    jobs = {*JOBS_SEEN} if level == VIEWER else {*JOBS_SEEN, *JOBS_RUN}
    if level == ADMINISTRATOR:
        jobs |= set(JOBS_DECIDED)
    return frozenset(f"inventory.{name}" for name in names) | jobs


#: What a token's scope may, as a level. ``provision`` is to start jobs as well; of what is declared it may the same.
LEVEL_OF_SCOPE = {"read": VIEWER, "write": OPERATOR, "provision": OPERATOR}


def permissions_of_scope(scope: str) -> frozenset[str]:
    """The permissions of a token of *scope*. Nothing for an unknown one."""
    granted = permissions_of(LEVEL_OF_SCOPE.get(scope, ""))
    return granted if scope == "provision" else granted - frozenset(JOBS_RUN)
