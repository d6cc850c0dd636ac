/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commit, generation, restart and isolation: supervisor, netfilter, arbiter and the kernel's part of two zones, over all
 * interleavings, with kills of each process at any point (ADR 3, 401, 406; src/supervisor/commit.c, src/netfilter/zones.c,
 * relay.c, ahead.c, src/arbiter/main.c).
 *
 * Invariant F, checked at every packet that passes:
 *   - the flow has a verdict "permit", given by the running policy or by one that is just being replaced: never by one
 *     older than the last commit that was answered (no resurrection of rules or of flows, also not after a crash);
 *   - the zone is not isolated.
 * Liveness (ltl back): after the last failure, and with no commit under way, every zone again passes what the
 * last policy permits by verdicts of it.
 *
 * Policies are numbered by the supervisor's epoch; PERMITS says which flows a policy permits, so chosen that each
 * step of a commit turns one flow from permitted to denied and the other the other way. A zone has one flow that
 * enters there. Generations are 1 to GENERATIONS and wrap.
 *
 * With SHARE the packets of zone 0 are judged by a process of their own (ADR 414, src/netfilter/share.c and shares.c): it has
 * no rules, and gives proofs by the policy and the generation that netfilter tells it, which it may learn late, or never.
 *
 * What is left out: contents of packets, schedules (an edge is a commit), the second lock (it can only drop more), and
 * time, which stands behind three choices that may happen at any moment: the life of what keeps flows alive
 * ends, netfilter no longer takes the supervisor for alive, the supervisor takes too slow a process for dead.
 */
#ifndef COMMITS
#define COMMITS 3
#endif
#ifndef KILLS
#define KILLS 2
#endif
#define GENERATIONS 3
#define ZONES       2

#define PERMITS(epoch, zone) (((epoch) + (zone)) % 2 == 1)
#define BIT(generation)      (1 << (generation))

#ifdef SHARE
#define SHARED(z) ((z) == 0)
#else
#define SHARED(z) 0
#endif
/* Whoever reads the zone's queue, and by what it has judged. */
#define READER(z)   ((SHARED(z) -> sh_up : (nf_up && nf_ready)))
#define JUDGES(z)   ((SHARED(z) -> sh_generation : generation))

mtype = { PREPARE, APPLY, ABORT, PREPARED, REFUSED, APPLIED };

/* --- the kernel: what is there whoever lives --- */
typedef zone_rules {
	byte alive;    /* generations whose flows pass: elements with a life */
	byte proofs;   /* generations whose verdicts the stamp takes */
	bit loaded;    /* a ruleset of ours, not the deny-all one */
	byte mark;     /* the flow's generation, 0: none */
	byte verdict;  /* ghost: epoch of the verdict behind the mark */
	bit waiting;   /* a packet of the flow is in the queue or with the arbiter */
	byte asked;    /* the generation that it was asked for in; 0: not yet asked */
	byte ask_epoch;
	bit answered;  /* the arbiter's answer is on its way back */
	bit permit;
	bit up;        /* the zone's port */
	bit isolated;  /* ghost: the administrator was told so, and has not taken it back */
};
zone_rules zone[ZONES];
bit disk_isolated;     /* of zone 0, kept over restarts */
byte disk_epoch = 1;   /* the saved configuration, by the epoch it was committed as */

/* --- processes --- */
bit sup_up, nf_up, arb_up;
byte sup_pid, nf_pid, arb_pid;       /* the living incarnation; an earlier one takes no step but its end */
byte running, last_epoch;            /* supervisor */
byte enforced = 1;                   /* ghost: the last commit that was answered with yes */
bit committing;
byte nf_epoch, nf_next, generation, uses;
byte arb_slot[2];
byte commits, kills;
bit nf_ready, arb_ready;
/* The process of a share: what it judges by; 0: nothing. */
bit sh_up, sh_linked;
byte sh_pid, sh_epoch, sh_generation;

/* Supervisor to holders and back: the message and the epoch. */
chan to_nf = [3] of { mtype, byte };
chan from_nf = [3] of { mtype, byte };
chan to_arb = [3] of { mtype, byte };
chan from_arb = [3] of { mtype, byte };
/* Netfilter to the share: epoch and generation; and back, the generation. */
chan to_sh = [2] of { byte, byte };
chan from_sh = [2] of { byte };

inline flush(c) { do :: nempty(c) -> c ? _, _ :: empty(c) -> break od }
inline flush_one(c) { do :: nempty(c) -> c ? _ :: empty(c) -> break od }

