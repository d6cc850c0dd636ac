/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The beat: who is silent, what waits for too long, and the lease that flows go on by (ADR 3). */
#include "netfilter/netfilter.h"

/* Silence is counted in beats: where this process is busy with a commit, or is kept from running,
 * it asks nothing, and a clock would go on. */
static void notice_silence(struct netfilter *nf)
{
	if (!nf->arbiter_answers || nf->unanswered < NETFILTER_ARBITER_BEATS)
		return;
	nf->arbiter_answers = false;
	nf->arbiter_missed = true;
	event_send(&nf->process.events, EVENT_ARBITER_SILENT, EV_TEXT(REASON, "no answer"));
}

static bool all_show_life(const struct netfilter *nf, uint64_t now_ms)
{
	return nf->arbiter_answers && now_ms - nf->pong_ms <= NETFILTER_ARBITER_MS &&
	       now_ms - nf->supervisor_ms <= NETFILTER_SUPERVISOR_MS && shares_answer(nf);
}

/*
 * The dead man's switch: only while both the arbiter and the supervisor have shown life lately does
 * the kernel get a new lease for established flows. What stops this process stops that too. A beat
 * that could not give one leaves it to the next.
 */
static void give_lease(struct netfilter *nf, uint64_t now_ms)
{
	if (nf->beats_to_lease > 0)
		nf->beats_to_lease--;
	if (nf->beats_to_lease > 0 || !all_show_life(nf, now_ms))
		return;
	nf->beats_to_lease = NETFILTER_BEATS_ALIVE;
	zones_keep_alive(nf);
}

void beat_fire(struct loop *loop, struct loop_timer *self)
{
	struct netfilter *nf = self->ctx;

	loop_arm(loop, self, NETFILTER_BEAT_MS);
	/* First: behind a commit, or where this process was kept from running, they have spoken in
	 * time and nobody has listened. */
	process_hear(&nf->process, loop);
	relay_hear(nf);
	if (loop->stopping)
		return;
	notice_silence(nf);
	relay_ping(nf);
	if (nf->share == 0) {
		shares_beat(nf);
		zones_beat(nf);
	}
	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		if (nf->zones[i].used)
			relay_expire(nf, &nf->zones[i]);
	}
	give_lease(nf, netfilter_now_ms());
}
