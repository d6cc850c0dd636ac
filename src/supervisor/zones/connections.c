/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of connections of each zone: its size and how full it is. */
#include "supervisor/zones/connections.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "base/clock.h"
#include "base/err.h"
#include "supervisor/zones/netns.h"
#include "supervisor/zones/rtnl_private.h"
#include "supervisor/supervisor.h"

#define LOOK_MS         1000
#define TELL_MS         10000 /* between two events about refusals of one zone */
#define FILLING_PERCENT 80
#define EASED_PERCENT   70
#define FLOW_BYTES      512 /* an entry with its counters and its two places in the hash, at most */
#define MEMORY_PART     8
#define FLOWS_LEAST     4096
#define FLOWS_MOST      (1U << 20)
#define BUCKETS_MOST    (4U << 20)
#define SYSCTL_FLOWS    "net/netfilter/nf_conntrack_max"
#define SYSCTL_BUCKETS  "net/netfilter/nf_conntrack_buckets"

int connections_open(struct connections *c)
{
	*c = (struct connections){0};
	return rtnl_open_protocol(&c->netlink, NETLINK_NETFILTER);
}

void connections_close(struct connections *c)
{
	rtnl_close(&c->netlink);
}

/* ---- counting */

static uint32_t number_of(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? 0 : ntohl(mnl_attr_get_u32(attr));
}

static int read_total(const struct nlattr *attr, void *data)
{
	struct connections_count *out = data;

	if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_ENTRIES)
		out->flows = number_of(attr);
	if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_MAX_ENTRIES)
		out->flows_max = number_of(attr);
	return MNL_CB_OK;
}

static int read_processor(const struct nlattr *attr, void *data)
{
	struct connections_count *out = data;

	if (mnl_attr_get_type(attr) == CTA_STATS_DROP)
		out->refused += number_of(attr);
	return MNL_CB_OK;
}

static int take_total(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct nfgenmsg), read_total, data);
}

static int take_processor(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct nfgenmsg), read_processor, data);
}

static int ask(struct connections *c, uint16_t message, uint16_t flags, mnl_cb_t take,
	       struct connections_count *out)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(
		&c->netlink, buffer, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | message), flags);
	struct nfgenmsg *body = mnl_nlmsg_put_extra_header(nlh, sizeof(*body));

	body->nfgen_family = AF_UNSPEC;
	return rtnl_talk(&c->netlink, nlh, take, out);
}

int connections_count(struct connections *c, struct connections_count *out)
{
	*out = (struct connections_count){0};
	if (!c->netlink.socket)
		return -ERR_SYSTEM;
	int err = ask(c, IPCTNL_MSG_CT_GET_STATS, NLM_F_ACK, take_total, out);

	return err < 0 ? err : ask(c, IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, take_processor, out);
}

/* ---- watching */

static void tell_refusals(struct supervisor *sup, struct zone *zone, uint64_t now_ms)
{
	struct connections *c = &zone->connections;

	if (c->refused_untold == 0)
		return;
	supervisor_event(sup, EVENT_CONNECTIONS_FULL, EV_TEXT(ZONE, zone->name),
			 EV_NUMBER(COUNT, c->refused_untold));
	c->refused_untold = 0;
	c->told_ms = now_ms;
}

static bool told_lately(const struct connections *c, uint64_t now_ms)
{
	return c->told_ms != 0 && now_ms - c->told_ms < TELL_MS;
}

static void look_at(struct supervisor *sup, struct zone *zone, uint64_t now_ms)
{
	struct connections *c = &zone->connections;
	struct connections_count now;

	if (connections_count(c, &now) < 0)
		return; /* the next look tries again */
	uint64_t percent = now.flows_max ? now.flows * 100ULL / now.flows_max : 0;
	bool fills = percent >= (c->filling ? EASED_PERCENT : FILLING_PERCENT);

	if (c->filling && !fills)
		tell_refusals(sup, zone,
			      now_ms); /* after "eased" they would raise the alarm anew */
	if (fills != c->filling)
		supervisor_event(sup, fills ? EVENT_CONNECTIONS_FILLING : EVENT_CONNECTIONS_EASED,
				 EV_TEXT(ZONE, zone->name), EV_NUMBER(COUNT, now.flows),
				 EV_NUMBER(LIMIT, now.flows_max));
	/* The kernel counts a few broken packets here too: those of an emptier table are no lack of
	 * room. */
	if (fills)
		c->refused_untold += (uint32_t)(now.refused - c->refused_last);
	c->filling = fills;
	c->refused_last = now.refused;
	if (!told_lately(c, now_ms))
		tell_refusals(sup, zone, now_ms);
}

static void look(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;

	loop_arm(loop, self, LOOK_MS);
	for (size_t i = 0; i < sizeof(sup->zones.zones) / sizeof(sup->zones.zones[0]); i++) {
		if (sup->zones.zones[i].used)
			look_at(sup, &sup->zones.zones[i], clock_mono_ms(loop->clock));
	}
}

void connections_watch(struct supervisor *sup)
{
	sup->connections_timer = (struct loop_timer){.fire = look, .ctx = sup};
	loop_arm(&sup->loop, &sup->connections_timer, LOOK_MS);
}

/* ---- sizing */

static uint32_t flows_by_memory(uint32_t zone_count)
{
	struct sysinfo info;

	if (zone_count == 0 || sysinfo(&info) < 0)
		return FLOWS_LEAST;
	uint64_t flows =
		(uint64_t)info.totalram * info.mem_unit / MEMORY_PART / FLOW_BYTES / zone_count;

	return flows < FLOWS_LEAST  ? FLOWS_LEAST
	       : flows > FLOWS_MOST ? FLOWS_MOST
				    : (uint32_t)flows;
}

static int write_number(const char *name, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return netns_sysctl(name, text);
}

/* Before the first change: what connections_restore gives back. Without it nothing is changed. */
static int remember(struct connections_table *table)
{
	int err;

	if (table->set.flows)
		return 0;
	err = netns_sysctl_number(SYSCTL_FLOWS, &table->found.flows);
	return err < 0 ? err : netns_sysctl_number(SYSCTL_BUCKETS, &table->found.buckets);
}

void connections_resize(struct supervisor *sup, const struct snapshot *s)
{
	struct connections_table *table = &sup->connections_table;
	uint32_t wanted = s->header->connections_max;
	uint32_t flows = wanted ? wanted : flows_by_memory(s->zone_count);
	uint64_t buckets = (uint64_t)flows * s->zone_count; /* one table for all zones */

	if (buckets > BUCKETS_MOST)
		buckets = BUCKETS_MOST;
	if (flows == table->set.flows && buckets == table->set.buckets)
		return;
	if (remember(table) == 0 && write_number(SYSCTL_FLOWS, flows) == 0) {
		table->set = (struct connections_size){.flows = flows, .buckets = buckets};
		/* A smaller table is a slower one; it holds as much. */
		(void)write_number(SYSCTL_BUCKETS, buckets);
	} else if (wanted) {
		supervisor_event(sup, EVENT_CONNECTIONS_UNSET, EV_NUMBER(LIMIT, wanted));
	}
}

void connections_restore(struct connections_table *table)
{
	if (!table->set.flows)
		return;
	/* What the kernel took from us it takes again; there is nobody left to tell. */
	(void)write_number(SYSCTL_FLOWS, table->found.flows);
	(void)write_number(SYSCTL_BUCKETS, table->found.buckets);
}
