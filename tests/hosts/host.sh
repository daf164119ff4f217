# Becomes the first process of one host: its own root over the machine's, then sshd, or systemd. $1 is its name,
# $2 its folder in the lab, $3 a folder of the test with what it is given, $4 what its first process is.
set -e
umask 022
name=$1 kept=$2 given=$3 first=$4 root=$2/whole
. "${0%/*}/systemd.sh"

# What the machine has below / is seen, and never written; what belongs to one machine alone is hidden.
mkdir -p "$kept/upper" "$kept/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$kept/upper,workdir=$kept/work" "$root"
cd "$root"
for own in run tmp home root mnt srv; do
    if [ ! -d "$own" ]; then mkdir "$own"; fi
    mkdir -p "$kept/own/$own"
    mount --bind "$kept/own/$own" "$own"
done
chmod 1777 tmp
chmod 0700 root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
# What the kernel has only once is the machine's: the clock (see below), and every setting but the network's.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys

mount -t tmpfs -o mode=0755 dev dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

if [ ! -e "$kept/installed" ]; then
    rm -f etc/ssh/ssh_host_* etc/machine-id etc/resolv.conf var/lib/dbus/machine-id
    mkdir -p etc/ssh root/.ssh
    install -m 0600 "$given/host_key" etc/ssh/ssh_host_ed25519_key
    install -m 0644 "$given/host_key.pub" etc/ssh/ssh_host_ed25519_key.pub
    install -m 0600 "$given/authorized_keys" root/.ssh/authorized_keys
    chmod 0700 root/.ssh
    echo "$name" >etc/hostname
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >etc/hosts
    echo "nameserver 127.0.0.1" >etc/resolv.conf # nobody listens there: a look-up fails at once
    cp "$given/machine_id" etc/machine-id
    cp etc/skel/.[a-z]* root/ 2>/dev/null || true
    [ "$first" != systemd ] || prepare_systemd
    : >"$kept/installed"
fi
if [ "$first" = systemd ]; then mount -t cgroup2 cgroup2 sys/fs/cgroup; fi
hostname "$name"

mkdir -p run/sshd left
chmod 0755 run/sshd
pivot_root . left
umount -l left
rmdir left 2>/dev/null || true

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /
never=-sys_time,-sys_module,-syslog,-sys_boot
if [ "$first" = systemd ]; then
    export container=lab
    exec setpriv --bounding-set=$never /lib/systemd/systemd --log-target=journal
fi
# A first process takes up orphans, and a host lives on where its sshd is started again.
trap : TERM HUP INT
sleep infinity &
setpriv --bounding-set=$never /usr/sbin/sshd -D -e &
while :; do wait; done
