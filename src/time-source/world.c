/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What chrony asks of the world around it, answered from what this process was handed: sockets
 * come from the supervisor, names are not known, the end is an exit. The names are chrony's and the
 * linker's (--wrap).
 */
#include "config.h"

#include "sysincl.h"

#include "main.h"
#include "nameserv.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "time-source/time_source.h"

#define NONE (-1)

int __wrap_socket(int domain, int type, int protocol);
int __wrap_SCK_OpenUdpSocket(IPSockAddr *remote, IPSockAddr *local, const char *interface,
			     int flags);
int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *out);
FILE *__wrap_popen(const char *command, const char *mode);

/* Directories of settings and mail about steps: not used, and 150 KB of the C library. */
int __wrap_glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *out)
{
	return GLOB_NOMATCH;
}

FILE *__wrap_popen(const char *command, const char *mode)
{
	errno = EPERM;
	return NULL;
}

/* Nobody opens one here: chrony asks for it only to learn which flags the kernel knows. */
int __wrap_socket(int domain, int type, int protocol)
{
	errno = EPERM;
	return -1;
}

static bool is_server(const struct snapshot_time_server *server, const IPAddr *address)
{
	uint32_t in4_be = htonl(address->addr.in4);

	if (address->family == IPADDR_INET4)
		return server->address.family == 4 &&
		       memcmp(server->address.addr, &in4_be, sizeof(in4_be)) == 0;
	return address->family == IPADDR_INET6 && server->address.family == 6 &&
	       memcmp(server->address.addr, address->addr.in6, sizeof(address->addr.in6)) == 0;
}

/* The address that an answer came to belongs to it, for chrony. */
static void want_own_address(int fd, int family)
{
	int on = 1;

	/* Without it chrony takes an answer all the same. */
	if (family == IPADDR_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

int __wrap_SCK_OpenUdpSocket(IPSockAddr *remote, IPSockAddr *local, const char *interface,
			     int flags)
{
	const struct snapshot *policy = &time_source.policy;
	int fd;

	for (uint32_t i = 0; remote != NULL && i < policy->time_server_count; i++) {
		if (time_source.sockets[i] < 0 ||
		    !is_server(&policy->time_servers[i], &remote->ip_addr))
			continue;
		fd = fcntl(time_source.sockets[i], F_DUPFD_CLOEXEC, 0); /* chrony closes its own */
		if (fd >= 0)
			want_own_address(fd, remote->ip_addr.family);
		return fd;
	}
	return NONE;
}

void DNS_SetAddressFamily(int family)
{
}

DNS_Status DNS_Name2IPAddress(const char *name, IPAddr *addresses, int max)
{
	return DNS_Failure; /* servers are addresses */
}

int DNS_IPAddress2Name(IPAddr *address, char *name, int size)
{
	return 0;
}

void DNS_Reload(void)
{
}

void MAI_CleanupAndExit(void)
{
	exit(1);
}
