/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends UDP packets of one flow as fast as it can and prints the processor time of one packet in
 * nanoseconds. Over veth the whole way of a packet, every namespace's rules included, runs in the
 * sender's own system call: a measure of the path's cost that other load on the machine hardly
 * disturbs.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

static int send_all(int fd, unsigned long count)
{
	static uint8_t payload[PAYLOAD_BYTES];
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
	double before = used_ns();

	if (send_all(fd, count) != 0) {
		perror("udp_load");
		return 1;
	}
	printf("%.1f\n", (used_ns() - before) / (double)count);
	return 0;
}
