"""Reads an Ansible inventory tree statically, and resolves it as ``ansible-inventory`` would.

No part of the tree is ever executed, and nothing outside it is read. See read_tree().
"""

from inventory.importers.tree.model import Problem, Sealed, Secret, Tree, TreeGroup, TreeHost
from inventory.importers.tree.reading import read_tree

__all__ = ["Problem", "Sealed", "Secret", "Tree", "TreeGroup", "TreeHost", "read_tree"]
