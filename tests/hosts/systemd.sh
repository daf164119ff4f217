# Sourced by host.sh where systemd is to be the first process: what it starts by itself, and no more.
# Nothing that the machine itself starts is started in a host, and nothing that would touch its kernel or devices.

prepare_systemd() {
    units=etc/systemd/system
    rm -rf "$units"/*.wants "$units"/*.requires etc/fstab
    rm -f etc/rc?.d/*
    for unit in dev-hugepages.mount dev-mqueue.mount getty.target kmod-static-nodes.service modprobe@.service \
        proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount \
        sys-kernel-debug.mount sys-kernel-tracing.mount systemd-binfmt.service systemd-journald-audit.socket \
        systemd-logind.service systemd-modules-load.service systemd-remount-fs.service systemd-sysctl.service \
        systemd-tmpfiles-setup-dev.service systemd-udev-trigger.service systemd-udevd-control.socket \
        systemd-udevd-kernel.socket systemd-udevd.service systemd-update-utmp-runlevel.service \
        systemd-update-utmp.service selinux-autorelabel-mark.service; do
        ln -sf /dev/null "$units/$unit"
    done
    ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
    ssh=ssh.service # Debian's name; Fedora's is the program's
    [ -e "lib/systemd/system/$ssh" ] || ssh=sshd.service
    mkdir -p "$units/multi-user.target.wants"
    ln -s "/lib/systemd/system/$ssh" "$units/multi-user.target.wants/$ssh"
    mkdir -p etc/systemd/journald.conf.d
    printf '[Journal]\nAudit=no\nStorage=volatile\n' >etc/systemd/journald.conf.d/host.conf
}