/* Claim F for a packet of @z's flow that leaves the kernel behind a verdict of policy @e. */
inline pass(z, e)
{
	assert(!zone[z].isolated);
	assert(e >= enforced);
	assert(PERMITS(e, z));
}

inline forget_question(z)
{
	zone[z].waiting = 0; zone[z].asked = 0; zone[z].ask_epoch = 0; zone[z].answered = 0; zone[z].permit = 0
}

/* ---------------------------------------------------------------- packets */

proctype traffic(byte z)
{
end:
	do
	/* The fast rule. */
	:: atomic { zone[z].up && zone[z].loaded && zone[z].mark != 0 && (zone[z].alive & BIT(zone[z].mark)) ->
		pass(z, zone[z].verdict) }
	/* Everything else asks; without a listener the kernel drops what it queues. */
	:: atomic { zone[z].up && zone[z].loaded && !zone[z].waiting && READER(z) &&
		!(zone[z].mark != 0 && (zone[z].alive & BIT(zone[z].mark))) ->
		zone[z].waiting = 1; zone[z].asked = 0; zone[z].answered = 0 }
	/* A connection ends; a new one begins without a mark. */
	:: atomic { zone[z].mark != 0 -> zone[z].mark = 0; zone[z].verdict = 0 }
	/* The life of the elements ends where nobody renews them; so it does on a busy machine. */
	:: atomic { zone[z].alive != 0 && !(nf_up && nf_ready && arb_up && sup_up) -> zone[z].alive = 0 }
	od
}

/* ---------------------------------------------------------------- arbiter */

inline judge(z)
{
	zone[z].permit = (arb_slot[0] == zone[z].ask_epoch || arb_slot[1] == zone[z].ask_epoch) &&
			 PERMITS(zone[z].ask_epoch, z);
	zone[z].answered = 1
}

proctype arbiter()
{
	byte e, z;

{
	/* Started with the running policy; ready. */
	atomic { arb_slot[0] = running; arb_slot[1] = 0; arb_ready = 1 }
end:
	do
	:: atomic { to_arb ? PREPARE, e ->
		if
		:: arb_slot[1] = e; from_arb ! PREPARED, e
		:: from_arb ! REFUSED, e
		fi }
	/* The policy before stays: netfilter may still ask by its epoch. */
	:: atomic { to_arb ? APPLY, e ->
		if
		:: arb_slot[1] == e -> arb_slot[1] = arb_slot[0]; arb_slot[0] = e
		:: else
		fi;
		from_arb ! APPLIED, e }
	:: atomic { to_arb ? ABORT, e ->
		if :: arb_slot[1] == e -> arb_slot[1] = 0 :: else fi }
	/* Judged by the epoch of the batch, never by what the arbiter takes for current. */
	:: atomic { zone[0].waiting && zone[0].asked != 0 && !zone[0].answered -> z = 0; judge(z) }
	:: atomic { zone[1].waiting && zone[1].asked != 0 && !zone[1].answered -> z = 1; judge(z) }
	od
} unless { atomic { _pid != arb_pid -> e = 0; z = 0 } }
}

/* ---------------------------------------------------------------- netfilter */

inline ask(z)
{
	zone[z].asked = generation; zone[z].ask_epoch = nf_epoch
}

/* A verdict comes back. Marked with its generation, it meets the stamp in the same call. */
inline take_verdict(z)
{
	if
	:: zone[z].asked == JUDGES(z) && zone[z].permit && (zone[z].proofs & BIT(zone[z].asked)) ->
		zone[z].mark = zone[z].asked;
		zone[z].verdict = zone[z].ask_epoch;
		if :: zone[z].up -> pass(z, zone[z].ask_epoch) :: else fi
	:: else
	fi;
	forget_question(z)
}

inline serve(z)
{
	do
	:: atomic { !SHARED(z) && zone[z].waiting && zone[z].asked == 0 && arb_up && arb_ready -> ask(z) }
	:: atomic { !SHARED(z) && zone[z].answered -> take_verdict(z) }
	:: break
	od
}

/* The number that comes next; the first of a life is from the clock: any. */
inline new_generation()
{
	atomic {
		if
		:: uses == 0 -> if :: next = 1 :: next = 2 :: next = 3 fi
		:: else -> next = generation % GENERATIONS + 1
		fi;
		uses = 1
	}
}

/*
 * Before a zone takes a generation, every flow that carries its number is forgotten: it got it in another life of netfilter, or
 * before the numbers wrapped. Then one transaction; flows and proofs of the generation before stay good until the change is over.
 */
