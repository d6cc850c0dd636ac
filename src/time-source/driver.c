/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chrony's way to the clock: each change is asked of the supervisor, which may refuse it. */
#include "config.h"

#include "sysincl.h"

#include "localp.h"
#include "sys_generic.h"

#include <errno.h>
#include <math.h>
#include <poll.h>

#include "base/clock.h"
#include "channel/control.h"
#include "time-source/time_source.h"

#define ANSWER_MS   2000U
#define DELAY_S     0.01 /* until a correction is in force: the supervisor may be at work */
#define NS_PER_S    1e9
#define US_PER_S    1e6
#define ERROR_MAX_S 16.0 /* as the kernel's MAXERROR without synchronisation */

int driver_ask(enum clock_change change, int64_t value, int64_t estimated_us, int64_t maximum_us)
{
	struct control_clock ask = {.change = change,
				    .value = value,
				    .estimated_us = estimated_us,
				    .maximum_us = maximum_us};
	uint64_t until_ms = clock_mono_ms(&clock_system) + ANSWER_MS, now_ms;

	time_source.answered = false;
	if (channel_send_wait(&time_source.process.control, CONTROL_CLOCK, &ask, sizeof(ask), NULL,
			      0, ANSWER_MS) != 0)
		return ETIMEDOUT;
	while ((now_ms = clock_mono_ms(&clock_system)) < until_ms) {
		struct pollfd wait = {.fd = FD_CONTROL, .events = POLLIN};

		(void)poll(&wait, 1, (int)(until_ms - now_ms)); /* interrupted: looks again */
		time_source_serve();
		if (time_source.answered)
			return time_source.done.error;
	}
	return ETIMEDOUT;
}

/* chrony counts what the clock is fast by itself, the kernel how much faster it shall go. */
static double frequency_now(void)
{
	return -(double)time_source.done.frequency / CLOCK_PPM;
}

static double set_frequency(double ppm)
{
	/* Refused: what holds now is what chrony reckons with. */
	(void)driver_ask(CLOCK_FREQUENCY, llround(-ppm * CLOCK_PPM), 0, 0);
	return frequency_now();
}

/* chrony's offset is what the clock is ahead by. Return: whether it was taken. */
static int apply_step(double offset_s)
{
	return driver_ask(CLOCK_STEP, llround(-offset_s * NS_PER_S), 0, 0) == 0;
}

static double limit_error(double error_s)
{
	return error_s < 0 ? 0 : error_s > ERROR_MAX_S ? ERROR_MAX_S : error_s;
}

static void set_state(int synchronised, double estimated_s, double maximum_s)
{
	bool known = synchronised && maximum_s < ERROR_MAX_S;

	/* Refused or late: the next measurement says it again. */
	(void)driver_ask(CLOCK_STATE, known, llround(limit_error(estimated_s) * US_PER_S),
			 llround(limit_error(maximum_s) * US_PER_S));
}

void driver_begin(void)
{
	SYS_Generic_CompleteFreqDriver(CLOCK_PPM_LIMIT, DELAY_S, frequency_now, set_frequency,
				       apply_step, 0.0, 0.0, NULL, NULL, NULL, set_state);
}
