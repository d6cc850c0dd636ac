#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a command inside the KIND root, in mount, process (and, for tests, network and IPC) namespaces of its own:
# whatever it mounts, starts or names is gone when it ends, also after a failure or a kill.
# usage: enter.sh build|test SOURCE-DIR OUTPUT-DIR COMMAND [ARG...]
# Inside, the sources are at /src, the output at /out, the cache at /cache, shared test material (if any) at /shared.
set -eu

kind=${1:?}; source=$(cd "${2:?}" && pwd); mkdir -p "${3:?}"; output=$(cd "$3" && pwd)
shift 3
root=$("$source/rootfs/make-root.sh" "$kind")
cache=${SEKISHO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sekisho}
shared=${SEKISHO_SHARED:-$source/../shared}

spaces="--mount --pid --fork --kill-child=KILL"
[ "$kind" = test ] && spaces="$spaces --net --ipc --uts"

export root source output cache shared
# shellcheck disable=SC2086 # the list of namespaces is words on purpose
exec unshare $spaces --propagation private sh -euc '
	mount --rbind "$root" "$root"
	cd "$root"
	mkdir -p src out cache shared
	mount -t proc proc proc
	mount --rbind /sys sys
	mount --rbind /dev dev
	mount -t tmpfs tmpfs run
	mkdir -p run/lock run/netns
	mount -t tmpfs tmpfs tmp
	mount --bind "$source" src
	mount --bind "$output" out
	mount --bind "$cache" cache
	[ ! -d "$shared" ] || mount --bind -o ro "$shared" shared
	[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf etc/resolv.conf
	ip link set lo up 2>/dev/null || :
	exec env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1767225600}" CI="${CI:-}" V="${V:-}" \
		CCACHE_DIR=/cache/ccache http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
		chroot . sh -c "cd /src && exec \"\$@\"" enter "$@"
' enter "$@"
