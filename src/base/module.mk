# SPDX-License-Identifier: GPL-2.0-or-later
# What every program stands on; includes nothing else of src/.
modules += base
base-src := err.c buf.c utf8.c sha256.c event.c clock.c loop.c channel.c sandbox.c process.c
base-use :=
base-lib := -lnettle
base-src += sealed.c shared.c file.c sandbox_filter.c
