#!/bin/sh
# The application back on this machine, from this kit alone:
#
#     sh restore.sh DIRECTORY [OPTIONS]   an empty one, or one that is not there; it gets the program and its data
#
# OPTIONS: --identity FILE, --passphrase-stdin or --without-secrets; without any it asks for the backup's passphrase.
# Where it failed or was interrupted, the same command goes on in the same DIRECTORY.
# With KIT_FINGERPRINT=SHA256:… in the environment a kit that is not signed with that key is refused.
# It needs Python 3.11 to 3.14: the one that PYTHON names, else one that the wheels in application/wheels are for, else any.
# Without a network it needs those wheels.
set -eu
unset CDPATH

here=$(cd "$(dirname "$0")" && pwd)
wheels=$here/application/wheels
stop() { printf '%s\n' "$*" >&2; exit 2; }

case ${1:-} in '' | -*) stop "Name an empty directory first: sh restore.sh /srv/mgmtplane" ;; esac
case $1 in /*) target=$1 ;; *) target=$(pwd)/$1 ;; esac
shift
# without the .. and . of who stands in the kit
if [ -d "$target" ]; then
    target=$(cd "$target" && pwd)
elif parent=$(cd "$(dirname "$target")" 2>/dev/null && pwd); then
    target=${parent%/}/$(basename "$target")
fi

# Options are looked at before anything is done, and used at the end.
before=
for word in "$@"; do
    file=
    if [ "$before" = --identity ]; then
        file=${word:-an empty name}
        word=
    else
        case $word in
            --identity=?*) file=${word#*=} ;;
            --identity | --passphrase-stdin | --without-secrets) ;;
            *) stop "$word is no option of restore.sh; there are --identity FILE, --passphrase-stdin and --without-secrets." ;;
        esac
    fi
    [ -z "$file" ] || { [ -r "$file" ] && [ ! -d "$file" ]; } || stop "$file cannot be read; --identity names the file with the private key."
    before=$word
done
[ "$before" != --identity ] || stop "--identity names no file; write the one with the private key behind it."

# There while the directory has only a part: the sums of the kit that the part is of. It comes first and goes last.
marker=$target/.restoring
case $target/ in "$here"/*) stop "$target lies in the kit itself, which is to stay as it is; name an empty directory elsewhere." ;; esac
[ ! -e "$target" ] || [ -d "$target" ] || stop "$target is no directory; name an empty one, or one that is not there."
if [ -e "$marker" ]; then
    cmp -s "$here/SHA256SUMS" "$marker" ||
        stop "Restoring another kit into $target was interrupted; go on with that kit, or name an empty directory."
elif [ -e "$target/manage.py" ]; then
    stop "$target has the application already; name an empty directory."
elif [ -d "$target" ]; then
    # but for what a fresh file system has, an environment that lies ready, and the mark of a restore that was killed while
    # it wrote it
    others=$(find "$target/." ! -name . -prune ! -name lost+found ! -name .venv ! -name .restoring.new -print)
    [ -z "$others" ] || stop "$target is not empty: it has $(basename "${others%%
*}"). Nothing was touched; name an empty directory."
fi

# The word $1 as a shell reads it.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# Whether the Python $1 can make an environment, and is of one of the versions $2 where any are named.
suits() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c '
import sys, venv, ensurepip
found, wanted = sys.version_info, sys.argv[1].split()
sys.exit(not ((3, 11) <= found < (3, 15) and (not wanted or "%d.%d" % found[:2] in wanted)))' "$2" 2>/dev/null
}
made_for=$(find "$wheels" -name '*.whl' 2>/dev/null | sed -n 's/.*-cp3\([0-9]*\)-cp3[^/]*$/3.\1/p' | sort -u | tr '\n' ' ')
python=
if suits "${PYTHON:-}" ""; then python=$PYTHON; fi
for versions in "$made_for" ""; do
    for one in python3.13 python3.12 python3.11 python3.14 python3; do
        if [ -z "$python" ] && suits "$one" "$versions"; then python=$one; fi
    done
done
[ -n "$python" ] || stop "Python 3.11 to 3.14 with its venv module is needed (Debian, Ubuntu: apt-get install python3-venv)."
"$python" "$here/check.py" "$here" || stop "This kit is damaged, or it is not signed as it should be; take another."

ended() {
    status=$?
    [ "$status" -eq 0 ] || printf '%s\n' "This is not done. Mend what is said above and give the same command again: it goes on in $target." >&2
    exit "$status"
}
trap ended EXIT
mkdir -p "$target"
cp "$here/SHA256SUMS" "$marker.new"
mv "$marker.new" "$marker"
tar -x -C "$target" -f "$here/application/source.tar"
# An environment that lies there already is used: pip fetches what it lacks, and nothing where it has all.
if ! "$target/.venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$target/.venv"
    "$python" -m venv "$target/.venv"
fi
pip() { "$target/.venv/bin/python" -m pip install --quiet "$@" --require-hashes -r "$target/requirements.txt"; }
if ls "$wheels"/*.whl >/dev/null 2>&1; then
    pip --no-index --find-links "$wheels" || {
        [ -L "$target/.venv" ] || rm -rf "$target/.venv" # another Python may come next
        stop "Wheels in this kit: $(sed -n 's/^Wheels: *//p' "$here/built.txt"). PYTHON=/path/to/python names another Python."
    }
else
    pip
fi
backup=
for one in "$here"/application/backup/*.tar; do
    [ ! -e "$one" ] || backup=$one
done
if [ -n "$backup" ]; then
    "$target/.venv/bin/python" "$target/manage.py" backup restore "$backup" "$@"
    rm "$marker"
    behind=$(sed -n 's/^Behind: *//p' "$here/built.txt" 2>/dev/null) || behind=
    [ -z "$behind" ] || printf 'This kit is newer: %s%s/%s\n' "${behind%%KIT/*}" "$here" "${behind#*KIT/}"
else
    trap - EXIT
    rm "$marker"
    stop "The program is in $target. This kit has no backup: the site comes back from its text, without people, history and jobs, by
    cd $(quoted "$target")
    .venv/bin/python manage.py migrate
    .venv/bin/python manage.py declare $(quoted "$here/site.yml") --apply"
fi
