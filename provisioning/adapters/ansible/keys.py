"""The ssh-agent of a run: a key goes from memory into it, and into no file."""

from __future__ import annotations

from pathlib import Path

from provisioning.adapters.ansible.processes import MARKER
from provisioning.adapters.ansible.surroundings import clean
from provisioning.adapters.ansible.values import AnsibleFault
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import NotInstalled
from provisioning.adapters.ssh_agent import Agent, BadKey

#: their inputs stay open for as long as this process lives: ssh-agent is set-group-ID, so that the kernel neither tells
#: it of its parent's death nor lets others see which run it belongs to
_held: list[Agent] = []


def start_agent(path: Path, key: str, marker: str) -> None:
    """An agent listening at *path* that holds *key*; it ends with this process, and what started it carries *marker*."""
    try:
        agent = Agent(path, environment={**clean(), MARKER: marker})
        _held.append(agent)
        agent.add(key)
    except NotInstalled:
        raise AnsibleFault(
            "A run with an SSH key needs ssh-agent and ssh-add, and they are not installed.",
            way_out="Install openssh-client, then run this again.",
        ) from None
    except BadKey as refused:  # what ssh-add says may hold the key's comment
        raise AnsibleFault(
            f"The SSH key of this run cannot be used: {refused.sentence}", way_out=refused.way_out
        ) from None
    except AdapterError as fault:
        raise AnsibleFault(fault.sentence, retryable=fault.retryable) from None
