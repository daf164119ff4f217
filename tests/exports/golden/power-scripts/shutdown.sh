#!/bin/sh
# Site lab: to shut down everything, in order.
# Made by mgmtplane; do not edit, the next export replaces it.
# Authority: gateway, as declared.
#
#     sh shutdown.sh --dry-run     says what it would do
#     sh shutdown.sh               does it, after asking for the name of the site

set -eu

here=$(cd "$(dirname "$0")" && pwd)
config=$here/ssh_config
patience=300
interval=5
dry=
sure=
onward=
failed=
seen=
behind=
again=
lost=
notes=
remembered=21600

say() { printf '%s\n' "$@"; }
stop() { printf '%s\n' "$*" >&2; exit 2; }

usage() {
    say "usage: sh $(basename "$0") [--dry-run] [--yes] [--wait SECONDS] [--keep-going] [--again] [--config FILE]"
    say "  --dry-run     say what would be done, and do nothing"
    say "  --yes         do not ask for the name of the site"
    say "  --wait N      seconds to wait for each host ($patience)"
    say "  --keep-going  go on when a host does not do as it should"
    say "  --again       forget what was seen off by an earlier run"
    say "  --config FILE another configuration for ssh ($config)"
}

while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) dry=yes ;;
    --yes) sure=yes ;;
    --keep-going) onward=yes ;;
    --again) again=yes ;;
    --wait) [ $# -gt 1 ] || stop "--wait needs a number of seconds."; patience=$2; shift ;;
    --config) [ $# -gt 1 ] || stop "--config needs a file."; config=$2; shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
case $patience in '' | *[!0-9]*) stop "--wait needs a number of seconds, not $patience." ;; esac
case $config in /*) ;; *) config=$(pwd)/$config ;; esac
[ -r "$config" ] || stop "There is no $config; this script lies beside the configuration that it uses."
command -v ssh >/dev/null || stop "ssh is missing: apt-get install openssh-client, or dnf install openssh-clients"
cd "$here" # the configuration looks for host keys here

# ssh without questions, at every hop: jump hosts read the same file
quiet=
patient=
trap 'rm -f "$quiet" "$patient"' EXIT
cannot="No temporary file can be made; see that TMPDIR can be written to."
quiet=$(mktemp) || stop "$cannot"
patient=$(mktemp) || stop "$cannot"
trap 'exit 130' HUP INT TERM
{
    say "BatchMode yes" "ConnectTimeout 10" "StrictHostKeyChecking yes" "ClearAllForwardings yes" "LogLevel INFO"
    say "ServerAliveInterval 5" "ServerAliveCountMax 3"
    cat "$config"
} >"$quiet"
# longer than a jump host's kernel tries to connect: the first value counts
{
    say "ConnectTimeout 150"
    cat "$quiet"
} >"$patient"

# a word of the configuration, then the command
login() {
    way=$1
    shift
    ssh -F "$quiet" -n "$way" "$@"
}

# WAY ADDRESS [WAY-OF-ITS-JUMP-HOST]. 0: it answers. 1: it is off. 2: it lets nobody in. 3: nobody can tell.
# said: what ssh said. Off is only what the list below says; whoever refuses a connection runs. noted: an earlier run saw it.
answers() {
    code=0 noted=
    said=$(login "$1" true 2>&1 </dev/null) || code=$?
    case $code,${3:-},$said in 255,?*,*"timed out during banner exchange"*) dropped "$1" "$2" "$3" || return 3 ;; esac
    case $code in 0) return 0 ;; 255) ;; *) return 3 ;; esac # it let us in, and its shell did not do as told
    case $said in
    *"Permission denied"* | *"verification failed"* | *"IDENTIFICATION HAS CHANGED"* | *"onfiguration option"*) return 2 ;;
    esac
    if ! absent "${3:-}"; then
        was_off_behind "$1" "${3:-}" || return 3
        noted=yes
        return 1
    fi
    if pings "$2" "${3:-}"; then
        said="$2 answers a ping, and no login"
        return 3
    fi
    return 1
}

# WAY ADDRESS WAY-OF-ITS-JUMP-HOST: packets to it may be lost, which its jump host says when its kernel gives up
dropped() {
    login "$3" true >/dev/null 2>&1 </dev/null || return 0 # it is the jump host that does not answer
    if pings "$2" "$3"; then
        said="$2 answers a ping, and no login"
        return 1
    fi
    code=0
    said=$(ssh -F "$patient" -n "$1" true 2>&1 </dev/null) || code=$?
}

# [WAY-OF-ITS-JUMP-HOST]: whether said is about the host itself, and says that nobody is there
absent() {
    if [ -z "$1" ]; then
        case $said in
        *"UNKNOWN port"* | *"tdio forwarding"*) return 1 ;; # a jump host that nobody told us of
        *"connect to host "*": "*"timed out"* | *"connect to host "*": No route to host"* | *"connect to host "*": Host is down"*) return 0 ;;
        esac
        return 1
    fi
    case $said in
    *"open failed: connect failed: "*"timed out"* | *"open failed: connect failed: No route to host"* | *"open failed: connect failed: Host is down"*) ;;
    *) return 1 ;;
    esac
    login "$1" true >/dev/null 2>&1 </dev/null # else a jump host before it was meant
}

# ADDRESS [WAY-OF-ITS-JUMP-HOST]
pings() {
    if [ -n "$2" ]; then
        login "$2" "ping -c 1 -W 2 $1" >/dev/null 2>&1 </dev/null
    else
        ping -c 1 -W 2 "$1" >/dev/null 2>&1 </dev/null
    fi
}

now() { date +%s; }

trouble() {
    say "$*" >&2
    failed=yes
    [ -n "$onward" ] || { say "Stopped. Put it right and run this again: what is done already is seen. Or: --keep-going." >&2; exit 1; }
}

confirm() { # SITE WHAT
    [ -z "$dry" ] || return 0
    [ -z "$sure" ] || return 0
    say "This will $2. Type $1 to go on:"
    read -r answer || answer=
    [ "$answer" = "$1" ] || stop "Nothing was done."
}

stage() { say "" "$*"; }

# SITE: where the ways of hosts that were seen off are noted, with the second; in the home of whoever does it
place() {
    state=${XDG_STATE_HOME:-${HOME:+$HOME/.local/state}}
    [ -z "$state" ] || notes=$state/mgmtplane/off-$1
}

# SITE: this run goes on where another one of the last hours stopped
remember() {
    [ -z "$dry" ] || return 0
    place "$1"
    [ -z "$again" ] || forget
    [ -z "$notes" ] || mkdir -p "${notes%/*}" 2>/dev/null || notes=
}

forget() { [ -n "$dry" ] || [ -z "$notes" ] || rm -f "$notes" 2>/dev/null || true; }

# WAY
note() { [ -z "$notes" ] || [ -n "$noted" ] || say "$(now) $1" 2>/dev/null >>"$notes" || true; }

# WAY: whether it was seen off not long ago
was_off() {
    [ -n "$notes" ] && [ -r "$notes" ] || return 1
    moment=$(now)
    while read -r when who; do
        case $when in '' | *[!0-9]*) continue ;; esac
        age=$((moment - when))
        [ "$who" != "$1" ] || [ "$age" -lt 0 ] || [ "$age" -ge "$remembered" ] || return 0
    done <"$notes"
    return 1
}

# WAY WAY-OF-ITS-JUMP-HOST: whether it was seen off before its jump host went
was_off_behind() {
    [ -n "$2" ] || return 1
    case "$lost " in *" $2 "*) was_off "$1" ;; *) return 1 ;; esac
}

# WAY ADDRESS [WAY-OF-ITS-JUMP-HOST]: of those ($behind) behind a jump host that does not answer, nothing can be said
path() {
    through=$behind
    behind=
    status=0
    [ -z "$dry" ] || return 0
    answers "$1" "$2" "${3:-}" || status=$?
    if [ "$status" = 0 ]; then
        seen=yes
    elif [ "$status" = 1 ] && was_off "$1"; then
        lost="$lost $1"
        say "${1%.ip} was seen off by an earlier run; so counts as off what that one saw off behind it"
    else
        trouble "${1%.ip} does not answer, so nothing can be said of what is reached through it: $through. ${said:-ssh said nothing}"
    fi
}

# WAY...: whoever sees nobody at all is not on the network of the site
somebody() {
    [ -z "$dry$seen" ] || return 0
    for one in "$@"; do
        ! answers "$one" '' || return 0
    done
    stop "No host of the site answers here: everything is off already, or this machine does not get there, or nobody lets it in. Nothing was done. ${said:-}"
}

# HOST WAY ADDRESS [WAY-OF-ITS-JUMP-HOST]: off unless it is off
down() {
    say "$1: shutting down"
    [ -z "$dry" ] || return 0
    status=0
    answers "$2" "$3" "${4:-}" || status=$?
    case $status in
    1)
        [ -z "$noted" ] || { say "$1: was seen off by an earlier run"; return 0; }
        say "$1: does not answer, so it is taken to be off"
        return 0
        ;;
    2) trouble "$1: cannot be logged in to. ${said:-}"; return 0 ;;
    3) trouble "$1: nobody can tell whether it runs. ${said:-ssh said nothing}"; return 0 ;;
    esac
    # the connection may end before the command does: that it began is what counts. Whose id it is, the other side knows
    # shellcheck disable=SC2016
    as_root='PATH=$PATH:/usr/sbin:/sbin; echo begun; if [ "$(id -u)" = 0 ]; then shutdown -h now; else sudo -n shutdown -h now; fi'
    code=0
    said=$(login "$2" "$as_root" 2>&1) || code=$?
    case $code,$said in 0,* | 255,*begun*) return 0 ;; esac
    trouble "$1: does not shut down. $(say "$said" | grep -vx begun || true)"
}

# HOST WAY ADDRESS [WAY-OF-ITS-JUMP-HOST]: until nobody answers there
gone() {
    [ -z "$dry" ] || return 0
    deadline=$(($(now) + patience))
    while status=0; answers "$2" "$3" "${4:-}" || status=$?; [ "$status" != 1 ]; do
        if [ "$(now)" -ge "$deadline" ]; then
            case $status in
            0) trouble "$1: still answers after $patience seconds." ;;
            *) trouble "$1: nobody can tell whether it is off, after $patience seconds. ${said:-ssh said nothing}" ;;
            esac
            return 0
        fi
        sleep "$interval"
    done
    note "$2"
    say "$1: is off"
}

# HOST VMID WAY-OF-ITS-HYPERVISOR ADDRESS-OF-THAT [WAY-OF-ITS-JUMP-HOST]: off unless it is off, and wait for it
halt() {
    say "$1: shut down virtual machine $2, from ${3%.ip}"
    [ -z "$dry" ] || return 0
    status=0
    answers "$3" "$4" "${5:-}" || status=$?
    case $status in
    0) ;;
    1) say "$1: its hypervisor does not answer, so both are taken to be off"; return 0 ;;
    *) trouble "$1: nobody can tell whether it runs. ${said:-ssh said nothing}"; return 0 ;;
    esac
    if said=$(login "$3" "$pve; \$root qm status $2 | grep -q stopped || \$root qm shutdown $2 --timeout $patience" 2>&1); then
        say "$1: is off"
    else
        trouble "$1: does not shut down. $said"
    fi
}

# HOST WAY WAY-OF-ITS-JUMP-HOST: until nobody is let in there; whoever leads to it goes with it, so nobody sees it go off
unseen() {
    [ -z "$dry" ] || return 0
    deadline=$(($(now) + patience))
    while answers "$2" ''; do
        if [ "$(now)" -ge "$deadline" ]; then
            trouble "$1: still answers after $patience seconds."
            return 0
        fi
        sleep "$interval"
    done
    note "$2"
    note "$3"
    say "$1: was told to shut down, and answers no more; that it is off cannot be seen from here"
}

# HOST WAY ADDRESS [WAY-OF-ITS-JUMP-HOST]: until it answers
awake() {
    [ -z "$dry" ] || { say "$1: wait until it answers"; return 0; }
    begun=$(now)
    while status=0; answers "$2" "$3" "${4:-}" || status=$?; [ "$status" != 0 ]; do
        waited=$(($(now) - begun))
        if [ "$status" = 2 ] || [ "$waited" -ge "$patience" ]; then
            trouble "$1: does not let anybody in after $waited seconds. ${said:-}"
            return 0
        fi
        sleep "$interval"
    done
    say "$1: is up"
}

# shellcheck disable=SC2016
pve='PATH=/usr/sbin:/usr/bin:/sbin:/bin; root=; [ "$(id -u)" = 0 ] || root="sudo -n"'

# HOST VMID WAY-OF-ITS-HYPERVISOR: a hypervisor that has just booted may start it itself, or not be able to yet
start() {
    say "$1: start virtual machine $2"
    [ -z "$dry" ] || return 0
    begun=$(now)
    until said=$(login "$3" "$pve; \$root qm status $2 | grep -q running || \$root qm start $2" 2>&1); do
        waited=$(($(now) - begun))
        case $said in *"password is required"*) waited=$patience ;; esac
        if [ "$waited" -ge "$patience" ]; then
            trouble "$1: could not be started. $said"
            return 0
        fi
        sleep "$interval"
    done
}

# HOST MAC BROADCAST [WAY-OF-ITS-RELAY]: the packet of Wake-on-LAN, to port 9
wake() {
    say "$1: wake $2${4:+, from ${4%.ip}}"
    [ -z "$dry" ] || return 0
    if [ -n "${4:-}" ]; then
        login "$4" "$(packet "$2" "$3")" || trouble "$1: its relay could not send."
    else
        sh -c "$(packet "$2" "$3")" || trouble "$1: the packet could not be sent."
    fi
}

packet() { # MAC BROADCAST: a command that sends it with what there is
    printf '%s' "if command -v wakeonlan >/dev/null; then wakeonlan -i $2 -p 9 $1; " \
        "elif command -v python3 >/dev/null; then python3 -c 'import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);" \
        " s.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1);" \
        " s.sendto(b\"\\xff\"*6+bytes.fromhex(\"$1\".replace(\":\",\"\"))*16,(\"$2\",9))';" \
        " elif command -v etherwake >/dev/null; then etherwake -b $1;" \
        " else echo 'wakeonlan, python3 or etherwake is needed to send it' >&2; exit 1; fi"
}

# HOST WHAT: people do it
by_hand() {
    say "$1: BY HAND: $2"
    [ -z "$dry" ] || return 0
    [ -z "$sure" ] || return 0
    say "Press Enter when it is done:"
    read -r _ || true
}

finished() {
    [ -z "$failed" ] || { say "" "Done, but not everything went as it should; see above." >&2; exit 1; }
    forget
    say "" "Done."
}

confirm 'lab' 'shut down every host of the site lab'
remember 'lab'

set -- "$@" 'guest-em01.ip'
set -- "$@" 'provisioner-ph01.ip'
set -- "$@" 'pi02.ip'
set -- "$@" 'pi01.ip'
set -- "$@" 'ignore.ip'
set -- "$@" 'vlans-ph01.ip'
set -- "$@" 'stray-vm01.ip'
set -- "$@" 'provisioner-vm05.ip'
set -- "$@" 'hv02.ip'
set -- "$@" 'hv01.ip'
set -- "$@" 'xn--bcher-vm01-9db.ip'
somebody "$@"

stage 'Stage 1'
down 'b\xfccher-vm01' 'xn--bcher-vm01-9db.ip' 192.0.2.61
down 'hv01' 'hv01.ip' 192.0.2.21
down 'hv02' 'hv02.ip' 192.0.2.22
down 'provisioner-vm05' 'provisioner-vm05.ip' 192.0.2.90
down 'stray-vm01' 'stray-vm01.ip' 198.51.100.77
down 'vlans-ph01' 'vlans-ph01.ip' 192.0.2.19
gone 'b\xfccher-vm01' 'xn--bcher-vm01-9db.ip' 192.0.2.61
gone 'hv01' 'hv01.ip' 192.0.2.21
gone 'hv02' 'hv02.ip' 192.0.2.22
gone 'provisioner-vm05' 'provisioner-vm05.ip' 192.0.2.90
gone 'stray-vm01' 'stray-vm01.ip' 198.51.100.77
gone 'vlans-ph01' 'vlans-ph01.ip' 192.0.2.19

stage 'Stage 2'
down 'ignore' 'ignore.ip' 198.51.100.66
down 'pi01' 'pi01.ip' 198.51.100.11
down 'pi02' 'pi02.ip' 198.51.100.150
# pi03: it has no address that ssh could reach
by_hand 'pi03' 'switch it off'
# pi04: it has no address that ssh could reach
by_hand 'pi04' 'switch it off'
# provisioner-ph01: after all that it serves
down 'provisioner-ph01' 'provisioner-ph01.ip' 192.0.2.95
gone 'ignore' 'ignore.ip' 198.51.100.66
gone 'pi01' 'pi01.ip' 198.51.100.11
gone 'pi02' 'pi02.ip' 198.51.100.150
gone 'provisioner-ph01' 'provisioner-ph01.ip' 192.0.2.95

stage 'Stage 3'
down 'guest-em01' 'guest-em01.ip' 203.0.113.9
gone 'guest-em01' 'guest-em01.ip' 203.0.113.9

stage 'Stage 4'
# core-rt02: everybody else crosses it
by_hand 'core-rt02' 'switch it off'
# edge-rt01: everybody else crosses it
by_hand 'edge-rt01' 'switch it off'
# access-sw01: everybody else crosses it
by_hand 'access-sw01' 'switch it off'
# core-rt01: everybody else crosses it
by_hand 'core-rt01' 'switch it off'

finished
