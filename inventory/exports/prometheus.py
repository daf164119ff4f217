"""Prometheus: HTTP service discovery (``http_sd_configs``), which is also what ``file_sd_configs`` reads.

Source: Prometheus' documentation, "HTTP SD": a JSON list of ``{"targets": [...], "labels": {...}}``, served as
``application/json``, complete each time.

- A service with a port and a metrics path is a target under its own name, which stays when the service moves; the
  host that carries it is a label. A query in the path becomes ``__param_…`` labels.
- A host is a target of its own where ``mgmtplane_prometheus`` says so: ``{port: 9100, path: /metrics, labels: {…}}``,
  or a list of such, on the host, a group, a profile or the site.
- Only names that DNS has are targets: what cannot be resolved would be a machine that is down for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from inventory import dns
from inventory.dns.names import host_label, service_label, zone_of
from inventory.exports.registry import Document, Export
from inventory.exports.reserved import Reserved, is_declared
from inventory.findings import Finding, in_reading_order
from inventory.snapshot import AuthorityMode, HostFacts, ServiceFacts, Snapshot

FILENAME = "prometheus.json"
VARIABLE = "mgmtplane_prometheus"
DEFAULT_PATH = "/metrics"
#: What an HTTP request line carries as it is (RFC 3986), apart from the query's ``?`` and the fragment's ``#``.
PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*\Z")
LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*\Z")
PARAMETER = re.compile(r"[a-zA-Z0-9_]+\Z")
#: Labels that say who a target is; nobody gives them another meaning.
OWN_LABELS = frozenset({"site", "host", "service", "tenant", "role", "form", "plane", "instance", "job"})


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    port: int
    labels: Mapping[str, str]

    @property
    def sort_key(self) -> tuple[str, int, str]:
        return self.name, self.port, json.dumps(self.labels, sort_keys=True)


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    targets, findings = plan(snapshot, authority)
    rows = [
        json.dumps({"targets": [f"{t.name}:{t.port}"], "labels": dict(sorted(t.labels.items()))})
        for t in targets
    ]
    text = "[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n"
    return Document({FILENAME: text.encode("ascii")}, findings)


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """What of the declared targets cannot be scraped."""
    services = (service for host in snapshot.live_hosts for service in host.services)
    if not any(service.metrics_path for service in services) and not is_declared(snapshot, VARIABLE):
        return ()
    return plan(snapshot)[1]


def plan(
    snapshot: Snapshot, authority: AuthorityMode | None = None
) -> tuple[list[Target], tuple[Finding, ...]]:
    """Every target by name and port, and why others are none."""
    found = _Finder(snapshot, authority)
    targets = {target.sort_key: target for target in found.targets()}
    return [targets[key] for key in sorted(targets)], in_reading_order(found.findings)


class _Finder:
    def __init__(self, snapshot: Snapshot, authority: AuthorityMode | None) -> None:
        self.snapshot = snapshot
        self.zone = zone_of(snapshot) or ""
        self.names = {
            record.name
            for zone in dns.plan(snapshot, authority).zones
            if zone.kind == "site"
            for record in zone.records
        }
        self.findings: list[Finding] = []

    def targets(self) -> Iterator[Target]:
        declared = Reserved(self.snapshot, VARIABLE)
        for host in self.snapshot.live_hosts:
            for service in host.services:
                if service.metrics_path:
                    yield from self._of_service(host, service)
            wanted = declared.of(host)
            for one in wanted if isinstance(wanted, list) else [wanted]:
                if one is not None:
                    yield from self._of_host(host, one)

    def _of_service(self, host: HostFacts, service: ServiceFacts) -> Iterator[Target]:
        subject = f"service {service.label}"
        labels = {**self._labels(host), "service": service.name, "tenant": service.tenant}
        yield from self._target(
            subject, service_label(self.zone, service), service.port, service.metrics_path, labels
        )

    def _of_host(self, host: HostFacts, declared: Any) -> Iterator[Target]:
        if not isinstance(declared, Mapping):
            return self._refuse(host.subject, f"has {VARIABLE}, which is no mapping with a port")
        unknown = sorted(set(declared) - {"port", "path", "labels"})
        if unknown:
            return self._refuse(host.subject, f"has {VARIABLE} with {', '.join(map(repr, unknown))}")
        more = declared.get("labels", {})
        if not isinstance(more, Mapping) or not all(_is_label(*item) for item in more.items()):
            return self._refuse(host.subject, f"has {VARIABLE} with labels that are no labels, or are taken")
        labels = {**self._labels(host), **more}
        yield from self._target(
            host.subject,
            host_label(self.zone, host),
            declared.get("port"),
            declared.get("path", DEFAULT_PATH),
            labels,
        )

    def _target(
        self, subject: str, label: str | None, port: Any, path: Any, labels: Mapping[str, str]
    ) -> Iterator[Target]:
        name = f"{label}.{self.zone}"
        written, _, query = path.partition("?") if isinstance(path, str) else ("", "", "")
        parameters = parse_qsl(query, keep_blank_values=True)
        if label is None or name not in self.names:
            return self._refuse(subject, "asks to be scraped and has no name in DNS")
        if not _is_port(port):
            return self._refuse(subject, "asks to be scraped and has no port from 1 to 65535")
        if not PATH.match(written) or not all(PARAMETER.match(key) for key, _ in parameters):
            return self._refuse(subject, "has a metrics path that is no path of a URL")
        told = {**labels, "__metrics_path__": written}
        told |= {f"__param_{key}": value for key, value in reversed(parameters)}
        yield Target(name, port, {key: _utf8(value) for key, value in told.items() if value})

    def _labels(self, host: HostFacts) -> dict[str, str]:
        site = self.snapshot.site.slug
        return {
            "site": site,
            "host": host.name,
            "role": host.role,
            "form": host.form,
            "plane": host.plane,
        }

    def _refuse(self, subject: str, why: str) -> None:
        hint = (
            "Give it a name, a port and a path such as /metrics; labels are words of letters, digits and _."
        )
        self.findings.append(
            Finding("scrape-target-unusable", "warning", subject, f"{why}; it is no target.", hint)
        )


def _is_port(port: Any) -> bool:
    return isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536


def _is_label(name: Any, value: Any) -> bool:
    usable = isinstance(name, str) and LABEL.match(name) and name not in OWN_LABELS
    return bool(usable) and isinstance(value, str)


def _utf8(text: str) -> str:
    """Label values are UTF-8: a lone surrogate is replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


EXPORT = Export(
    name="prometheus",
    title="Prometheus",
    purpose="HTTP service discovery: every service with metrics, and the hosts that ask for it.",
    content_type="application/json",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
