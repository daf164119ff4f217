"""Ansible: ``run`` a playbook, say which hosts its ``plays`` would touch, ``end_strays`` of a run that broke off,
``end_orphans`` of all those that nobody takes up again.

Nothing else knows ansible-runner. Whatever happens happens in a child process of its own (``child.py``).
"""

from provisioning.adapters.ansible.events import plain
from provisioning.adapters.ansible.installed import image_id, versions
from provisioning.adapters.ansible.running import plays, run
from provisioning.adapters.ansible.strays import end_orphans, end_strays
from provisioning.adapters.ansible.values import AnsibleFault, Event, Launch, Play, Result

__all__ = [
    "AnsibleFault", "Event", "Launch", "Play", "Result", "end_orphans", "end_strays", "image_id", "plain",
    "plays", "run", "versions",
]  # fmt: skip
