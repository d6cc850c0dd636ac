# SPDX-License-Identifier: GPL-2.0-or-later
# The client of NTP: chrony's engine (rootfs/sources/chrony) between walls of ours. What it would open, it is handed (world.c).
modules += time-source
time-source-src := main.c engine.c servers.c driver.c world.c
time-source-use := policy base
time-source-cflags := -isystem $(O)/chrony/include
time-source-lib := -L$(O)/chrony/lib -lchrony -lm -Wl,--wrap=socket,--wrap=SCK_OpenUdpSocket,--wrap=glob,--wrap=popen