inline forget_flows(z)
{
	atomic { if :: zone[z].mark == next -> zone[z].mark = 0; zone[z].verdict = 0 :: else fi }
}

inline load(z, before)
{
#ifdef MUTANT_FORGETS_AFTER_A_START_ONLY
	if
	:: before == 0 -> forget_flows(z)
	:: else
	fi;
#else
	forget_flows(z);
#endif
	atomic {
		zone[z].loaded = 1;
		zone[z].alive = BIT(next);
		zone[z].proofs = BIT(next);
		if
		:: before != 0 ->
			zone[z].alive = zone[z].alive | BIT(before);
			zone[z].proofs = zone[z].proofs | BIT(before)
		:: else
		fi
	}
}

/* Flows that run by the generation before are judged ahead, and take the new mark where it permits. */
inline judge_ahead(z)
{
	atomic {
		if
		:: arb_up && arb_ready && zone[z].mark == before && before != 0 &&
		   (arb_slot[0] == nf_epoch || arb_slot[1] == nf_epoch) && PERMITS(nf_epoch, z) ->
			zone[z].mark = generation; zone[z].verdict = nf_epoch
		:: skip /* no answer in time, or not permitted */
		fi
	}
}

inline end_generation(z)
{
	atomic {
#ifndef MUTANT_OLD_FLOWS_LIVE
		if :: before != 0 && before != generation -> zone[z].alive = zone[z].alive & ~BIT(before) :: else fi;
#endif
		/* What waits is given back to the rules, and asked about again. */
		if :: !SHARED(z) -> forget_question(z) :: else fi
	}
}

#ifdef SHARE
/* Every share judges by what is new, or the proofs of what was before end with the change. */
inline turn_share()
{
	atomic {
		turned = !sh_linked;
		if
		:: sh_linked && nfull(to_sh) -> to_sh ! nf_epoch, generation
		:: !sh_linked || full(to_sh)
		fi
	};
	do
	:: atomic { from_sh ? told -> if :: told == generation -> turned = 1 :: else fi; told = 0 }
	:: atomic { turned || !sh_linked -> turned = 1; break }
	:: break /* it does not answer in time */
	od
}

inline end_proofs_of_others()
{
#ifndef MUTANT_SHARE_NOT_WAITED_FOR
	atomic {
		if
		:: !turned && generation != 0 ->
			zone[0].proofs = BIT(generation); zone[1].proofs = BIT(generation)
		:: else
		fi
	};
#endif
	atomic { turned = 0 }
}
#endif

inline apply_policy(e)
{
	before = (nf_epoch != 0 -> generation : 0);
	new_generation();
	load(0, before);
	serve(0);
	load(1, before);
	serve(1);
	serve(0);
	/* From here on the new policy judges. */
	atomic {
		nf_epoch = e; generation = next; next = 0; nf_next = 0
	}
#ifdef SHARE
	turn_share();
#endif
	judge_ahead(0);
	judge_ahead(1);
	end_generation(0);
#ifdef SHARE
	end_generation(1);
	end_proofs_of_others();
	atomic { before = 0; e = 0 }
#else
	atomic { end_generation(1); before = 0; e = 0 }
#endif
}

proctype netfilter()
{
	byte e, next, before, told;
	bit turned;

{
	/* Started with the running policy: a generation of its own, then ready. */
	atomic { nf_epoch = 0; nf_next = 0; uses = 0; generation = 0; e = running }
	if
	:: e != 0 -> apply_policy(e)
	:: else
	fi;
	atomic { nf_ready = 1 }
end:
	do
	:: atomic { to_nf ? PREPARE, e ->
		if
		:: nf_next = e; from_nf ! PREPARED, e
		:: from_nf ! REFUSED, e
		fi }
	:: atomic { to_nf ? APPLY, e -> skip };
		apply_policy(e);
		from_nf ! APPLIED, 0
	:: atomic { to_nf ? ABORT, e -> nf_next = 0 }
	/* The beat: renewed only while both others answer. */
	:: atomic { arb_up && arb_ready && sup_up && generation != 0 &&
		(zone[0].loaded && zone[1].loaded) && !((zone[0].alive & BIT(generation)) && (zone[1].alive & BIT(generation))) ->
		zone[0].alive = zone[0].alive | BIT(generation); zone[1].alive = zone[1].alive | BIT(generation) }
	/* Once all is over the stamps forget the generation before, too. */
	:: atomic { nf_ready && generation != 0 && zone[0].proofs != BIT(generation) ->
		zone[0].proofs = BIT(generation); zone[1].proofs = BIT(generation) }
	:: atomic { zone[1].waiting && zone[1].asked == 0 && arb_up && arb_ready -> ask(1) }
	:: atomic { zone[1].answered -> take_verdict(1) }
#ifdef SHARE
	/* A share that came later, or did not answer, is told again. */
	:: atomic { sh_linked && generation != 0 && empty(to_sh) && empty(from_sh) && sh_generation != generation ->
		to_sh ! nf_epoch, generation }
	:: atomic { from_sh ? told -> told = 0 }
#else
	:: atomic { zone[0].waiting && zone[0].asked == 0 && arb_up && arb_ready -> ask(0) }
	:: atomic { zone[0].answered -> take_verdict(0) }
#endif
	od
} unless { atomic { _pid != nf_pid -> e = 0; next = 0; before = 0; told = 0; turned = 0 } }
}

