"""What a project and a job template are in a Snapshot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from inventory.automating.prompts import Prompt


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """Where playbooks come from: a directory of the machine that runs them, or a git repository at a ref."""

    name: str
    source: Literal["directory", "git"] = "directory"
    #: an absolute path, or an address as git understands it
    location: str = ""
    #: branch, tag or commit of a git repository; empty: its default branch
    ref: str = ""
    #: reference to the SSH key that a git repository is read with; empty: none
    key: str = ""
    #: absolute path of collections that are there already, for machines without the internet
    collections: str = ""
    #: container image that its playbooks run in; empty: the local virtual environment
    image: str = ""


@dataclass(frozen=True, slots=True)
class JobTemplateFacts:
    """A playbook of a project with all that one run of it is given."""

    name: str
    project: str
    playbook: str
    #: which hosts, as ``ansible-playbook --limit`` understands it; empty: all that the playbook names
    limit: str = ""
    #: a run without a limit is refused
    limit_required: bool = False
    tags: str = ""
    skip_tags: str = ""
    check: bool = False
    diff: bool = False
    forks: int = 5
    verbosity: int = 0
    extra_vars: Mapping[str, Any] = field(default_factory=dict)
    prompts: tuple[Prompt, ...] = ()
    #: (vault id, reference) of each vault password, such as ("default", "unlock:vault"); sorted
    vault_secrets: tuple[tuple[str, str], ...] = ()
    #: reference to the SSH key that hosts are entered with; empty: what the machine has
    ssh_key: str = ""
    remote_user: str = ""
    time_limit_minutes: int = 60
