"""The same few edits on many rows of one noun, as a patch of their site.

An edit says how: ``set`` a value, ``clear`` it, ``append`` to a text, or ``add``, ``remove`` and ``replace`` for what is a
list. What no edit names stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from inventory.document.patching import Patch, service_values
from inventory.snapshot import Snapshot

How = Literal["set", "clear", "append", "add", "remove", "replace"]
#: What names a row: ("pi01",), ("pi01", "eth0"), ("artifacts", "", "pi01") for name, tenant and host of a service.
Name = tuple[str, ...]

#: In the edits of hosts, before what is edited of their machine specifications.
OF_MACHINE = "machine_"
#: Links of hosts and groups: the edit → what it is a link of.
_HOST_LINKS = {"groups": "groups", "profiles": "profiles"}


@dataclass(frozen=True)
class Edit:
    how: How
    value: Any = None


class NoLines:
    """Rows chosen in a list stand on no line."""

    def line(self, path: Sequence[str | int]) -> int:
        return 0


def patch_of(noun: str, stored: Snapshot, names: Iterable[Name], edits: Mapping[str, Edit]) -> Patch:
    """*edits* on the rows of *noun* called *names*. A row that is gone by now is complained of."""
    patch = Patch("", {"site": stored.site.slug}, NoLines())  # type: ignore[arg-type]
    _NOUNS[noun](patch, stored, sorted(names), edits)
    return patch


def _hosts(patch: Patch, stored: Snapshot, names: list[Name], edits: Mapping[str, Edit]) -> None:
    values = patch.values.setdefault("hosts", {})
    links = {key: edit for key, edit in edits.items() if key in _HOST_LINKS}
    own = {key: edit for key, edit in edits.items() if key not in _HOST_LINKS}
    machine = {key[len(OF_MACHINE) :]: own.pop(key) for key in list(own) if key.startswith(OF_MACHINE)}
    members = {noun: _by_host(getattr(stored, noun)) for noun in links}
    for (name,) in names:
        host = stored.host_by_name.get(name)
        if host is None:
            patch.complain(("hosts", name), "is gone or renamed by now; choose the rows anew.")
            continue
        values[name] = _fields(host, own)
        if machine:
            values[name]["machine"] = _fields(host.machine, machine)
        for noun, edit in links.items():
            had = members[noun].get(name, set())
            has = set(_list(sorted(had), edit))
            patch.joined.setdefault(noun, set()).update((group, name) for group in has - had)
            patch.parted.setdefault(noun, set()).update((group, name) for group in had - has)


def _by_host(groups: Iterable[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in groups:
        for host in group.hosts:
            found.setdefault(host, set()).add(group.name)
    return found


def _interfaces(patch: Patch, stored: Snapshot, names: list[Name], edits: Mapping[str, Edit]) -> None:
    values = patch.values.setdefault("hosts", {})
    for host_name, name in names:
        host = stored.host_by_name.get(host_name)
        interface = next((one for one in host.interfaces if one.name == name), None) if host else None
        if interface is None:
            path = ("hosts", host_name, "interfaces", name)
            patch.complain(path, "is gone or renamed by now; choose the rows anew.")
            continue
        values.setdefault(host_name, {}).setdefault("interfaces", {})[name] = _fields(interface, edits)


def _named(noun: str) -> Any:
    def read(patch: Patch, stored: Snapshot, names: list[Name], edits: Mapping[str, Edit]) -> None:
        rows = {row.name: row for row in getattr(stored, noun)}
        own = {key: edit for key, edit in edits.items() if key != "parents"}
        above = _by_child(stored) if "parents" in edits else {}
        for (name,) in names:
            if name not in rows:
                patch.complain((noun, name), "is gone or renamed by now; choose the rows anew.")
                continue
            patch.values.setdefault(noun, {})[name] = _fields(rows[name], own)
            if "parents" in edits:
                had = above.get(name, set())
                has = set(_list(sorted(had), edits["parents"])) - {name}
                patch.nested |= {(parent, name) for parent in has - had}
                patch.unnested |= {(parent, name) for parent in had - has}

    return read


def _by_child(stored: Snapshot) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in stored.groups:
        for child in group.children:
            found.setdefault(child, set()).add(group.name)
    return found


def _services(patch: Patch, stored: Snapshot, names: list[Name], edits: Mapping[str, Edit]) -> None:
    """Each service stays in the list of its host, or goes to another's."""
    lists: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}

    def of(host: str) -> dict[tuple[str, str], dict[str, Any]]:
        if host not in lists:
            carried = stored.host_by_name[host].services if host in stored.host_by_name else ()
            lists[host] = {(one.name, one.tenant): service_values(one) for one in carried}
        return lists[host]

    own = {key: edit for key, edit in edits.items() if key != "host"}
    target = edits["host"].value if "host" in edits else ""
    if target and target not in stored.host_by_name:
        patch.complain(("hosts", target), "is not declared; name a host of this site.")
        return
    for name, tenant, host in names:
        if (name, tenant) not in of(host):
            patch.complain(("hosts", host, "services"), f"no longer has {name}; choose the rows anew.")
            continue
        here = lists[host][name, tenant]
        here |= _fields(None, own)
        for key in [key for key, value in here.items() if value is None]:
            del here[key]
        if target and target != host:
            del lists[host][name, tenant]
            of(target).setdefault((name, tenant), here)
    patch.values["hosts"] = {host: {"services": list(services.values())} for host, services in lists.items()}


_NOUNS = {
    "host": _hosts,
    "interface": _interfaces,
    "segment": _named("segments"),
    "group": _named("groups"),
    "service": _services,
}


# --- one field ---


def _fields(row: Any, edits: Mapping[str, Edit]) -> dict[str, Any]:
    return {key: _value(getattr(row, key, None), edit) for key, edit in edits.items()}


def _value(before: Any, edit: Edit) -> Any:
    if edit.how == "clear":
        return None
    if edit.how == "append":
        return f"{before}\n{edit.value}" if before else edit.value
    if edit.how in ("add", "remove", "replace"):
        return _list(before or (), edit)
    return edit.value


def _list(before: Iterable[str], edit: Edit) -> list[str]:
    """In the order in which they stand; what is added comes last."""
    now, said = list(before), list(edit.value or ())
    if edit.how == "replace":
        return list(dict.fromkeys(said))
    if edit.how == "remove":
        return [one for one in now if one not in said]
    return [*now, *(one for one in dict.fromkeys(said) if one not in now)]
