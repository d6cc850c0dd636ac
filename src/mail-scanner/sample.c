/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the gateway's own, which show how a scanner is. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail-scanner/scan.h"

#define HEADER "From: <sekisho@mail.invalid>\r\nSubject: sample\r\nMIME-Version: 1.0\r\n"
#define TEXT   "Content-Type: text/plain\r\n\r\nA harmless text, to be scanned.\r\n"
#define BEFORE HEADER "Content-Type: multipart/mixed; boundary=part\r\n\r\n--part\r\n" TEXT
/* The test file of the European Institute for Computer Antivirus Research: 68 octets. */
#define TEST_FILE                                                                                  \
	"\r\n--part\r\nContent-Type: application/octet-stream\r\n"                                 \
	"Content-Transfer-Encoding: base64\r\n\r\n"                                                \
	"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElW\r\n"                     \
	"SVJVUy1URVNULUZJTEUhJEgrSCo=\r\n--part--\r\n"

enum { LINE_OCTETS = 78 };

struct span scan_sample_harmless(void)
{
	return span_of(HEADER TEXT);
}

int scan_sample_test(size_t size, struct span *out)
{
	static const size_t fixed = sizeof(BEFORE) - 1 + sizeof(TEST_FILE) - 1;
	char *message, *end;

	if (size < fixed)
		size = fixed;
	message = malloc(size);
	if (message == NULL)
		return -ERR_NO_MEMORY;
	end = message + size - (sizeof(TEST_FILE) - 1);
	memset(message, 'x', size);
	memcpy(message, BEFORE, sizeof(BEFORE) - 1);
	for (char *at = message + sizeof(BEFORE) - 1; end - at > LINE_OCTETS; at += LINE_OCTETS)
		memcpy(at + LINE_OCTETS - 2, "\r\n", 2);
	memcpy(end, TEST_FILE, sizeof(TEST_FILE) - 1);
	*out = (struct span){(const uint8_t *)message, size};
	return 0;
}
