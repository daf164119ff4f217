"""Metrics and logs: Prometheus asks the declared targets, rsyslog keeps what others send, each in its own folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.components import require
from tests.hosts.ansible import Control
from tests.hosts.ssh import SshHost
from tests.shared_data import REPOSITORY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
PLAYBOOK = "mgmtplane.mgmtplane.metrics_logs"
EXPORT = REPOSITORY / "tests" / "exports" / "golden" / "prometheus" / "prometheus.json"


def test_a_node_asks_the_targets_of_the_export_and_keeps_the_logs_of_others(
    control: Callable[..., Control],
) -> None:
    require("prometheus", "promtool", package="prometheus")
    require("rsyslogd", "logrotate", package="rsyslog logrotate")
    ansible = control("node", "sender")
    node, sender = ansible.hosts.hosts
    node.run(["rm", "-rf", "/etc/prometheus"])
    ansible.variables |= {
        "metrics_logs_targets_file": str(EXPORT),
        "metrics_logs_targets": [{"targets": [f"{sender.address}:9100"], "labels": {"site": "lab"}}],
        "metrics_logs_more_rules": [{"name": "site", "rules": [{"alert": "Odd", "expr": "up > 1"}]}],
    }
    words = ("-e", "metrics_logs_hosts=node")
    fresh = ansible.play(PLAYBOOK, "--check", "--diff", *words)
    assert fresh.changed("node") > 8
    assert "+      - alert: TargetDown\n" in fresh.said
    assert node.run(["test", "-e", "/etc/prometheus"]).returncode == 1
    assert ansible.play(PLAYBOOK, *words).changed("node") > 8
    again = ansible.play(PLAYBOOK, *words)
    assert again.changed("node") == 0, again.said

    asked = _asked(node, "targets")["activeTargets"]
    exported = {target for group in json.loads(EXPORT.read_text()) for target in group["targets"]}
    wanted = exported | {f"{sender.address}:9100", "localhost:9090"}
    assert {target["discoveredLabels"]["__address__"] for target in asked} == wanted
    rules = {rule["name"] for group in _asked(node, "rules")["groups"] for rule in group["rules"]}
    assert {"TargetDown", "ConsumersFailed", "Odd"} <= rules

    for way in ("--udp", "--tcp"):
        sender.run(["logger", "--server", node.address, "--port", "514", way, f"said by {way[2:]}"])
    log = f"/var/log/remote/{sender.address}/messages.log"
    _wait_until(lambda: node.run(["grep", "-c", "said by", log]).stdout == "2\n")
    assert node.run(["logrotate", "--force", "/etc/logrotate.d/mgmtplane-remote"]).returncode == 0
    sender.run(["logger", "--server", node.address, "--port", "514", "--tcp", "said after"])
    _wait_until(lambda: "said after" in node.run(["cat", log]).stdout)
    assert "said after" not in node.read(f"{log}.1")


@pytest.mark.slow
@pytest.mark.whole
def test_rules_that_promtool_refuses_are_not_put_in_place(control: Callable[..., Control]) -> None:
    require("promtool", package="prometheus")
    ansible = control("node")
    (node,) = ansible.hosts.hosts
    ansible.variables["metrics_logs_more_rules"] = [
        {"name": "x", "rules": [{"alert": "Odd", "expr": "up >"}]}
    ]
    refused = ansible.play(PLAYBOOK, "-e", "metrics_logs_hosts=node", "--tags", "metrics")
    assert (refused.rc, "unexpected end of input" in refused.said) == (2, True), refused.said
    assert node.run(["test", "-e", "/etc/prometheus/rules/site.yml"]).returncode == 1


def _asked(node: SshHost, what: str) -> dict:
    """What its Prometheus answers."""
    done = node.run(
        ["curl", "-fsS", "--retry", "5", "--retry-connrefused", f"http://localhost:9090/api/v1/{what}"]
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["data"]


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within thirty seconds"
        time.sleep(0.2)
