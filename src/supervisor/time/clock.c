/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that sets the clock. The kernel itself keeps the RTC right once it is told that the
 * clock is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

#define NS_PER_S    1000000000LL
#define TIME_LAST_S 4102444800LL /* 2100-01-01 */
#define TICK_US     10000        /* what the kernel adds at each of its 100 ticks a second */
#define ERROR_US    16000000     /* the kernel takes no clock with a larger one for right */
#define RTC_FILE    "/sys/class/rtc/rtc0/since_epoch"

/* Not the C library's: it may use another call than the one that lockdown.c allows. */
static int adjust(struct timex *timex)
{
	return (int)syscall(SYS_adjtimex, timex) < 0 ? -ERR_SYSTEM : 0;
}

static int64_t now_s(void)
{
	return clock_wall_ns(&clock_system) / NS_PER_S;
}

void clock_offset_text(char out[CLOCK_TEXT_BYTES], int64_t offset_ns)
{
	(void)snprintf(out, CLOCK_TEXT_BYTES, "%+.6f s", (double)offset_ns / NS_PER_S);
}

/* All files of the image carry the time at which it was built. */
static int64_t find_built_s(void)
{
	struct stat stat_self;

	return stat("/proc/self/exe", &stat_self) == 0 ? stat_self.st_mtime : 0;
}

void clock_open(struct supervisor *sup)
{
	struct timekeeping *time = &sup->time;
	struct timex begin = {
		.modes = ADJ_TICK | ADJ_STATUS, .tick = TICK_US, .status = STA_UNSYNC};
	struct timespec built = {0};

	time->rtc_fd = open(RTC_FILE, O_RDONLY | O_CLOEXEC);
	if (!sup->options.sets_clock)
		return;
	time->built_s = built.tv_sec = find_built_s();
	(void)adjust(&begin); /* without the right to, every change is refused and told */
	if (now_s() >= time->built_s)
		return;
	time->behind_s = time->built_s - now_s();
	if (clock_settime(CLOCK_REALTIME, &built) < 0)
		time->behind_s = 0;
}

void clock_say_start(struct supervisor *sup)
{
	char offset[CLOCK_TEXT_BYTES];

	if (sup->time.behind_s == 0)
		return;
	(void)snprintf(offset, sizeof(offset), "%+lld s", (long long)sup->time.behind_s);
	supervisor_event(sup, EVENT_TIME_BEHIND, EV_TEXT(OFFSET, offset));
}

int clock_read_rtc(const struct timekeeping *time, int64_t *out_s)
{
	char text[CLOCK_TEXT_BYTES];
	ssize_t size = time->rtc_fd < 0 ? -1 : pread(time->rtc_fd, text, sizeof(text) - 1, 0);

	if (size <= 0)
		return -ERR_NOT_FOUND;
	text[size] = '\0';
	*out_s = strtoll(text, NULL, 10);
	return 0;
}

/* ---- what time-source may change */

static bool steps_too_often(const struct timekeeping *time, uint64_t now_ms)
{
	return time->step_count >= CLOCK_STEPS_MAX &&
	       now_ms - time->step_ms[time->step_count % CLOCK_STEPS_MAX] < CLOCK_STEPS_MS;
}

/* Return: NULL, or why the clock is not set. */
static const char *refuse_step(const struct supervisor *sup, int64_t offset_ns)
{
	int64_t target_s = now_s() + offset_ns / NS_PER_S;

	if (sup->time.servers.count == 0)
		return "no time server is configured";
	if (sup->time.settled)
		return "the clock was right before: it is turned, not set";
	if (target_s < sup->time.built_s)
		return "the time asked for is before this system was built";
	if (target_s >= TIME_LAST_S)
		return "the time asked for is behind the year 2099";
	if (steps_too_often(&sup->time, clock_mono_ms(sup->loop.clock)))
		return "the clock was set too often within an hour";
	return NULL;
}

static int step(struct supervisor *sup, int64_t offset_ns)
{
	struct timekeeping *time = &sup->time;
	const char *why = refuse_step(sup, offset_ns);
	int64_t rest_ns = (offset_ns % NS_PER_S + NS_PER_S) % NS_PER_S;
	struct timex timex = {
		.modes = ADJ_SETOFFSET | ADJ_NANO,
		.time = {.tv_sec = (offset_ns - rest_ns) / NS_PER_S, .tv_usec = rest_ns},
	};
	char offset[CLOCK_TEXT_BYTES];

	clock_offset_text(offset, offset_ns);
	if (why == NULL && adjust(&timex) < 0)
		why = strerror(errno);
	if (why != NULL) {
		supervisor_event(sup, EVENT_TIME_STEP_REFUSED, EV_TEXT(OFFSET, offset),
				 EV_TEXT(REASON, why));
		time->refusals++;
		return EPERM;
	}
	time->step_ms[time->step_count++ % CLOCK_STEPS_MAX] = clock_mono_ms(sup->loop.clock);
	supervisor_event(sup, EVENT_TIME_STEP, EV_TEXT(OFFSET, offset));
	return 0;
}

static int set_frequency(int64_t frequency)
{
	struct timex timex = {.modes = ADJ_FREQUENCY, .freq = frequency};

	if (frequency < -CLOCK_PPM_LIMIT * CLOCK_PPM || frequency > CLOCK_PPM_LIMIT * CLOCK_PPM)
		return ERANGE;
	return adjust(&timex) < 0 ? errno : 0;
}

static bool is_error(int64_t error_us)
{
	return error_us >= 0 && error_us <= ERROR_US;
}

static int set_state(const struct control_clock *change)
{
	struct timex timex = {
		.modes = ADJ_STATUS | ADJ_ESTERROR | ADJ_MAXERROR,
		.status = change->value == 1 ? 0 : STA_UNSYNC,
		.esterror = change->estimated_us,
		.maxerror = change->maximum_us,
	};

	if (!is_error(change->estimated_us) || !is_error(change->maximum_us))
		return ERANGE;
	return adjust(&timex) < 0 ? errno : 0;
}

static int make_change(struct supervisor *sup, const struct control_clock *change)
{
	if (!sup->options.sets_clock ||
	    (sup->time.servers.count == 0 && change->change == CLOCK_FREQUENCY))
		return EPERM;
	switch ((enum clock_change)change->change) {
	case CLOCK_ASK:
		return 0;
	case CLOCK_FREQUENCY:
		return set_frequency(change->value);
	case CLOCK_STEP:
		return step(sup, change->value);
	case CLOCK_STATE:
		return set_state(change);
	}
	return EINVAL;
}

int clock_handle_change(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *source = ctx;
	struct control_clock_done done = {.error = EPERM};
	struct timex now = {0};

	if (!source->dismissed)
		done.error = make_change(source->sup, message->body);
	if (source->sup->time.refusals > CLOCK_REFUSALS_MAX)
		return -ERR_PEER;
	if (adjust(&now) == 0) /* without a change it needs no privilege */
		done.frequency = now.freq;
	child_send(source, CONTROL_CLOCK_DONE, &done, sizeof(done), NULL, 0);
	return 0;
}
