#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a command inside the KIND root, in mount, process (and, for tests, network and IPC) namespaces of its own:
# whatever it mounts, starts or names is gone when it ends, also after a failure or a kill.
# usage: enter.sh build|test SOURCE-DIR OUTPUT-DIR COMMAND [ARG...]
# Inside, the sources are at /src, the output at /out, the cache at /cache, shared test material (if any) at /shared.
set -eu

usage="usage: enter.sh build|test SOURCE-DIR OUTPUT-DIR COMMAND [ARG...]"
kind=${1:?$usage}; source=$(cd "${2:?$usage}" && pwd); mkdir -p "${3:?$usage}"; output=$(cd "$3" && pwd)
shift 3
[ $# -gt 0 ] || { echo "$usage" >&2; exit 2; }
root=$("$source/rootfs/make-root.sh" "$kind")
cache=${SEKISHO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sekisho}
shared=${SEKISHO_SHARED:-$source/../shared}

spaces="--mount --pid"
[ "$kind" = test ] && spaces="$spaces --net --ipc --uts"
export kind root source output cache shared

# The mounts of one run, made in its own mount namespace on top of a root that others use at the same time: nothing here
# writes to the root but the mount points that are missing (and they are the same for all).
# shellcheck disable=SC2016 # expanded inside
inside='
	mount --rbind "$root" "$root"
	cd "$root"
	mkdir -p src out cache shared
	[ -e etc/resolv.conf ] || : >etc/resolv.conf
	mount -t proc proc proc
	if [ "$kind" = test ]; then
		mount -t sysfs sysfs sys
		[ ! -d /sys/fs/cgroup ] || mount --rbind /sys/fs/cgroup sys/fs/cgroup
	else
		mount --rbind /sys sys
	fi
	mount --rbind /dev dev
	[ "$kind" = build ] || mount -t tmpfs -o mode=1777 tmpfs dev/shm
	mount -t tmpfs -o mode=755 tmpfs run
	mkdir -p run/lock run/netns
	mount -t tmpfs -o mode=1777 tmpfs tmp
	mount --bind "$source" src
	mount --bind "$output" out
	mount --bind "$cache" cache
	[ ! -d "$shared" ] || mount --bind -o ro "$shared" shared
	[ ! -e /etc/resolv.conf ] || mount --bind /etc/resolv.conf etc/resolv.conf
	set +e
	# Process 1 of the namespace stays this shell, which reaps orphans; the command is an ordinary process with default
	# signals. /src may be owned by another user than root: git is told that this is fine.
	chroot . env -i --default-signal=INT,QUIT HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1767225600}" CI="${CI:-}" V="${V:-}" DEMO="${DEMO:-}" BOOTS="${BOOTS:-3}" CUTS="${CUTS:-}" STEPS="${STEPS:-40}" SEED="${SEED:-1}" HOURS="${HOURS:-}" SEKISHO_LEDGER="${LEDGER:-2000}" ROUNDS="${ROUNDS:-5}" \
		COMMITS="${COMMITS:-}" CONFIGS="${CONFIGS:-}" KILLS="${KILLS:-}" FLOWS="${FLOWS:-}" QUEUES="${QUEUES:-}" POLICIES="${POLICIES:-30}" PACKETS="${PACKETS:-300}" SMUGGLING="${SMUGGLING:-}" SESSIONS="${SESSIONS:-}" VIEWERS="${VIEWERS:-}" \
		CCACHE_DIR=/cache/ccache http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
		GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="*" \
		sh -c "if [ $kind = test ]; then ip link set lo up; fi; cd /src && exec \"\$@\"" enter "$@"
	exit $?
'

# Each link of the chain dies with the one before it, so that killing this script, in whatever way, ends everything inside.
# unshare itself blocks SIGINT and SIGTERM while it waits, hence the traps here.
exec 3<&0
# shellcheck disable=SC2086 # the list of namespaces is words on purpose
setpriv --pdeathsig KILL unshare $spaces --fork --kill-child=KILL --propagation private \
	sh -euc "$inside" enter "$@" <&3 3<&- &
child=$!
trap 'kill -KILL $child 2>/dev/null; exit 130' INT
trap 'kill -KILL $child 2>/dev/null; exit 143' TERM HUP
wait $child
