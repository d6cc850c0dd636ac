/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the time servers say, from chrony's own reports. */
#include "config.h"

#include "sysincl.h"

#include "local.h"
#include "reference.h"
#include "reports.h"
#include "sources.h"

#include <math.h>

#include "time-source/time_source.h"

#define NS_PER_S    1e9
#define SECONDS_MAX 1e9 /* of an offset that can be told */
#define REACH_BITS  0xffU

static int64_t nanoseconds(double seconds)
{
	if (isnan(seconds))
		return 0;
	return llround(fmax(-SECONDS_MAX, fmin(SECONDS_MAX, seconds)) * NS_PER_S);
}

static enum clock_server_state state_of(const RPT_SourceReport *report)
{
	if ((report->reachability & (int)REACH_BITS) == 0)
		return CLOCK_SERVER_SILENT;
	switch (report->state) {
	case RPT_FALSETICKER:
		return CLOCK_SERVER_FALSE;
	case RPT_JITTERY:
		return CLOCK_SERVER_UNSTEADY;
	case RPT_SELECTABLE:
	case RPT_UNSELECTED:
		return CLOCK_SERVER_FIT;
	case RPT_SELECTED:
		return CLOCK_SERVER_USED;
	default:
		return CLOCK_SERVER_UNFIT;
	}
}

static void report_server(struct clock_server *out, const RPT_SourceReport *report)
{
	bool heard = report->latest_meas_ago < UINT32_MAX;

	*out = (struct clock_server){
		.state = state_of(report),
		.stratum = report->stratum > 0 ? (uint32_t)report->stratum : 0,
		.reach = (uint32_t)report->reachability & REACH_BITS,
		.heard_s = heard ? (uint32_t)report->latest_meas_ago : UINT32_MAX,
		.offset_ns = heard ? nanoseconds(report->latest_meas) : 0,
	};
}

/* chrony says when it last believed a measurement, not how often. */
static void count_update(const RPT_TrackingReport *tracking)
{
	if (tracking->ref_time.tv_sec == time_source.updated_s &&
	    tracking->ref_time.tv_nsec == time_source.updated_ns)
		return;
	time_source.updated_s = tracking->ref_time.tv_sec;
	time_source.updated_ns = tracking->ref_time.tv_nsec;
	time_source.updates++;
}

void servers_report(struct control_time *out)
{
	RPT_TrackingReport tracking;
	RPT_SourceReport source;
	struct timespec now;

	REF_GetTrackingReport(&tracking);
	LCL_ReadCookedTime(&now, NULL);
	*out = (struct control_time){
		.synchronised = tracking.leap_status != LEAP_Unsynchronised,
		.server_count = time_source.policy.time_server_count,
		.offset_ns = nanoseconds(-tracking.current_correction),
		.frequency = llround(tracking.freq_ppm * CLOCK_PPM),
	};
	if (out->synchronised) {
		count_update(&tracking);
		out->stratum = (uint32_t)tracking.stratum;
	}
	out->updates = time_source.updates;
	/* chrony keeps its sources in the order in which they were added. */
	for (uint32_t i = 0; i < out->server_count; i++) {
		if (SRC_ReportSource((int)i, &source, &now))
			report_server(&out->servers[i], &source);
	}
}
