"""An archive of packages inside a host: apt really installs from it, and nothing comes from outside."""

from __future__ import annotations

from tests.hosts.ssh import SshHost

ARCHIVE = "/srv/archive"

#: A package that stands for chrony: its unit has the name, its program waits.
CHRONY = """
set -e
cd "$(mktemp -d)"
mkdir -p chrony/DEBIAN chrony/usr/sbin chrony/lib/systemd/system
cat >chrony/DEBIAN/control <<'CONTROL'
Package: chrony
Version: 4.3-0
Architecture: all
Maintainer: nobody <nobody@example.net>
Provides: time-daemon
Conflicts: time-daemon
Replaces: time-daemon
Description: stands for chrony
CONTROL
printf '#!/bin/sh\\nexec sleep infinity\\n' >chrony/usr/sbin/chronyd
chmod 755 chrony/usr/sbin/chronyd
mkdir -p chrony/etc/chrony
printf '[Service]\\nExecStart=/usr/sbin/chronyd\\n[Install]\\nWantedBy=multi-user.target\\n' \\
    >chrony/lib/systemd/system/chrony.service
dpkg-deb --build --root-owner-group chrony /srv/archive/chrony.deb >/dev/null
"""


def archive_of(host: SshHost) -> None:
    """Make it the only archive that apt of *host* knows, with a package that the machine does not have."""
    _do(host, f"mkdir -p {ARCHIVE}; {CHRONY}")
    _do(
        host,
        f"""
        rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
        echo 'deb [trusted=yes] file:{ARCHIVE} ./' >/etc/apt/sources.list
        cd {ARCHIVE}
        {{ dpkg-deb --field chrony.deb
           echo "Filename: ./chrony.deb"
           echo "Size: $(stat -c %s chrony.deb)"
           echo "SHA256: $(sha256sum chrony.deb | cut -d' ' -f1)"; }} >Packages
        """,
    )


def _do(host: SshHost, script: str) -> None:
    done = host.run(["sh", "-ec", script])
    assert done.returncode == 0, done.stderr
