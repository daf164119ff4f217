"""YAML 1.1 as Ansible reads it: a safe reader with positions, and a deterministic writer.

What goes in and out is what JSON can hold. Two Ansible tags become one-key dictionaries, the shape
that ``ansible-inventory --list`` prints: ``!vault`` is ``{"__ansible_vault": ciphertext}`` and
``!unsafe`` is ``{"__ansible_unsafe": text}``.
"""

from inventory.yaml11.problems import VAULT, Positions, YamlProblem
from inventory.yaml11.reading import read
from inventory.yaml11.writing import Flow, dump

__all__ = ["VAULT", "Flow", "Positions", "YamlProblem", "dump", "read"]
