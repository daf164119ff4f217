"""Seals, value by value, what stood in files that were vaulted as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory import vault
from inventory.importers.tree import Secret
from inventory.snapshot import Snapshot


class Sealer:
    """Turns every Secret into vault ciphertext. A plaintext that is stored already keeps its old ciphertext.

    So importing twice changes nothing, though every encryption has a fresh salt.
    """

    def __init__(self, password: bytes | None, stored: Snapshot | None) -> None:
        self.password = password
        self.groups: dict[str, Mapping[str, Any]] = {}
        self.hosts: dict[str, Mapping[str, Any]] = {}
        if stored:
            self.groups = {"all": stored.site.variables, **{g.name: g.variables for g in stored.groups}}
            self.hosts = {host.name: host.variables for host in stored.hosts}

    def seal(self, kind: str, owner: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return *variables* of one group or host without any Secret."""
        before = (self.groups if kind == "group" else self.hosts).get(owner, {})
        return {key: self._sealed(value, before.get(key)) for key, value in variables.items()}

    def _sealed(self, value: Any, before: Any) -> Any:
        if isinstance(value, Secret):
            return {"__ansible_vault": self._ciphertext(value.plain, before)}
        if isinstance(value, dict):
            earlier = before if isinstance(before, dict) else {}
            return {key: self._sealed(inner, earlier.get(key)) for key, inner in value.items()}
        if isinstance(value, list):
            old = before if isinstance(before, list) else []
            return [self._sealed(inner, old[i] if i < len(old) else None) for i, inner in enumerate(value)]
        return value

    def _ciphertext(self, plain: str, before: Any) -> str:
        if self.password is None:
            raise vault.VaultError("A secret was read without a vault password.")
        if isinstance(before, dict) and isinstance(before.get("__ansible_vault"), str):
            try:
                if vault.decrypt(before["__ansible_vault"], self.password) == plain.encode():
                    return str(before["__ansible_vault"])
            except vault.VaultError:
                pass  # sealed with another password, or not by us: seal anew
        return vault.encrypt(plain.encode(), self.password)
