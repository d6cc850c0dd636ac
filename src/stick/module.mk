# SPDX-License-Identifier: GPL-2.0-or-later
modules += stick
stick-src := main.c volume.c
stick-use := fatfs policy wire base
