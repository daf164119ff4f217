"""Where Ansible looks for the collections and roles of a project, in its order."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path

from inventory.yaml11 import YamlProblem, read
from provisioning.projects.confining import inside, readable
from provisioning.projects.faults import Outside, ProjectError
from provisioning.projects.places import make_folder

CONFIG = "ansible.cfg"
#: this application's collection, as a folder that has galaxy.yml
OURS = Path(__file__).resolve().parents[2] / "ansible"
#: settings that name folders or files, apart by colons, which Ansible reads or runs
_PATHS = (
    "roles_path", "collections_path", "collections_paths", "library", "module_utils", "log_path",
    "action_plugins", "become_plugins", "cache_plugins", "callback_plugins", "cliconf_plugins", "connection_plugins",
    "doc_fragment_plugins", "filter_plugins", "httpapi_plugins", "inventory_plugins", "lookup_plugins",
    "netconf_plugins", "strategy_plugins", "terminal_plugins", "test_plugins", "vars_plugins",
    "vault_password_file", "vault_identity_list", "private_key_file", "connection_password_file",
    "become_password_file",
)  # fmt: skip


@dataclass(frozen=True)
class Own:
    collections: tuple[Path, ...]
    roles: tuple[Path, ...]


def of_project(folder: Path) -> Own:
    """The project's own places; those that its ``ansible.cfg`` names come first. Raises Outside for what leaves it."""
    named = configured(folder)
    collections = [
        *named.get("collections_path", []),
        *named.get("collections_paths", []),
        folder / "collections",
    ]
    roles = [*named.get("roles_path", []), folder / "roles"]
    return Own(
        unique(*(path for path in collections if path.is_dir())),
        unique(*(path for path in roles if path.is_dir())),
    )


def configured(folder: Path) -> dict[str, list[Path]]:
    """Setting → the places that the ``ansible.cfg`` of *folder* gives it; all lie in the project, or Outside is raised."""
    if not (folder / CONFIG).is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read_string(inside(folder, CONFIG).read_text())
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        said = readable(str(error).splitlines()[0])
        raise ProjectError(f"{CONFIG} cannot be read: {said}.", "See how it is written.") from None
    if not parser.has_section("defaults"):
        return {}
    return {
        name: [place for part in parser["defaults"][name].split(":") if (place := _place(folder, name, part))]
        for name in _PATHS
        if parser.has_option("defaults", name)
    }


def _place(folder: Path, name: str, part: str) -> Path | None:
    text = part.strip().strip("\"'")
    if name == "vault_identity_list":
        text = text.rpartition("@")[2]
    if not text or text.startswith("@") or "," in text:  # an inventory of names alone
        return None
    try:
        return inside(folder, text.removeprefix("./") or ".")
    except Outside as fault:
        raise Outside(f"{CONFIG} leaves the project by {name}: {fault.message}", fault.way_out) from None
    except ProjectError:  # nothing is there, and nothing is read
        return None


def unique(*paths: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


def ours(data_dir: Path) -> list[Path]:
    """A folder in which this application's own collection lies as Ansible looks for it."""
    try:
        galaxy, _ = read((OURS / "galaxy.yml").read_bytes(), "galaxy.yml")
        space, name = str(galaxy["namespace"]), str(galaxy["name"])
    except (OSError, YamlProblem, KeyError, TypeError):
        raise ProjectError(f"{OURS} has no collection of this application.", "Check it out again.") from None
    top = data_dir / "ansible"
    link = top / "ansible_collections" / space / name
    make_folder(link.parent)
    if not link.is_symlink() or os.readlink(link) != str(OURS):  # noqa: PTH115 (as text: it may lead nowhere)
        new = link.with_name(f".{name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(OURS)
        new.rename(link)
    return [top]
