"""The inventory of one site, from a mgmtplane server: the plugin. What it does is in plugin_utils."""

from __future__ import annotations

DOCUMENTATION = r"""
name: mgmtplane
short_description: The inventory of one site, from a mgmtplane server
version_added: "0.1.0"
author: mgmtplane (@mgmtplane)
description:
  - Reads the hosts, groups and variables of one site. Groups, variables and their order are those of the server.
  - While the server cannot be reached, the last good copy is used with a warning, and the group C(all) has the
    variables C(mgmtplane_inventory_stale) (true) and C(mgmtplane_inventory_stale_since).
  - When the server refuses, when the site has no hosts, or when more than half of the hosts are gone, there is no
    inventory, and Ansible stops.
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [mgmtplane.mgmtplane.mgmtplane]
  url:
    description: The server, C(https://server) or C(https://server/path).
    required: true
    env: [{name: MGMTPLANE_URL}]
  site:
    description: The site's name.
    required: true
    env: [{name: MGMTPLANE_SITE}]
  token_file:
    description: The file with the token.
    type: path
    env: [{name: MGMTPLANE_TOKEN_FILE}]
  token:
    description: The token itself. In a file, seal it with Ansible Vault; I(token_file) is simpler.
    env: [{name: MGMTPLANE_TOKEN}]
  cache_dir:
    description: Where the last good copy lies, for its owner alone; C(~/.cache/mgmtplane) if not set.
    type: path
    env: [{name: MGMTPLANE_CACHE_DIR}]
  timeout:
    description: Seconds that the server may be silent.
    type: float
    default: 10
    env: [{name: MGMTPLANE_TIMEOUT}]
  total_timeout:
    description: Seconds that the whole answer may take.
    type: float
    default: 60
    env: [{name: MGMTPLANE_TOTAL_TIMEOUT}]
  ca_file:
    description: Certificates to trust instead of the system's.
    type: path
    env: [{name: MGMTPLANE_CA_FILE}]
  consumer:
    description: What this machine is called in the server's list of consumers; its host name if not set.
    env: [{name: MGMTPLANE_CONSUMER}]
  allow_http:
    description: Send the token unencrypted to another machine.
    type: bool
    default: false
    env: [{name: MGMTPLANE_ALLOW_HTTP}]
  stop:
    description:
      - End Ansible with 1 when there is no inventory. Ansible by itself would go on without hosts, and end with 0.
      - With false that is left to Ansible, see its setting C(INVENTORY_ANY_UNPARSED_IS_FAILED).
    type: bool
    default: true
extends_documentation_fragment:
  - constructed
notes:
  - To accept once that more than half of the hosts are gone, set C(MGMTPLANE_ACCEPT_DROP) in the environment to
    the number of hosts that are left.
  - To accept once what an older copy of the application has, set C(MGMTPLANE_ACCEPT_COPY) in the environment to what
    the refusal names.
"""

EXAMPLES = r"""
# lab.mgmtplane.yml
plugin: mgmtplane.mgmtplane.mgmtplane
url: https://mgmt.example.net
site: lab
token_file: ~/.config/mgmtplane/token

# lab.mgmtplane.yml, with groups of one's own
plugin: mgmtplane.mgmtplane.mgmtplane
url: https://mgmt.example.net
site: lab
token_file: ~/.config/mgmtplane/token
keyed_groups:
  - key: infrastructure.form
    prefix: form
"""

import json
import os
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.helpers import get_group_vars
from ansible.utils.display import Display
from ansible.utils.vars import combine_vars
from ansible_collections.mgmtplane.mgmtplane.plugins.plugin_utils import mgmtplane_inventory as client

from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

display = Display()


class InventoryModule(BaseInventoryPlugin, Constructable):
    NAME = "mgmtplane.mgmtplane.mgmtplane"

    def verify_file(self, path: str) -> bool:
        named = os.path.basename(path).endswith(("mgmtplane.yml", "mgmtplane.yaml"))
        return bool(super().verify_file(path)) and named

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        stop = True
        try:
            super().parse(inventory, loader, path, cache)
            self._read_config_data(path)
            stop = self.get_option("stop")
            found = client.obtain(client.settings_of(self._given(), _warn), _warn)
            self._construct(self._fill(_decoded(found.text, loader)))
        except (client.Refused, AnsibleError) as problem:
            _end(str(problem), stop)
        except Exception as problem:  # without its words: they may quote a variable
            _end(f"failed inside ({type(problem).__name__}).", stop)

    def _given(self) -> dict:
        names = [name for name in (*client.KEYS, "token") if self.get_option(name) is not None]
        given = {name: str(self.get_option(name)) for name in names}
        given["accept_drop"] = os.environ.get("MGMTPLANE_ACCEPT_DROP", "")
        given["accept_copy"] = os.environ.get("MGMTPLANE_ACCEPT_COPY", "")
        return given

    def _fill(self, document: dict) -> list:
        """Add groups, hosts and variables as Ansible does with the output of a script; return the hosts' names."""
        variables_of = document["_meta"]["hostvars"]
        hosts: dict = {}
        for name, body in document.items():
            if name == "_meta":
                continue
            group = self.inventory.add_group(name)
            for host in body.get("hosts") or ():
                hosts[host] = None
                self.inventory.add_host(host, group)
            for key, value in (body.get("vars") or {}).items():
                self.inventory.set_variable(group, key, value)
            for child in body.get("children") or ():
                self.inventory.add_child(group, self.inventory.add_group(child))
        for host in hosts:
            for key, value in variables_of.get(host, {}).items():
                self.inventory.set_variable(host, key, value)
        return list(hosts)

    def _construct(self, hosts: list) -> None:
        asked = {name: self.get_option(name) for name in ("compose", "groups", "keyed_groups")}
        if not any(asked.values()):
            return
        strict = self.get_option("strict")
        for name in hosts:
            host = self.inventory.get_host(name)
            self._set_composite_vars(asked["compose"], self._variables(host), name, strict=strict)
            variables = self._variables(host)
            self._add_host_to_composed_groups(asked["groups"], variables, name, strict=strict)
            self._add_host_to_keyed_groups(asked["keyed_groups"], variables, name, strict=strict)

    def _variables(self, host: Any) -> dict:
        variables: dict = combine_vars(get_group_vars(host.get_groups()), host.get_vars())
        return variables


def _end(sentence: str, stop: bool) -> None:
    """No inventory: end Ansible, which by itself would go on without hosts."""
    if not stop:
        raise AnsibleParserError(sentence) from None
    display.error(f"mgmtplane: {sentence}")
    raise SystemExit(1) from None


def _warn(sentence: str) -> None:
    display.warning(f"mgmtplane: {sentence}")


def _decoded(text: bytes, loader: Any) -> dict:
    """The document as Ansible reads that of a script: sealed values as secrets, text as templates."""
    plain = text.decode("utf-8")
    try:
        from ansible.module_utils.common.json import get_decoder
        from ansible.template import trust_as_template
    except ImportError:  # ansible-core before 2.19
        older: dict = loader.load(plain, json_only=True)
        return older
    newer: dict = json.loads(trust_as_template(plain), cls=get_decoder("inventory_legacy"))
    return newer
