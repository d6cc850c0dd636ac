# SPDX-License-Identifier: GPL-2.0-or-later
# Process 1 of the appliance: brings the system up, keeps the supervisor alive, ends the system.
modules += init
init-src := main.c data.c disk.c end.c keeper.c ports.c say.c settings.c wipe.c
init-use := base
