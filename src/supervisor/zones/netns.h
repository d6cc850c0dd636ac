/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: made under a name that `ip netns` knows, entered for one call, removed. */
#ifndef SEKISHO_SUPERVISOR_ZONES_NETNS_H
#define SEKISHO_SUPERVISOR_ZONES_NETNS_H

#include <stddef.h>
#include <stdint.h>

#define NETNS_DIRECTORY "/run/netns"

/* Descriptor of the namespace in which the caller is now, or -ERR_SYSTEM. */
int netns_current(void);

/**
 * netns_make - a new namespace
 * @name: its name below /run/netns; NULL: without a name, it lives as long as a descriptor or a
 * process is in it
 * Return: a descriptor, owned by the caller; -ERR_EXISTS; -ERR_SYSTEM.
 */
int netns_make(const char *name);
int netns_open(const char *name);
/* Take the name away. Return: 0 or -ERR_SYSTEM. */
int netns_unname(const char *name);

/*
 * Enter a namespace for the calls up to netns_leave. To be left in a zone would be worse than to
 * end: leave aborts where the kernel refuses the way back.
 */
int netns_enter(int netns_fd);
void netns_leave(int home_fd);

/*
 * Write one sysctl of the current network namespace; @name as in "net/ipv4/ip_forward". 0 or
 * -ERR_SYSTEM.
 */
int netns_sysctl(const char *name, const char *value);

/**
 * netns_sysctl_read - read one as it is
 * @value: NUL-terminated, without the end of the line; cut at @value_bytes
 * Return: 0, -ERR_NOT_FOUND, -ERR_TOO_LONG (its name) or -ERR_SYSTEM.
 */
int netns_sysctl_read(const char *name, char *value, size_t value_bytes);

/* Read one that is a number from 0 on. Return: 0, -ERR_SYNTAX (it is none) or as above. */
int netns_sysctl_number(const char *name, uint64_t *out);

/* Call @each with every name below /run/netns that begins with @prefix. */
int netns_each(const char *prefix, int (*each)(const char *name, void *ctx), void *ctx);

#endif
