# SPDX-License-Identifier: GPL-2.0-or-later
# TLS sessions over a descriptor, and the certificates that they need. No program of its own.
modules += tls
tls-src := tls.c fault.c stream.c gcm.c pem.c identity.c make.c names.c
tls-use := base
tls-lib := -L$(O)/mbedtls/lib -lmbedtls -lmbedx509 -lmbedcrypto -lnettle
