"""Who may what: tokens, the rights they have at a path, and the checks of the API description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.provisioning.pve.refusals import Refusal, forbidden
from tests.provisioning.pve.world import World

_HEADER = re.compile(r"PVEAPIToken=(?P<id>[^\s=]+![^\s=]+)=(?P<secret>\S+)\Z")
TOP = ("/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms")
#: Which privilege a key of a machine's configuration takes.
_OF_KEY = {
    **dict.fromkeys(("cores", "sockets", "cpu", "cpulimit", "cpuunits", "vcpus", "numa"), "VM.Config.CPU"),
    **dict.fromkeys(("memory", "balloon", "shares"), "VM.Config.Memory"),
    **dict.fromkeys(
        ("ciuser", "cipassword", "citype", "cicustom", "sshkeys", "nameserver", "searchdomain", "ciupgrade"),
        "VM.Config.Cloudinit",
    ),
    **dict.fromkeys(("machine", "rng0", "scsihw", "vga", "smbios1", "hotplug"), "VM.Config.HWType"),
    **dict.fromkeys(("boot", "bootdisk", "vmstatestorage"), "VM.Config.Disk"),
}


class Caller:
    """The token behind a request."""

    def __init__(self, world: World, header: str) -> None:
        found = _HEADER.match(header or "")
        token = world.tokens.get(found["id"]) if found else None
        if found is None or token is None:
            raise Refusal(401, "No ticket" if not header else "no such token")
        if token["secret"] != found["secret"]:
            raise Refusal(401, "invalid token value!")
        self.world, self.id, self._token = world, found["id"], token

    @property
    def user(self) -> str:
        return self.id.split("!")[0]

    def rights(self, path: str) -> dict[str, int]:
        """Privilege → whether it holds below as well, at exactly *path*."""
        own = self._with_pool(self._token["acl"], path)
        if not self._token.get("privsep", 1):
            return self._with_pool(self.world.users.get(self.user, {}), path)
        owner = self._with_pool(self.world.users.get(self.user, {}), path)
        return {name: min(holds, owner[name]) for name, holds in own.items() if name in owner}

    def has(self, path: str, *privileges: str, any_of: bool = False) -> bool:
        held = self.rights(path)
        return (any if any_of else all)(name in held for name in privileges)

    def require(self, path: str, *privileges: str, any_of: bool = False) -> None:
        if not self.has(path, *privileges, any_of=any_of):
            raise forbidden(path, *privileges)

    def everything(self) -> dict[str, dict[str, int]]:
        """``GET /access/permissions``: paths without any privilege are left out."""
        acls = (self._token["acl"], self.world.users.get(self.user, {}))
        paths = {*TOP, *(path for acl in acls for path in acl)}
        return {path: held for path in sorted(paths) if (held := self.rights(path))}

    def check(self, expression: Any, params: Mapping[str, Any]) -> None:
        """A check of the description; 403 as Proxmox words it."""
        if not expression:
            return
        kind, *rest = expression
        if kind == "and":
            for part in rest:
                self.check(part, params)
        elif kind == "or":
            self._check_any(rest, params)
        elif kind == "perm":
            path, privileges, *options = rest
            path = re.sub(r"\{(\w+)\}", lambda found: str(params.get(found[1], "")), path)
            needed = dict(zip(options[::2], options[1::2], strict=True))
            if needed.get("require_param") and needed["require_param"] not in params:
                raise forbidden(path, *privileges)
            self.require(path, *privileges, any_of=bool(needed.get("any")))
        else:
            raise Refusal(501, f"the stand-in knows no check “{kind}”")

    def check_settings(self, path: str, settings: Mapping[str, str]) -> None:
        """What each key of a configuration takes, storages and bridges included."""
        for key, value in settings.items():
            self.require(path, _privilege(key, value))
            if key == "startup":  # it changes what the host does
                self.require("/", "Sys.Modify")
            if key == "rng0" and "/dev/hwrng" in value:
                self.require("/mapping/hwrng", "Mapping.Use")
            bridge = re.search(r"(?:^|,)bridge=([^,]+)", value) if key.startswith("net") else None
            if bridge:
                self.check_bridge(value)
            new = re.match(r"([^:,]+):\d+(?:,|$)", value)
            if new and _privilege(key, value) == "VM.Config.Disk":
                self.require(f"/storage/{new[1]}", "Datastore.AllocateSpace")

    def check_tags(self, vmid: int, old: str, new: str) -> None:
        """Each tag that is added or taken away, by the rules of the datacenter."""
        self.require(f"/vms/{vmid}", "VM.Config.Options")
        rules = self.world.tag_rules
        how, registered = rules.get("allow", "free"), set(rules.get("registered", ()))
        allowed = set() if how == "none" else set(rules.get("list", ()))
        if how in ("free", "existing"):
            seen = (one for one in self.world.guests.values() if self.has(f"/vms/{one.vmid}", "VM.Audit"))
            allowed |= {tag for one in seen for tag in _tags(one.config.get("tags", ""))}
        for tag in sorted(_tags(old) ^ _tags(new)):
            may = tag not in registered and (how == "free" or tag in allowed)
            if not may and not self.has("/", "Sys.Modify"):
                raise forbidden("/", f"Sys.Modify for modifying tag '{tag}'")

    def sees_bridge(self, name: str) -> bool:
        path = f"/sdn/zones/localnetwork/{name}"
        vlans = [at for at in self._token["acl"] if at.startswith(f"{path}/")]
        return any(self.has(at, "SDN.Audit", "SDN.Use", any_of=True) for at in (path, *vlans))

    def check_bridge(self, net: str) -> None:
        bridge = re.search(r"(?:^|,)bridge=([^,]+)", net)
        tag = re.search(r"(?:^|,)tag=(\d+)", net)
        if bridge:
            where = f"/sdn/zones/localnetwork/{bridge[1]}" + (f"/{tag[1]}" if tag else "")
            self.require(where, "SDN.Use")

    def _check_any(self, parts: list[Any], params: Mapping[str, Any]) -> None:
        refused = None
        for part in parts:
            try:
                return self.check(part, params)
            except Refusal as refusal:
                refused = refused or refusal
        raise refused or Refusal(403, "Permission check failed")

    def _with_pool(self, acl: Mapping[str, Mapping[str, int]], path: str) -> dict[str, int]:
        held = _at(acl, path)
        found = re.fullmatch(r"/vms/(\d+)", path)
        guest = self.world.guests.get(int(found[1])) if found else None
        if guest is not None and guest.pool:
            held = {**held, **_at(acl, f"/pool/{guest.pool}")}
        return held


def _at(acl: Mapping[str, Mapping[str, int]], path: str) -> dict[str, int]:
    """The entry of *path*, or what the nearest one above hands down: a deeper entry replaces it."""
    at = path
    while at not in acl and at != "/":
        at = at.rsplit("/", 1)[0] or "/"
    return {name: int(holds) for name, holds in acl.get(at, {}).items() if holds or at == path}


def _tags(text: str) -> set[str]:
    return set(filter(None, re.split(r"[,;\s]+", text)))


def _privilege(key: str, value: str) -> str:
    bare = key.rstrip("0123456789")
    if bare in ("scsi", "virtio", "sata", "ide", "efidisk", "tpmstate", "unused"):
        return "VM.Config.CDROM" if "media=cdrom" in value or "cloudinit" in value else "VM.Config.Disk"
    if bare in ("net", "ipconfig"):
        return "VM.Config.Network"
    return _OF_KEY.get(key, "VM.Config.Options")
