#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The first process of a User-mode Linux guest whose root is the test root: gives it file systems of its own, runs the
# command line in the file /out/uml/command, leaves its status in /out/uml/status, and ends the guest.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /run/netns /run/lock
ln -s /proc/self/fd /dev/fd
ip link set lo up
cd /src || exit 1
sh /out/uml/command </dev/null
echo $? >/out/uml/status
sync
poweroff -f
