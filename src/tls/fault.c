/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong with TLS, in words. */
#include "tls/fault.h"

const char *tls_fault_text(enum tls_fault fault)
{
	static const char *const texts[TLS_FAULT_COUNT_] = {
		[TLS_FAULT_NONE] = "none",
		[TLS_FAULT_IDENTITY] = "own certificate or key cannot be used",
		[TLS_FAULT_AUTHORITY] = "authority certificates cannot be used",
		[TLS_FAULT_VERSION] = "no common TLS version",
		[TLS_FAULT_SUITE] = "no common TLS suite",
		[TLS_FAULT_NO_CERT] = "no certificate was shown",
		[TLS_FAULT_EXPIRED] = "certificate has expired",
		[TLS_FAULT_NOT_YET] = "certificate does not hold yet",
		[TLS_FAULT_NAME] = "certificate is for another name",
		[TLS_FAULT_UNTRUSTED] = "certificate is of an unknown authority",
		[TLS_FAULT_WEAK] = "certificate has a weak key or signature",
		[TLS_FAULT_CERTIFICATE] = "certificate cannot be accepted",
		[TLS_FAULT_ALERT] = "ended by an alert",
		[TLS_FAULT_PROTOCOL] = "not TLS",
		[TLS_FAULT_CUT] = "cut off",
		[TLS_FAULT_MEMORY] = "out of memory",
	};

	return texts[fault < TLS_FAULT_COUNT_ ? fault : TLS_FAULT_PROTOCOL];
}
