/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error numbers of the house: functions return 0 or one of these, negated. */
#ifndef SEKISHO_BASE_ERR_H
#define SEKISHO_BASE_ERR_H

enum err {
	ERR_NONE = 0,
	ERR_SYNTAX,      /* input does not follow its grammar */
	ERR_TOO_LONG,    /* a named limit of the parser or the buffer is passed */
	ERR_TRUNCATED,   /* input ends before a complete item: more bytes may help */
	ERR_RANGE,       /* a number outside its allowed range */
	ERR_UNSUPPORTED, /* well-formed, but not something we do */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_STATE,     /* not allowed now */
	ERR_DENIED,    /* policy refuses */
	ERR_INTEGRITY, /* checksum, hash chain or seal is wrong */
	ERR_NO_SPACE,  /* a fixed-size table or buffer of ours is full */
	ERR_NO_MEMORY,
	ERR_TIMEOUT,
	ERR_CLOSED, /* the peer has gone */
	ERR_AGAIN,  /* nothing to do right now */
	ERR_PEER,   /* the peer broke its protocol */
	ERR_SYSTEM, /* a system call failed; errno holds why */
	ERR_COUNT_
};

/**
 * err_name - the fixed lower-case name of an error ("too-long"), for logs and messages
 * @err: an enum err, positive or negated
 * Return: a static string; "unknown" for any other number.
 */
const char *err_name(int err);

#endif
