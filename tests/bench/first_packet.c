/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the first packet of a flow takes until its answer is there. One side answers UDP
 * datagrams; the other opens flows one after the other, each from a port of its own, and prints the
 * median and the 99th percentile in microseconds and how many stayed without an answer.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS_MAX 100000UL

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int serve(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t packet[2048];

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return -1;
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		ssize_t n =
			recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &size);

		if (n >= 0) /* an answer that cannot be sent counts as lost over there */
			(void)sendto(fd, packet, (size_t)n, 0, (struct sockaddr *)&from, size);
	}
}

/* One flow from @source; its time in microseconds, or negative: no answer within a second. */
static double ask(const struct sockaddr_in *to, struct in_addr source)
{
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = source};
	const struct timeval second = {.tv_sec = 1};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	double begin, took = -1;
	char packet[16] = "first";

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) == 0) {
		begin = now_us();
		if (send(fd, packet, sizeof(packet), 0) >= 0 &&
		    recv(fd, packet, sizeof(packet), 0) >= 0)
			took = now_us() - begin;
	}
	if (fd >= 0)
		(void)close(fd); /* nothing is left in it */
	return took;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(const struct sockaddr_in *to, struct in_addr first, unsigned sources,
		   unsigned long count)
{
	static double times[FLOWS_MAX];
	unsigned long got = 0;

	for (unsigned long i = 0; i < count; i++) {
		struct in_addr source = {htonl(ntohl(first.s_addr) + (uint32_t)(i % sources))};
		double took = ask(to, source);

		if (took >= 0)
			times[got++] = took;
	}
	if (got == 0)
		return -1;
	qsort(times, got, sizeof(times[0]), by_size);
	printf("%.1f %.1f %lu\n", times[got / 2], times[got * 99 / 100], count - got);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: first_packet PORT\n"
			"       first_packet ADDRESS PORT FIRST-SOURCE SOURCES FLOWS\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	unsigned long sources, flows;
	struct in_addr first;
	int err;

	if (argc == 2) {
		err = serve((uint16_t)strtoul(argv[1], NULL, 10));
	} else if (argc == 6) {
		sources = strtoul(argv[4], NULL, 10);
		flows = strtoul(argv[5], NULL, 10);
		to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
		if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
		    inet_pton(AF_INET, argv[3], &first) != 1 || sources == 0 || flows == 0 ||
		    flows > FLOWS_MAX)
			return usage();
		err = measure(&to, first, (unsigned)sources, flows);
	} else {
		return usage();
	}
	if (err != 0)
		perror("first_packet");
	return err != 0;
}
