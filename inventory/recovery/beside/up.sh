#!/bin/sh
# DHCP and DNS of this site from this machine, in the foreground, until Ctrl-C:
#
#     sudo sh up.sh INTERFACE              the management segment on that interface
#     sudo sh up.sh INTERFACE=SEGMENT …    others; the file addresses lists them
#
# It needs dnsmasq and ip. It sets the node's address of this mode on the interface, and takes it away again at the end.
# Other interfaces, and other segments on the same one, are served nothing; a resolver of this machine's own, which listens
# on 127.0.0.53 or 127.0.0.1, goes on beside it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
leases=${LEASES:-/var/lib/misc/dnsmasq.leases}
given=
# what --interface names, the addresses there, and what others must not listen on: as `ss` writes it
interfaces=
addresses=
ours='0.0.0.0 * [::]'

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

# The network of the address $1 with the netmask $2.
network() {
    dots=$IFS
    IFS=.
    # shellcheck disable=SC2086 # four numbers of each
    set -- $1 $2
    IFS=$dots
    printf '%s\n' "$(($1 & $5)).$(($2 & $6)).$(($3 & $7)).$(($4 & $8))"
}

# The file beside, of its pools only those of the segments that are served: an interface may have an address in others too.
configuration() {
    grep -v '^dhcp-range=' "$here/dnsmasq.conf"
    grep '^dhcp-range=' "$here/dnsmasq.conf" | while IFS=, read -r tag first last mask rest; do
        for one in $addresses; do
            [ "$(network "$first" "$mask")" != "$(network "$one" "$mask")" ] ||
                printf '%s\n' "$tag,$first,$last,$mask,$rest"
        done
    done | sort -u
}

# Stop where another program listens on the port $2 of the protocol $1 that is needed here. Two DHCP servers can listen on
# one port: dnsmasq would not notice.
free() {
    ss -Hln"$1"p "sport = :$2" 2>/dev/null | while read -r _ _ _ where _ who; do
        case " $ours " in *" ${where%:*} "*) printf '%s\n' "$where ${who:-}" ;; esac
    done | {
        read -r where who || return 0
        case $1 in u) name=udp ;; *) name=tcp ;; esac
        stop "Another program holds $name port $2 on ${where%:*}, and it is needed here: ${who:-nobody says which}. \
Stop it (systemctl stop NAME), then start this again; ss -l$1np says who listens."
    }
}

# shellcheck disable=SC2317 # the traps call it
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
    interfaces="$interfaces --interface=$interface"
    addresses="$addresses ${address%/*}"
    ours="$ours 0.0.0.0%$interface ${address%/*} ${address%/*}%$interface"
done
[ -r "$here/dnsmasq.conf" ] || stop "$here/dnsmasq.conf cannot be read, so nothing can be served: run this in the bootstrap/ of a whole kit."
free u 53
free t 53
free u 67

say "A firewall on this machine must let in: udp 67 (DHCP), udp and tcp 53 (DNS), udp 69 (TFTP, where machines boot from here)."
mkdir -p "$(dirname "$leases")"
PATH=$PATH:/usr/sbin
# Without --except-interface it takes 127.0.0.1 as well; with --bind-interfaces it ends where it cannot listen.
# shellcheck disable=SC2086 # words of their own
configuration | dnsmasq --keep-in-foreground --conf-file=- $interfaces --except-interface=lo --bind-interfaces \
    --dhcp-leasefile="$leases" --pid-file= --log-facility=- ${DNSMASQ_USER:+--user="$DNSMASQ_USER"} &
server=$!
trap 'kill $server 2>/dev/null; exit 130' INT
trap 'kill $server 2>/dev/null; exit 143' TERM
status=0
wait $server || status=$?
[ "$status" -ne 2 ] || stop "dnsmasq could not listen, see above. ss -lunp says who holds udp port 53 or 67 here, ss -ltnp \
tcp port 53: stop that program, then start this again."
exit "$status"
