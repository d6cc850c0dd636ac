/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chrony's engine: what of it is wanted, how it is set, and the order in which it is begun. */
#include "config.h"

#include "sysincl.h"

#include "clientlog.h"
#include "conf.h"
#include "keys.h"
#include "local.h"
#include "logging.h"
#include "ntp_core.h"
#include "ntp_io.h"
#include "ntp_sources.h"
#include "nts_ke_client.h"
#include "refclock.h"
#include "reference.h"
#include "rtc.h"
#include "sched.h"
#include "smooth.h"
#include "socket.h"
#include "sources.h"
#include "sourcestats.h"
#include "leapdb.h"
#include "manual.h"
#include "sys_null.h"
#include "tempcomp.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "channel/control.h"
#include "time-source/time_source.h"

#define LINE_BYTES   160
#define REPORT_S     1.0
#define POLL_MIN     3 /* log2 of seconds, here and below */
#define POLL_MAX     6
#define ASKED_BEFORE 4 /* so often before it counts as lost */

/*
 * Stepped by the first measurement that is believed, and never again: from then on the clock is
 * turned gently, and who says that it is wrong by more than a minute is not believed. A leap second
 * is turned, too: no second is there twice.
 */
static const char *const settings[] = {
	"makestep 0.1 1", "maxchange 60 1 -1", "maxslewrate 400",
	"maxdrift 400",   "leapsecmode slew",  "rtcsync",
};

static void set(unsigned number, const char *line)
{
	char copy[LINE_BYTES];

	(void)snprintf(copy, sizeof(copy), "%s", line); /* chrony takes it apart in place */
	CNF_ParseLine(NULL, (int)number, copy);
}

static int poll_interval(uint32_t lost_after_s)
{
	int poll = POLL_MIN;

	while (poll < POLL_MAX && ASKED_BEFORE << (poll + 1) <= (int64_t)lost_after_s)
		poll++;
	return poll;
}

static void set_server(unsigned number, const struct snapshot_time_server *server)
{
	char address[INET6_ADDRSTRLEN], line[LINE_BYTES];

	if (inet_ntop(server->address.family == 6 ? AF_INET6 : AF_INET, server->address.addr,
		      address, sizeof(address)) == NULL)
		return; /* not with what the loader has checked */
	(void)snprintf(line, sizeof(line), "server %s iburst minpoll %d maxpoll %d", address,
		       POLL_MIN, poll_interval(server->lost_after_s));
	set(number, line);
}

static void configure(void)
{
	unsigned number = 0;

	CNF_Initialise(0, 1); /* a client only: nothing listens */
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		set(++number, settings[i]);
	for (uint32_t i = 0; i < time_source.policy.time_server_count; i++)
		set_server(++number, &time_source.policy.time_servers[i]);
}

static void on_control(int fd, int event, void *ctx)
{
	time_source_serve();
}

static void report(void *ctx)
{
	struct control_time body;

	servers_report(&body);
	/* A full queue: the next report says the same, or better. */
	(void)channel_send(&time_source.process.control, CONTROL_TIME, &body, sizeof(body), NULL,
			   0);
	(void)SCH_AddTimeoutByDelay(REPORT_S, report, NULL); /* never taken back */
}

/* The order is that of chrony's own main: each part may use those before it. */
void engine_prepare(bool sets_clock)
{
	LOG_Initialise();
	LOG_SetMinSeverity(LOGS_FATAL); /* events tell the rest */
	configure();
	LCL_Initialise();
	SCH_Initialise();
	SCK_Initialise(IPADDR_UNSPEC);
	if (sets_clock)
		driver_begin();
	else
		SYS_Null_Initialise();
	RTC_Initialise(0);
	SRC_Initialise();
	RCL_Initialise();
	KEY_Initialise();
	NIO_Initialise();
	NCR_Initialise();
	LDB_Initialise();
	REF_Initialise();
	SST_Initialise();
	NSR_Initialise();
	CLG_Initialise();
	MNL_Initialise();
	TMC_Initialise();
	SMT_Initialise();
	REF_SetMode(REF_ModeNormal);
}

void engine_run(void)
{
	CNF_AddSources();
	NSR_StartSources();
	SCH_AddFileHandler(FD_CONTROL, SCH_FILE_INPUT, on_control, NULL);
	report(NULL);
	SCH_MainLoop();
	/* From here on nobody corrects the clock: it keeps its rate, not a turn that is under way.
	 */
	LCL_CancelOffsetCorrection();
}

void engine_stop(void)
{
	SCH_QuitProgram();
}
