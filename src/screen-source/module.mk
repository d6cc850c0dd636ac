# SPDX-License-Identifier: GPL-2.0-or-later
modules += screen-source
screen-source-src := main.c desktop.c receive.c secure.c tiles.c input.c
screen-source-use := screen-session tls policy wire base
screen-source-lib := -lnettle -lz
