/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends UDP packets of one flow as fast as it can and prints the processor time of one packet in
 * nanoseconds, and the seconds that all took. Over veth the whole way of a packet, every
 * namespace's rules included, runs in the sender's own system call: a measure of the path's cost
 * that other load on the machine hardly disturbs. The payload is a DNS query of 64 bytes, which a
 * gateway may be told to look at one by one.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST         64
#define PAYLOAD_BYTES 64

static double used_ns(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r); /* cannot fail with these arguments */
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e9 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e3;
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* RFC 1035 4.1: one question, recursion desired; a name of two labels; type A, class IN. */
static void make_query(uint8_t query[PAYLOAD_BYTES])
{
	enum { LABELS_AT = 12, FIRST_BYTES = 23, SECOND_BYTES = 22 };

	memset(query, 0, PAYLOAD_BYTES);
	query[2] = 1;
	query[5] = 1;
	memset(query + LABELS_AT, 'a', FIRST_BYTES + SECOND_BYTES + 2);
	query[LABELS_AT] = FIRST_BYTES;
	query[LABELS_AT + 1 + FIRST_BYTES] = SECOND_BYTES;
	query[PAYLOAD_BYTES - 3] = 1;
	query[PAYLOAD_BYTES - 1] = 1;
}

static int send_all(int fd, unsigned long count)
{
	static uint8_t payload[PAYLOAD_BYTES];

	make_query(payload);
	struct iovec iov = {payload, sizeof(payload)};
	struct mmsghdr messages[BURST];

	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BURST; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	for (unsigned long sent = 0; sent < count; sent += BURST) {
		if (sendmmsg(fd, messages, BURST, 0) < 0)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: udp_load ADDRESS PORT PACKETS\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	unsigned long count = strtoul(argv[3], NULL, 10);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
	    send_all(fd, BURST) != 0) {
		perror("udp_load");
		return 1;
	}
	usleep(300000); /* the flow's verdict is there, and its answer has come */
	double before = used_ns(), begin = now_s();

	if (send_all(fd, count) != 0) {
		perror("udp_load");
		return 1;
	}
	printf("%.1f %.6f\n", (used_ns() - before) / (double)count, now_s() - begin);
	return 0;
}