/* ---------------------------------------------------------------- the process of a share */

#ifdef SHARE
proctype share()
{
	byte e, g;

{
end:
	do
	:: atomic { zone[0].waiting && zone[0].asked == 0 && arb_up && arb_ready && sh_generation != 0 ->
		zone[0].asked = sh_generation; zone[0].ask_epoch = sh_epoch }
	:: atomic { zone[0].answered -> take_verdict(0) }
	/* All that is out is given back; then it judges by what is new. */
	:: atomic { to_sh ? e, g -> forget_question(0); sh_epoch = e; sh_generation = g;
		if :: nfull(from_sh) -> from_sh ! g :: full(from_sh) fi;
		e = 0; g = 0 }
	/* The link is closed: netfilter has died. */
	:: atomic { !sh_linked && sh_generation != 0 -> forget_question(0); sh_epoch = 0; sh_generation = 0 }
	/* The new one brings a link, which the share takes with what it had closed. */
	:: atomic { !sh_linked && sh_generation == 0 && nf_up -> flush(to_sh); flush_one(from_sh); sh_linked = 1 }
	od
} unless { atomic { _pid != sh_pid -> e = 0; g = 0 } }
}

inline start_share()
{
	sh_up = 1; sh_linked = 0; sh_epoch = 0; sh_generation = 0; sh_pid = run share()
}
#endif

/* ---------------------------------------------------------------- supervisor */

inline start_nf()
{
	flush(to_nf); flush(from_nf);
	nf_up = 1; nf_ready = 0; nf_pid = run netfilter()
}

inline start_arb()
{
	flush(to_arb); flush(from_arb);
	arb_up = 1; arb_ready = 0; arb_pid = run arbiter()
}

/* A process died: its queue is closed and drops what waits; the supervisor starts it anew. */
inline revive()
{
	if
	:: !nf_up -> start_nf()
	:: !arb_up -> start_arb()
	fi
}

/* Isolation follows the disk: first written, then the port goes down, then it is answered. */
inline isolate()
{
	atomic { disk_isolated = 1 };
	atomic { zone[0].up = 0 };
	atomic { zone[0].isolated = 1 }
}

inline restore()
{
	atomic { zone[0].isolated = 0; disk_isolated = 0 };
	atomic { zone[0].up = 1 }
}

inline answer_yes()
{
	/* config publishes what was staged, and then says so. */
	atomic { disk_epoch = running };
	atomic { enforced = running; committing = 0 }
}

