"""The kinds of jobs, all of them."""

from __future__ import annotations

from provisioning.kinds.adopting import Adopt
from provisioning.kinds.backing_up import BackUpApplication
from provisioning.kinds.base import LONG, SHORT, Asked, Kind
from provisioning.kinds.check_hypervisor import CheckHypervisor
from provisioning.kinds.create import CreateMachine
from provisioning.kinds.drilling import DrillBackup
from provisioning.kinds.ending import Destroy, Park
from provisioning.kinds.housekeeping import Housekeeping
from provisioning.kinds.installing import FinishInstall
from provisioning.kinds.keeping import Backup
from provisioning.kinds.kit_building import BuildKit
from provisioning.kinds.lost import DeclareLost
from provisioning.kinds.old_backups import DeleteBackups
from provisioning.kinds.power import Power
from provisioning.kinds.putting_back import Restore
from provisioning.kinds.rebuild import RebuildMachine
from provisioning.kinds.repairing import Repair
from provisioning.kinds.resize import Resize
from provisioning.kinds.retiring import RetireHost
from provisioning.kinds.run_playbook import RunPlaybook
from provisioning.kinds.snapshots import DeleteSnapshot, RollBack, TakeSnapshot
from provisioning.kinds.survey import SurveyHypervisors
from provisioning.kinds.switch_authority import SwitchAuthority
from provisioning.kinds.update_project import UpdateProject
from provisioning.kinds.waking import WakeHost

__all__ = ["LONG", "SHORT", "Asked", "Kind", "all_kinds", "find", "register"]

_KINDS: dict[str, Kind] = {}


def register(kind: type[Kind]) -> type[Kind]:
    """Make *kind* known; the list below does it for ours, tests for theirs."""
    if kind.name in _KINDS and type(_KINDS[kind.name]) is not kind:
        raise ValueError(f"two kinds of jobs are called {kind.name}")
    _KINDS[kind.name] = kind()
    return kind


def find(name: str) -> Kind | None:
    return _KINDS.get(name)


def meant(name: str) -> str:
    """The name of the kind that *name* is, or shortens without doubt: ``create`` is ``create_vm``; else *name*."""
    long = [known for known in _KINDS if known.startswith(f"{name}_")]
    return long[0] if name not in _KINDS and len(long) == 1 else name


def all_kinds() -> list[Kind]:
    return sorted(_KINDS.values(), key=lambda kind: kind.name)


for _kind in (
    Adopt,
    BackUpApplication,
    Backup,
    BuildKit,
    CheckHypervisor,
    CreateMachine,
    DeclareLost,
    DeleteBackups,
    DeleteSnapshot,
    Destroy,
    DrillBackup,
    FinishInstall,
    Housekeeping,
    Park,
    Power,
    RebuildMachine,
    Repair,
    Resize,
    Restore,
    RetireHost,
    RollBack,
    RunPlaybook,
    SurveyHypervisors,
    SwitchAuthority,
    TakeSnapshot,
    UpdateProject,
    WakeHost,
):
    register(_kind)
