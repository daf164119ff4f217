"""Router client: what a machine serves is fetched by the client, with a timer, and with a token that nobody sees."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from pathlib import Path

import pytest

from tests.clients.fileserver import Handler
from tests.hosts.ansible import Control
from tests.provisioning.pve.certificates import make_certificate

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
PLAYBOOK = "mgmtplane.mgmtplane.router_client"
TOKEN = "f00d-that-nobody-may-see"
BODY = b'[\n{"targets": ["pi01.lab.example.net:9100"], "labels": {"site": "lab"}}\n]\n'


def test_an_export_is_fetched_at_once_and_by_a_timer_with_a_token_that_no_output_shows(
    control: Callable[..., Control], tmp_path: Path
) -> None:
    ansible = control("node")
    (node,) = ansible.hosts.hosts
    with _served(tmp_path, node.gateway) as (url, authority):
        ansible.variables |= {
            "router_client_hosts": "node",
            "router_client_url": url,
            "router_client_site": "lab",
            "router_client_token": TOKEN,
            "router_client_ca": authority,
            "router_client_exports": [
                {"format": "prometheus"},
                {"format": "hosts", "target": "/etc/hosts.declared", "reload": "none", "check": "none"},
            ],
        }
        words = ("-e", "router_client_hosts=node", "--diff", "-vv")
        fresh = ansible.play(PLAYBOOK, "--check", *words)
        assert fresh.changed("node") > 5
        assert "+TARGET=/etc/prometheus/targets/mgmtplane.json\n" in fresh.said
        assert node.run(["test", "-e", "/etc/mgmtplane"]).returncode == 1
        first = ansible.play(PLAYBOOK, *words)
        assert first.changed("node") > 5
        again = ansible.play(PLAYBOOK, *words)
        assert again.changed("node") == 0, again.said
    assert not [run for run in (fresh, first, again) if TOKEN in run.said]
    assert node.run(["stat", "-c", "%a %U", "/etc/mgmtplane/token"]).stdout == "600 root\n"
    assert node.read("/etc/mgmtplane/token") == f"{TOKEN}\n"
    assert node.read("/etc/prometheus/targets/mgmtplane.json").encode() == BODY
    assert node.read("/etc/hosts.declared").encode() == BODY
    timers = ["mgmtplane-fetch@prometheus.timer", "mgmtplane-fetch@hosts.timer"]
    assert node.run(["systemctl", "is-active", *timers]).stdout == "active\nactive\n"
    assert node.run(["systemctl", "is-enabled", *timers]).stdout == "enabled\nenabled\n"


@pytest.mark.slow
@pytest.mark.whole
def test_an_export_that_is_taken_away_has_no_timer_and_leaves_its_file(
    control: Callable[..., Control],
) -> None:
    ansible = control("node")
    (node,) = ansible.hosts.hosts
    export = {"format": "dnsmasq", "target": "/etc/dnsmasq.d/lab.conf", "reload": "none"}
    ansible.variables |= {
        "router_client_url": "https://192.0.2.1",
        "router_client_site": "lab",
        "router_client_token": TOKEN,
        "router_client_fetch_now": False,
        "router_client_exports": [export],
    }
    assert ansible.play(PLAYBOOK, "-e", "router_client_hosts=node").changed("node") > 5
    node.run(["touch", "/etc/dnsmasq.d/lab.conf"])
    ansible.variables["router_client_exports"] = [{**export, "state": "absent"}]
    assert ansible.play(PLAYBOOK, "-e", "router_client_hosts=node").changed("node") == 2
    assert node.run(["systemctl", "is-active", "mgmtplane-fetch@dnsmasq.timer"]).stdout == "inactive\n"
    assert node.run(["test", "-e", "/etc/mgmtplane/dnsmasq.conf"]).returncode == 1
    assert node.run(["test", "-e", "/etc/dnsmasq.d/lab.conf"]).returncode == 0


def test_a_machine_without_a_token_or_a_place_is_refused_with_the_way_out(
    control: Callable[..., Control],
) -> None:
    ansible = control("node")
    ansible.variables |= {
        "router_client_url": "https://192.0.2.1",
        "router_client_site": "lab",
        "router_client_exports": [{"format": "vyos"}],
    }
    refused = ansible.play(PLAYBOOK, "-e", "router_client_hosts=node")
    assert (refused.rc, "a target and a reload of its own" in refused.said) == (2, True), refused.said
    ansible.variables["router_client_exports"] = [{"format": "bind"}]
    refused = ansible.play(PLAYBOOK, "-e", "router_client_hosts=node")
    assert (refused.rc, "node has no /etc/mgmtplane/token." in refused.said) == (2, True), refused.said


@contextmanager
def _served(folder: Path, address: str) -> Iterator[tuple[str, str]]:
    """An https server with one export at *address*: its URL, and the certificate to trust."""
    (folder / "body").write_bytes(BODY)
    (folder / "etag").write_text(f'"1-{hashlib.sha256(BODY).hexdigest()[:20]}"')
    certificate, key = make_certificate(folder, ["localhost"], [address])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = type("Here", (Handler,), {"folder": folder, "log_message": lambda *_: None})
    server = HTTPServer((address, 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://{address}:{server.server_port}", certificate.read_text()
    finally:
        server.shutdown()
        server.server_close()
