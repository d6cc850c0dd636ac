/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the identification line with which an SSH client begins. */
#ifndef SEKISHO_WIRE_PACKET_SSH_BANNER_H
#define SEKISHO_WIRE_PACKET_SSH_BANNER_H

#include <stddef.h>

#include "base/buf.h"

#define SSH_BANNER_BYTES_MAX 255 /* with CR and LF (RFC 4253 4.2) */

/**
 * ssh_banner_read - read a client's identification, "SSH-2.0-software [comments]" CR LF
 * @software: set to what names the client's software; a view into @stream
 * Return: 0; -ERR_TRUNCATED where what is there is right so far; -ERR_UNSUPPORTED where it is not
 * SSH, or SSH 1; -ERR_SYNTAX where it contradicts RFC 4253 4.2; -ERR_TOO_LONG without a line end
 * within SSH_BANNER_BYTES_MAX.
 */
int ssh_banner_read(struct span *software, const void *stream, size_t stream_bytes);

#endif
