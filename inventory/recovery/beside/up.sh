#!/bin/sh
# DHCP and DNS of this site from this machine, in the foreground, until Ctrl-C:
#
#     sudo sh up.sh INTERFACE              the management segment on that interface
#     sudo sh up.sh INTERFACE=SEGMENT …    others; the file addresses lists them
#
# It needs dnsmasq and ip. It sets the node's address of this mode on the interface, and takes it away again at the end.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
leases=${LEASES:-/var/lib/misc/dnsmasq.leases}
given=

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 2; }

[ $# -gt 0 ] || stop "Name the interface: sudo sh up.sh eth0. There are: $(ip -brief link | cut -d' ' -f1 | tr '\n' ' ')"
command -v dnsmasq >/dev/null || [ -x /usr/sbin/dnsmasq ] || stop "dnsmasq is missing: apt-get install dnsmasq-base, or dnf install dnsmasq"
[ -s "$here/addresses" ] || stop "No address of the bootstrap node is declared for this site: nothing can be served."

# The address of the node in a segment, as ADDRESS/PREFIX; the first line is the segment it is reached in.
address_in() {
    while read -r address segment; do
        if [ -z "$1" ] || [ "$1" = "$segment" ]; then
            printf '%s\n' "$address"
            return
        fi
    done <"$here/addresses"
}

clean() {
    trap - EXIT INT TERM
    for one in $given; do
        ip addr del "${one#*,}" dev "${one%%,*}" 2>/dev/null || true
    done
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for word in "$@"; do
    interface=${word%%=*}
    segment=
    [ "$word" = "$interface" ] || segment=${word#*=}
    ip link show dev "$interface" >/dev/null 2>&1 || stop "There is no interface $interface."
    address=$(address_in "$segment")
    [ -n "$address" ] || stop "The node has no address in $segment; the file addresses lists those it has."
    ip link set dev "$interface" up
    if ! ip -o addr show dev "$interface" | grep -qw "${address%/*}"; then
        ip addr add "$address" dev "$interface"
        given="$given $interface,$address"
    fi
    say "$interface has $address"
done

say "A firewall on this machine must let in: udp 67 (DHCP), udp and tcp 53 (DNS), udp 69 (TFTP, where machines boot from here)."
mkdir -p "$(dirname "$leases")"
PATH=$PATH:/usr/sbin
dnsmasq --keep-in-foreground --conf-file="$here/dnsmasq.conf" --dhcp-leasefile="$leases" --pid-file= \
    --log-facility=- ${DNSMASQ_USER:+--user="$DNSMASQ_USER"} &
server=$!
trap 'kill $server 2>/dev/null; exit 130' INT
trap 'kill $server 2>/dev/null; exit 143' TERM
wait $server
