/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first administrator of a gateway without accounts: accounts has met the person at a terminal,
 * config commits the name. In between audit brings the record to the disk (L1).
 */
#include <stdio.h>

#include "policy/schema.h"
#include "supervisor/supervisor.h"

static void refuse(struct supervisor *sup, const struct control_first *first, const char *en,
		   const char *ja)
{
	struct child *accounts = child_find(sup, ROLE_ACCOUNTS, 0);
	struct control_first_done body = {.number = first->number};

	(void)snprintf(body.text, sizeof(body.text), "%s\n",
		       first->language == LANGUAGE_JA ? ja : en);
	if (child_is_alive(accounts))
		child_send(accounts, CONTROL_FIRST_DONE, &body, sizeof(body), NULL, 0);
}

static void refuse_unwritten(struct supervisor *sup)
{
	refuse(sup, &sup->first.first, "the log cannot be written: nothing was changed",
	       "ログを書けないため、何も変更していません");
}

/* The texts are config's to judge; accounts and config end them themselves. */
int first_handle(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct supervisor *sup = ((struct child *)ctx)->sup;
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_record body = {.number = ++sup->record_serial};

	sup->first = (struct first_wait){.first = *(const struct control_first *)message->body};
	if (!child_is_alive(audit)) {
		refuse_unwritten(sup);
		return 0;
	}
	sup->first.record = body.number;
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
	return 0;
}

void first_recorded(struct supervisor *sup, const struct control_recorded *answer)
{
	struct child *config = child_find(sup, ROLE_CONFIG, 0);

	if (sup->first.record == 0 || sup->first.record != answer->number)
		return;
	sup->first.record = 0;
	if (answer->ok == 0)
		refuse_unwritten(sup);
	else if (!config || config->state != CHILD_READY)
		refuse(sup, &sup->first.first, "config does not run: nothing was changed",
		       "config が動作していないため、何も変更していません");
	else
		child_send(config, CONTROL_FIRST, &sup->first.first, sizeof(sup->first.first), NULL,
			   0);
}

void first_unrecorded(struct supervisor *sup)
{
	if (sup->first.record == 0)
		return;
	sup->first.record = 0;
	refuse_unwritten(sup);
}

int first_handle_done(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *accounts = child_find(((struct child *)ctx)->sup, ROLE_ACCOUNTS, 0);

	if (child_is_alive(accounts))
		child_send(accounts, CONTROL_FIRST_DONE, message->body,
			   sizeof(struct control_first_done), NULL, 0);
	return 0;
}
