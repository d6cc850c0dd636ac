# SPDX-License-Identifier: GPL-2.0-or-later
modules += screen-source
screen-source-src := main.c desktop.c tiles.c input.c
screen-source-use := screen-session policy wire base
screen-source-lib := -lnettle -lz