proctype supervisor()
{
	byte e, wait_nf, wait_arb;
	mtype m;
	bit toggled;

{
	/* The saved configuration is the running one; ports that were up belong to nobody and go down first. */
	atomic {
		running = disk_epoch; committing = 0;
		enforced = disk_epoch;
		zone[0].up = 0; zone[1].up = 0;
		start_nf(); start_arb()
	}
#ifdef SHARE
	atomic { if :: !sh_up -> start_share() :: else fi };
#endif
	do
	:: atomic { nf_ready && arb_ready && nf_up && arb_up -> break }
	:: atomic { (!nf_up || !arb_up) -> revive() }
	od;
	atomic {
		#ifndef MUTANT_ISOLATION_FORGOTTEN
		zone[0].up = !disk_isolated;
#else
		zone[0].up = 1;
#endif
		zone[1].up = 1
	}
end:
	do
	:: atomic { (!nf_up || !arb_up) -> revive() }
	:: atomic { !toggled && !zone[0].isolated -> toggled = 1 }; isolate()
	:: atomic { zone[0].isolated -> skip }; restore()
	:: atomic { commits < COMMITS && nf_ready && arb_ready && nf_up && arb_up ->
		commits++; committing = 1;
		e = (last_epoch > running -> last_epoch : running) + 1; last_epoch = e;
		to_nf ! PREPARE, e; to_arb ! PREPARE, e; wait_nf = 1; wait_arb = 1 };
		goto preparing
	od;

preparing:
	do
	:: atomic { from_nf ? m, _ ->
		if
		:: m == PREPARED -> wait_nf = 0
		:: else -> goto aborting
		fi }
	:: atomic { from_arb ? m, _ ->
		if
		:: m == PREPARED -> wait_arb = 0
		:: else -> goto aborting
		fi }
	/* Whoever dies while preparing ends the attempt. */
	:: atomic { (!nf_up || !arb_up) -> goto aborting }
	:: atomic { wait_nf == 0 && wait_arb == 0 && nf_up && arb_up ->
#ifdef MUTANT_ANSWERED_TOO_EARLY
		enforced = e;
#endif
		running = e; to_nf ! APPLY, e; to_arb ! APPLY, e; wait_nf = 1; wait_arb = 1; goto applying }
	od;

aborting:
	atomic {
		if :: nf_up -> to_nf ! ABORT, e :: else fi;
		if :: arb_up -> to_arb ! ABORT, e :: else fi;
		committing = 0
	};
	/* Answers that are on their way belong to an earlier attempt. */
	do
	:: atomic { from_nf ? m, _ -> skip }
	:: atomic { from_arb ? m, _ -> skip }
	:: atomic { empty(from_nf) && empty(from_arb) && empty(to_nf) && empty(to_arb) -> goto end }
	:: atomic { (!nf_up || !arb_up) -> revive() }
	od;

applying:
	do
	:: atomic { from_nf ? APPLIED, _ -> wait_nf = 0 }
	:: atomic { from_arb ? APPLIED, _ -> wait_arb = 0 }
	/* Who comes back has been started with the running policy: that counts as applied. */
	:: atomic { !nf_up -> start_nf(); wait_nf = 2 }
	:: atomic { !arb_up -> start_arb(); wait_arb = 2 }
	:: atomic { wait_nf == 2 && nf_up && nf_ready -> wait_nf = 0 }
	:: atomic { wait_arb == 2 && arb_up && arb_ready -> wait_arb = 0 }
	:: atomic { wait_nf == 0 && wait_arb == 0 && nf_up && arb_up -> break }
	od;
	answer_yes();
	goto end;
} unless { atomic { _pid != sup_pid -> e = 0; wait_nf = 0; wait_arb = 0; toggled = 0 } }
}

/* ---------------------------------------------------------------- failures */

/* A queue whose reader is gone drops what waits in it. */
inline drop_queues()
{
	forget_question(1);
	if :: !SHARED(0) -> forget_question(0) :: else fi
}

proctype fate()
{
end:
	do
	:: atomic { kills < KILLS && nf_up -> kills++; nf_up = 0; nf_ready = 0; nf_pid = 0; sh_linked = 0; drop_queues() }
#ifdef SHARE
	:: atomic { kills < KILLS && sh_up -> kills++; sh_pid = 0; forget_question(0); flush(to_sh); flush_one(from_sh);
		start_share() }
#endif
	:: atomic { kills < KILLS && arb_up -> kills++; arb_up = 0; arb_ready = 0; arb_pid = 0;
		zone[0].answered = 0; zone[0].permit = 0; zone[1].answered = 0; zone[1].permit = 0 }
	/* With the supervisor its children go; init starts it again. The kernel's rules stay. */
	:: atomic { kills < KILLS && sup_up -> kills++; nf_up = 0; nf_ready = 0; nf_pid = 0;
		arb_up = 0; arb_ready = 0; arb_pid = 0; drop_queues(); forget_question(0); committing = 0;
		sh_up = 0; sh_linked = 0; sh_pid = 0; sh_epoch = 0; sh_generation = 0; flush(to_sh); flush_one(from_sh);
		sup_pid = run supervisor() }
	od
}

init
{
	atomic {
		last_epoch = 1; sup_up = 1; sup_pid = run supervisor(); run traffic(0); run traffic(1); run fate()
	}
}

#define quiet    (kills == KILLS && commits == COMMITS)
#define enforces (nf_up && nf_ready && arb_up && arb_ready && !committing && nf_epoch == running && arb_slot[0] == running && \
		  zone[0].loaded && zone[1].loaded && zone[1].up && (zone[1].proofs & BIT(generation)))
ltl back { [] (quiet -> <> [] enforces) }
