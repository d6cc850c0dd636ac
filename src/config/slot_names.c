/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who names a slot, and by which names and addresses viewers, browsers and senders reach that. */
#include "config/slot_names.h"

#include <string.h>

#include "policy/value.h"

struct collector {
	const struct tree_node *root;
	const char *slot;
	struct slot_names *out;
};

static bool names_slot(const struct collector *c, const struct tree_node *leaf)
{
	return leaf != NULL && strcmp(tree_value(leaf, 0), c->slot) == 0;
}

/* The name that a mail entry has in greetings; @mail NULL: the gateway's. */
static const char *host_name_of(const struct tree_node *root, const struct tree_node *mail)
{
	const struct tree_node *own = mail != NULL ? tree_first(mail, ROW_MAIL_HOST_NAME) : NULL;
	const struct tree_node *system = tree_first(root, ROW_SYSTEM);

	if (own == NULL && system != NULL)
		own = tree_first(system, ROW_HOST_NAME);
	return own != NULL ? tree_value(own, 0) : schema_row(ROW_HOST_NAME)->fallback;
}

static void add_host(const struct collector *c, const char *host)
{
	if (c->out->host_name == NULL)
		c->out->host_name = host;
	tls_names_add_host(&c->out->names, span_of(host));
}

static void add_address(const struct collector *c, const char *text)
{
	struct value v;

	if (value_parse(&v, &schema_row(ROW_ZONE_ADDRESS)->args[0], span_of(text)) == 0)
		tls_names_add_address(&c->out->names,
				      (struct span){v.prefix.addr, v.prefix.family == 4 ? 4 : 16});
}

static void add_zone(const struct collector *c, const char *name)
{
	const struct tree_node *zone = tree_first(c->root, ROW_ZONE);

	while (zone != NULL && strcmp(tree_value(zone, 0), name) != 0)
		zone = tree_next(zone);
	if (zone == NULL)
		return;
	if (c->out->first_zone == NULL)
		c->out->first_zone = name;
	else if (strcmp(c->out->first_zone, name) != 0)
		c->out->several_zones = true;
	for (const struct tree_node *a = tree_first(zone, ROW_ZONE_ADDRESS); a != NULL;
	     a = tree_next(a))
		add_address(c, tree_value(a, 0));
}

static void collect_mails(const struct collector *c)
{
	for (const struct tree_node *mail = tree_first(c->root, ROW_MAIL); mail != NULL;
	     mail = tree_next(mail)) {
		const struct tree_node *tls = tree_first(mail, ROW_MAIL_TLS);

		if (tls == NULL || !names_slot(c, tree_first(tls, ROW_MAIL_TLS_CERTIFICATE)))
			continue;
		add_host(c, host_name_of(c->root, mail));
		add_zone(c, tree_value(tree_first(mail, ROW_MAIL_FROM), 0));
	}
}

static void add_browser(const struct collector *c, const struct tree_node *browser)
{
	for (const struct tree_node *name = tree_first(browser, ROW_SCREEN_BROWSER_NAME);
	     name != NULL; name = tree_next(name))
		add_host(c, tree_value(name, 0));
}

static void collect_screens(const struct collector *c)
{
	for (const struct tree_node *screen = tree_first(c->root, ROW_SCREEN); screen != NULL;
	     screen = tree_next(screen)) {
		const struct tree_node *tls = tree_first(screen, ROW_SCREEN_TLS);
		const struct tree_node *browser = tree_first(screen, ROW_SCREEN_BROWSER);

		if (tls == NULL || !names_slot(c, tree_first(tls, ROW_SCREEN_TLS_CERTIFICATE)))
			continue;
		add_host(c, host_name_of(c->root, NULL));
		if (browser != NULL)
			add_browser(c, browser);
		add_zone(c, tree_value(tree_first(screen, ROW_SCREEN_FROM), 0));
	}
}

static void collect_syslogs(const struct collector *c)
{
	const struct tree_node *system = tree_first(c->root, ROW_SYSTEM);
	const struct tree_node *syslog = system != NULL ? tree_first(system, ROW_SYSLOG) : NULL;
	const struct tree_node *server =
		syslog != NULL ? tree_first(syslog, ROW_SYSLOG_SERVER) : NULL;

	for (; server != NULL; server = tree_next(server)) {
		if (names_slot(c, tree_first(server, ROW_SYSLOG_CERTIFICATE)))
			add_host(c, host_name_of(c->root, NULL));
	}
}

void slot_names_of(const struct tree_node *root, const char *slot, struct slot_names *out)
{
	struct collector c = {root, slot, out};

	*out = (struct slot_names){0};
	collect_mails(&c);
	collect_screens(&c);
	collect_syslogs(&c);
}
