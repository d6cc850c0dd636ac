# SPDX-License-Identifier: GPL-2.0-or-later
modules += screen-viewer
screen-viewer-src := main.c client.c records.c secure.c update.c
screen-viewer-use := screen-session tls policy wire base
screen-viewer-lib := -lnettle
