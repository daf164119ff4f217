"""Each server's own checker, run on a rendered directory. The files are only read, and nothing is started.

A checker speaks for one version of one server on one machine; what it refuses, that server would not load.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: Servers live where only root's PATH looks on some distributions.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
TIMEOUT_SECONDS = 60

Command = list[str]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """``words`` are the checker's own; ``install_hint`` says what to install where it is missing."""

    status: Literal["good", "refused", "missing"]
    words: str = ""
    install_hint: str = ""


@dataclass(frozen=True, slots=True)
class Checker:
    #: Debian's and Fedora's package, in this order
    packages: tuple[str, str]
    programs: tuple[str, ...]
    #: the commands for a directory, run inside it; the first that fails has the last word
    commands: Callable[[Path], Iterable[Command]]
    #: matches the lines that say nothing about the file
    noise: str = r"(?!)"


def check(format: str, directory: Path) -> CheckResult:
    """Run the checker of *format* on the files in *directory*. LookupError for a format that has none."""
    checker = CHECKERS.get(format)
    if checker is None:
        instead = INSTEAD.get(format, f"These formats are checked: {', '.join(CHECKERS)}.")
        raise LookupError(f"No server checks “{format}”. {instead}")
    found = {program: shutil.which(program, path=SEARCH_PATH) for program in checker.programs}
    missing = [program for program, path in found.items() if path is None]
    if missing:
        debian, fedora = checker.packages
        hint = f"{', '.join(missing)} is not installed: apt-get install {debian}, or dnf install {fedora}"
        return CheckResult("missing", install_hint=hint)
    for program, *arguments in checker.commands(directory):
        refusal = _refusal([found.get(program) or program, *arguments], directory)
        if refusal is not None:
            return CheckResult("refused", _without_noise(refusal, checker.noise))
    return CheckResult("good")


def _refusal(command: Command, directory: Path) -> str | None:
    """What *command* said against the files; None when it accepted them."""
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
            # English words, whatever the operator's language: they go into logs.
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return f"{Path(command[0]).name} gave no answer within {TIMEOUT_SECONDS} seconds."
    return None if done.returncode == 0 else done.stdout


def _without_noise(output: str, noise: str) -> str:
    kept = [line.rstrip() for line in output.splitlines() if line.strip() and not re.search(noise, line)]
    return "\n".join(kept) or output.strip()


def _only(command: str) -> Callable[[Path], Iterable[Command]]:
    return lambda directory: [command.split(" ")]


def _bind_commands(directory: Path) -> Iterable[Command]:
    """The configuration with its zones; then each zone, with what is only a warning there made fatal."""
    yield ["named-checkconf", "-z", "named.conf"]
    for zone in sorted(path.name for path in directory.glob("db.*")):
        strictly = ["-k", "fail", "-n", "fail", "-m", "fail", "-M", "fail", "-S", "fail", "-r", "fail"]
        yield ["named-checkzone", "-i", "local", *strictly, zone.removeprefix("db."), zone]


def _grub_commands(directory: Path) -> Iterable[Command]:
    """What GRUB reads; of the other loaders none has a checker."""
    for path in sorted(directory.glob("grub.cfg-01-*")):
        yield ["grub-script-check", path.name]


def _known_hosts_commands(directory: Path) -> Iterable[Command]:
    """A file without any key is good, and no file of keys to ssh-keygen."""
    lines = (directory / "known_hosts").read_text("ascii").splitlines()
    if any(line and not line.startswith("#") for line in lines):
        yield ["ssh-keygen", "-l", "-f", "known_hosts"]


#: promtool checks a configuration, and with it the files of targets that it names.
PROMTOOL = 'printf "%s" "$1" | promtool check config /dev/stdin'
SCRAPING = """\
scrape_configs:
- job_name: mgmtplane
  file_sd_configs:
  - files: [{}]
"""


def _promtool_commands(directory: Path) -> Iterable[Command]:
    file = json.dumps(str(directory.resolve() / "prometheus.json"))
    yield ["sh", "-c", PROMTOOL, "sh", SCRAPING.format(file)]


#: dhcpd surrounds its one real line with a page about itself.
DHCPD_NOISE = (
    r"^(Internet Systems Consortium|Copyright|All rights|For info|Config file:|Database file:|PID file:"
    r"|Configuration file errors|If you think you|than a configuration|bugs on either|before submitting a bug"
    r"|process and the information|exiting)"
)

CHECKERS = {
    "kea": Checker(
        ("kea-dhcp4-server", "kea"), ("kea-dhcp4",), _only("kea-dhcp4 -t kea-dhcp4.conf"), r"\b(INFO|DEBUG)\b"
    ),
    "dnsmasq": Checker(("dnsmasq", "dnsmasq"), ("dnsmasq",), _only("dnsmasq --test -C dnsmasq.conf")),
    "isc-dhcp": Checker(
        ("isc-dhcp-server", "dhcp-server"), ("dhcpd",), _only("dhcpd -t -4 -cf dhcpd.conf"), DHCPD_NOISE
    ),
    "bind": Checker(
        ("bind9 bind9-utils", "bind bind-utils"), ("named-checkconf", "named-checkzone"), _bind_commands
    ),
    "unbound": Checker(
        ("unbound", "unbound"), ("unbound-checkconf",), _only("unbound-checkconf unbound.conf")
    ),
    "pxe": Checker(("grub-common", "grub2-tools"), ("grub-script-check",), _grub_commands),
    "ssh-config": Checker(
        ("openssh-client", "openssh-clients"), ("ssh",), _only("ssh -G -F ssh_config localhost")
    ),
    "known-hosts": Checker(("openssh-client", "openssh"), ("ssh-keygen",), _known_hosts_commands),
    "prometheus": Checker(
        ("prometheus", "golang-github-prometheus"), ("promtool",), _promtool_commands, r"^Checking |SUCCESS"
    ),
}

#: What to do where nothing can be asked.
INSTEAD = {
    "power-scripts": "Read what it would do: sh shutdown.sh --dry-run.",
    "opnsense": "OPNsense tells on import which rows it refuses; then see that Kea is running.",
    "vyos": "Paste it in configuration mode, read what “compare” shows, then “commit-confirm”.",
    "hosts": "Try one name: getent hosts NAME, once the file is in its place.",
    "csv": "Nothing but people reads it; these formats are checked: kea, dnsmasq, isc-dhcp, bind, unbound.",
}
