/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What consoles ask of config: a table of requests, each with the state that it needs. */
#include "config/asking.h"
#include "config/presets.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "base/utf8.h"
#include "config/keys.h"
#include "policy/edit.h"
#include "policy/parse.h"
#include "policy/print.h"

#define SEND_WAIT_MS 1000
#define TYPED        "console"   /* the file name of what was typed */
#define CANDIDATE    "candidate" /* ... of the candidate as `show` prints it */

enum console_status asking_say(struct asking *a, enum console_status status, const char *en,
			       const char *ja)
{
	(void)bytes_append_text(
		&a->text, a->language == LANGUAGE_JA ? ja : en); /* seen by whoever sends it */
	return status;
}

enum console_status asking_problems(struct asking *a, const struct problems *problems,
				    const char *file)
{
	(void)problems_print(&a->text, problems, file, a->language); /* seen by whoever sends it */
	return problems->error_count > 0 ? CONSOLE_FAILED : CONSOLE_OK;
}

bool asking_is_editor(const struct asking *a)
{
	return a->c->editor == (uint32_t)(a->link - a->c->links);
}

struct span asking_text(const char *field, size_t field_bytes)
{
	return (struct span){(const uint8_t *)field, strnlen(field, field_bytes)};
}

/* ---- the candidate */

int asking_parse(struct tree *tree, struct span text, struct problems *problems)
{
	int err = tree_init(tree);

	if (err != 0)
		return err;
	err = parse_text(tree, text, PARSE_WHOLE, problems);
	if (err != 0)
		tree_fini(tree);
	return err;
}

/* Make @text the candidate; on an error the old one stays. */
int config_replace_candidate(struct config *c, struct span text, struct problems *problems)
{
	struct tree fresh;
	int err = asking_parse(&fresh, text, problems);

	if (err != 0)
		return err;
	tree_fini(&c->candidate);
	c->candidate = fresh;
	return 0;
}

/* Both print the same. */
bool config_candidate_is_running(struct config *c)
{
	struct bytes text;
	bool same;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	same = print_tree(&text, c->candidate.root) == 0 &&
	       span_equal(bytes_span(&text), bytes_span(&c->running_text));
	bytes_fini(&text);
	return same;
}

static enum console_status serve_enter(struct asking *a)
{
	struct problems problems;
	uint32_t own = (uint32_t)(a->link - a->c->links);
	char busy[96];

	if (a->c->editor != CONFIG_NOBODY && a->c->editor != own) {
		snprintf(busy, sizeof(busy),
			 a->language == LANGUAGE_JA ? "コンソール %u が編集中です\n"
						    : "console %u is editing\n",
			 a->c->links[a->c->editor].index);
		(void)bytes_append_text(&a->text, busy);
		return CONSOLE_REFUSED;
	}
	if (a->c->editor == own)
		return CONSOLE_OK;
	problems_init(&problems);
	if (asking_parse(&a->c->candidate, bytes_span(&a->c->running_text), &problems) != 0)
		return asking_say(a, CONSOLE_FAILED, "out of memory\n", "メモリが足りません\n");
	a->c->editor = own;
	event_send(&a->c->process.events, EVENT_CONFIG_EDITING,
		   EV_PERSON(USER, a->link->person, a->link->index));
	return CONSOLE_OK;
}

void config_stop_editing(struct config *c)
{
	if (c->editor == CONFIG_NOBODY)
		return;
	event_send(&c->process.events, EVENT_CONFIG_EDITED,
		   EV_PERSON(USER, c->links[c->editor].person, c->links[c->editor].index));
	tree_fini(&c->candidate);
	c->editor = CONFIG_NOBODY;
}

static enum console_status serve_leave(struct asking *a)
{
	if (!config_candidate_is_running(a->c))
		return asking_say(a, CONSOLE_FAILED,
				  "there are changes: commit them or discard them first\n",
				  "未適用の変更があります。commit または discard してください\n");
	config_stop_editing(a->c);
	return CONSOLE_OK;
}

static enum console_status serve_discard(struct asking *a)
{
	struct problems problems;

	problems_init(&problems);
	(void)config_replace_candidate(a->c, bytes_span(&a->c->running_text),
				       &problems); /* told by its problems */
	return asking_problems(a, &problems, CANDIDATE);
}

/* The words of the path where `edit` stands, then those of the line. */
static int request_words(struct asking *a, struct edit_words *words, struct problems *problems)
{
	struct edit_words line;
	bool running =
		a->request->kind == CONSOLE_SHOW && a->request->number == CONSOLE_SHOW_RUNNING;
	int err = edit_split(words, asking_text(a->request->path, running ? 0 : CONSOLE_PATH_BYTES),
			     problems);

	if (err == 0)
		err = edit_split(&line, asking_text(a->request->line, CONSOLE_LINE_BYTES),
				 problems);
	return err == 0 ? edit_join(words, &line) : err;
}

typedef int edit_fn(struct tree *tree, const struct edit_words *words, struct problems *problems);

static enum console_status serve_edit(struct asking *a, edit_fn *edit)
{
	struct edit_words words;
	struct problems problems;

	problems_init(&problems);
	if (request_words(a, &words, &problems) == 0)
		(void)edit(&a->c->candidate, &words, &problems); /* told by its problems */
	return asking_problems(a, &problems, TYPED);
}

static enum console_status serve_set(struct asking *a)
{
	return serve_edit(a, edit_set);
}

static enum console_status serve_delete(struct asking *a)
{
	return serve_edit(a, edit_delete);
}

static enum console_status serve_load(struct asking *a, bool merge)
{
	struct problems problems;
	struct bytes pasted, merged;
	struct tree tree;
	enum console_status status;

	bytes_init(&pasted, PARSE_TEXT_BYTES_MAX + 1);
	bytes_init(&merged, CONFIG_TEXT_BYTES);
	problems_init(&problems);
	if (sealed_read(&pasted, a->fd) != 0) {
		bytes_fini(&pasted);
		return asking_say(a, CONSOLE_FAILED, "the text could not be read\n",
				  "テキストを読み取れません\n");
	}
	if (!merge) {
		(void)config_replace_candidate(a->c, bytes_span(&pasted),
					       &problems); /* told by its problems */
	} else if (print_tree(&merged, a->c->candidate.root) == 0 &&
		   asking_parse(&tree, bytes_span(&merged), &problems) == 0) {
		/* On a copy: with an error nothing of it is applied. */
		if (parse_text(&tree, bytes_span(&pasted), PARSE_MERGE, &problems) == 0) {
			tree_fini(&a->c->candidate);
			a->c->candidate = tree;
		} else {
			tree_fini(&tree);
		}
	}
	status = asking_problems(a, &problems, "terminal");
	bytes_fini(&pasted);
	bytes_fini(&merged);
	return status;
}

static enum console_status serve_load_replace(struct asking *a)
{
	enum console_status status = serve_load(a, false);

	if (status == CONSOLE_OK && a->request->number == CONSOLE_LOAD_IMPORTED)
		event_send(&a->c->process.events, EVENT_CONFIG_IMPORTED,
			   EV_PERSON(USER, a->link->person, a->link->index));
	return status;
}

static enum console_status serve_load_merge(struct asking *a)
{
	return serve_load(a, true);
}

/* The lines of a preset that tell its reader what to change. */
static void tell_notes(struct asking *a, const char *text)
{
	const char *mark = a->language == LANGUAGE_JA ? "#ja: " : "#en: ";

	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		if (strncmp(text, mark, strlen(mark)) == 0)
			(void)bytes_append(&a->text, text + strlen(mark),
					   (size_t)(end + 1 - text) - strlen(mark)); /* short */
	}
}

static enum console_status serve_load_preset(struct asking *a)
{
	const struct span name = span_trim(asking_text(a->request->line, CONSOLE_LINE_BYTES));
	const struct preset_text *preset = preset_texts;
	struct problems problems;

	while (preset->name != NULL && !span_equal(name, span_of(preset->name)))
		preset++;
	if (preset->name == NULL)
		return asking_say(a, CONSOLE_FAILED, "no such preset: system preset ?\n",
				  "その型はありません: system preset ?\n");
	problems_init(&problems);
	if (config_replace_candidate(a->c, span_of(preset->text), &problems) == 0)
		tell_notes(a, preset->text);
	return asking_problems(a, &problems, preset->name);
}

/* ---- showing */

static bool looks_at_candidate(const struct asking *a)
{
	return asking_is_editor(a) &&
	       !(a->request->kind == CONSOLE_SHOW && a->request->number == CONSOLE_SHOW_RUNNING);
}

/* The tree that is looked at: the candidate of who edits it, for all others the running
 * configuration. */
static int open_view(struct asking *a, struct tree *storage, struct tree **view)
{
	struct problems problems;

	*view = looks_at_candidate(a) ? &a->c->candidate : storage;
	if (*view != storage)
		return 0;
	problems_init(&problems);
	return asking_parse(storage, bytes_span(&a->c->running_text), &problems);
}

static void close_view(struct asking *a, struct tree *storage, struct tree *view)
{
	if (view == storage)
		tree_fini(storage);
}

enum console_status asking_no_memory(struct asking *a)
{
	return asking_say(a, CONSOLE_FAILED, "out of memory\n", "メモリが足りません\n");
}

enum console_status asking_busy(struct asking *a)
{
	return asking_say(a, CONSOLE_FAILED, "another commit is under way\n",
			  "別の適用処理が進行中です\n");
}

static enum console_status serve_show(struct asking *a)
{
	struct edit_words words;
	struct problems problems;
	struct tree storage, *view;
	const struct tree_node *node = NULL;

	problems_init(&problems);
	if (open_view(a, &storage, &view) != 0)
		return asking_no_memory(a);
	if (request_words(a, &words, &problems) == 0)
		node = edit_find(view, &words, &problems);
	if (node != NULL && (node->first != NULL || node == view->root))
		(void)print_tree(&a->text, node); /* a full text is seen by whoever sends it */
	else if (node != NULL)
		(void)print_statement(&a->text, node, 0, ""); /* the same */
	close_view(a, &storage, view);
	return asking_problems(a, &problems, TYPED);
}

/* It leaves the gateway: recorded before it does. */
static enum console_status serve_export(struct asking *a)
{
	event_send(&a->c->process.events, EVENT_CONFIG_EXPORTED,
		   EV_PERSON(USER, a->link->person, a->link->index),
		   EV_NUMBER(COMMIT, a->c->running_entry.number));
	(void)bytes_append(&a->text, a->c->running_text.data,
			   a->c->running_text.size); /* a full text is seen by whoever sends it */
	return CONSOLE_OK;
}

static enum console_status serve_show_public(struct asking *a)
{
	struct problems problems;
	struct tree tree;

	problems_init(&problems);
	if (asking_parse(&tree, bytes_span(&a->c->running_text), &problems) != 0)
		return asking_no_memory(a);      /* problems would name values */
	(void)print_public(&a->text, tree.root); /* a full text is seen by whoever sends it */
	tree_fini(&tree);
	return CONSOLE_OK;
}

/* The text of the saved configuration @back commits ago; 0 is the running one. */
static enum console_status read_back(struct asking *a, uint32_t back, struct bytes *text)
{
	uint32_t numbers[STORE_KEPT];
	struct store_entry entry;
	int count;

	if (back == 0)
		return bytes_append(text, a->c->running_text.data, a->c->running_text.size) == 0
			       ? CONSOLE_OK
			       : asking_no_memory(a);
	count = a->c->state_dir >= 0 ? store_list(a->c->state_dir, numbers, STORE_KEPT) : 0;
	if (count < 0 || back >= (uint32_t)count)
		return asking_say(
			a, CONSOLE_FAILED,
			"there is no such saved configuration; see show history\n",
			"その設定は保存されていません。show history で確認してください\n");
	if (store_read(a->c->state_dir, numbers[back], &entry, text) != 0)
		return asking_say(a, CONSOLE_FAILED, "that saved configuration is damaged\n",
				  "その設定は破損しています\n");
	return CONSOLE_OK;
}

static enum console_status serve_compare(struct asking *a)
{
	struct problems problems;
	struct tree storage, old, *view;
	struct bytes text;
	enum console_status status;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	problems_init(&problems);
	status = read_back(a, a->request->number, &text);
	if (status == CONSOLE_OK && asking_parse(&old, bytes_span(&text), &problems) != 0)
		status = asking_problems(a, &problems, "saved");
	else if (status == CONSOLE_OK && open_view(a, &storage, &view) != 0)
		tree_fini(&old);
	else if (status == CONSOLE_OK) {
		(void)print_difference(&a->text, &old,
				       view); /* a full text is seen by whoever sends it */
		close_view(a, &storage, view);
		tree_fini(&old);
	}
	bytes_fini(&text);
	return status;
}

static enum console_status serve_rollback(struct asking *a)
{
	struct problems problems;
	struct bytes text;
	enum console_status status;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	problems_init(&problems);
	status = read_back(a, a->request->number, &text);
	if (status == CONSOLE_OK) {
		(void)config_replace_candidate(a->c, bytes_span(&text),
					       &problems); /* told by its problems */
		status = asking_problems(a, &problems, "saved");
	}
	bytes_fini(&text);
	return status;
}

void asking_format_time(char *out, size_t size, int64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, size, "%lld", (long long)time_s);
}

static enum console_status serve_history(struct asking *a)
{
	uint32_t numbers[STORE_KEPT];
	struct store_entry entry;
	int count = a->c->state_dir >= 0 ? store_list(a->c->state_dir, numbers, STORE_KEPT) : 0;

	for (int i = 0; i < count; i++) {
		struct bytes text;
		char time[32];

		bytes_init(&text, CONFIG_TEXT_BYTES);
		if (store_read(a->c->state_dir, numbers[i], &entry, &text) == 0) {
			asking_format_time(time, sizeof(time), entry.time_s);
			(void)bytes_printf(&a->text, "%d\t%u\t%s\t%s\t%s\n", i, entry.number, time,
					   entry.origin,
					   entry.comment); /* seen by whoever sends it */
		} else {
			(void)bytes_printf(&a->text, "%d\t%u\t-\t-\t!\n", i,
					   numbers[i]); /* the same */
		}
		bytes_fini(&text);
	}
	return CONSOLE_OK;
}

static enum console_status serve_complete(struct asking *a)
{
	struct edit_words words;
	struct problems problems;
	struct tree storage, *view;

	problems_init(&problems);
	if (request_words(a, &words, &problems) != 0)
		return CONSOLE_OK;
	if (open_view(a, &storage, &view) != 0)
		return asking_no_memory(a);
	if (a->request->number <= EDIT_ENTER)
		(void)edit_complete(&a->text, view, &words, (enum edit_purpose)a->request->number,
				    a->language); /* a full text is seen by whoever sends it */
	close_view(a, &storage, view);
	return CONSOLE_OK;
}

static enum console_status serve_hello(struct asking *a)
{
	struct snapshot view;

	if (snapshot_view(&view, a->c->running_block.data, a->c->running_block.size) != 0)
		return asking_say(a, CONSOLE_OK, "sekisho\n\n", "sekisho\n\n");
	(void)bytes_printf(&a->text, "%s\n%s\n",
			   snapshot_text_at(&view, view.header->text_host_name),
			   snapshot_text_at(&view, view.header->text_organization)); /* short */
	return CONSOLE_OK;
}

/* ---- commit */

static enum console_status serve_check(struct asking *a)
{
	struct bytes text, block;
	enum console_status status;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	status = asking_check(a, a->c->candidate.root, &text, &block, false);
	bytes_fini(&block);
	bytes_fini(&text);
	return status == CONSOLE_OK ? asking_say(a, status, "no errors\n", "誤りはありません\n")
				    : status;
}

/* The supervisor keeps it for the question that the console asks next. */
static int hand_over(struct asking *a, const struct bytes *block)
{
	const struct control_candidate body = {.console = a->link->index,
					       .request = a->request->serial};
	int fd = -1, err = sealed_make("candidate", bytes_span(block), &fd);

	if (err != 0)
		return err;
	err = channel_send_wait(&a->c->process.control, CONTROL_CANDIDATE, &body, sizeof(body), &fd,
				1, SEND_WAIT_MS);
	(void)close(fd); /* memory, which the supervisor has now */
	return err;
}

enum console_status asking_replay(struct asking *a, const struct tree_node *root)
{
	struct bytes text, block;
	enum console_status status;
	int err = 0;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	status = asking_check(a, root, &text, &block, false);
	if (status == CONSOLE_OK) {
		bytes_clear(&a->text); /* warnings: `check` tells them */
		err = hand_over(a, &block);
	}
	bytes_fini(&block);
	bytes_fini(&text);
	return err == 0 ? status
			: asking_say(a, CONSOLE_FAILED, "the candidate cannot be handed over\n",
				     "編集中の設定を引き渡せません\n");
}

static enum console_status serve_replay(struct asking *a)
{
	return asking_replay(a, a->c->candidate.root);
}

static enum console_status serve_snapshot(struct asking *a)
{
	struct problems problems;

	problems_init(&problems);
	if (!asking_is_editor(a)) {
		(void)bytes_append(&a->text, a->c->running_block.data,
				   a->c->running_block.size); /* as ever */
		return CONSOLE_OK;
	}
	if (policy_compile(&a->c->candidate, &a->text, &problems) == 0)
		return CONSOLE_OK;
	bytes_clear(&a->text);
	return asking_problems(a, &problems, CANDIDATE);
}

/* ---- the table */

/* For whom: only for who holds the candidate, for an administrator, for everybody who is served. */
enum access { EDITOR, ADMINISTRATOR, ANYBODY };

static const struct {
	enum console_status (*serve)(struct asking *a);
	enum access access;
	bool takes_fd;
} requests[CONSOLE_KIND_COUNT_] = {
	[CONSOLE_HELLO] = {serve_hello, ANYBODY, false},
	[CONSOLE_ENTER] = {serve_enter, ADMINISTRATOR, false},
	[CONSOLE_LEAVE] = {serve_leave, EDITOR, false},
	[CONSOLE_DISCARD] = {serve_discard, EDITOR, false},
	[CONSOLE_SET] = {serve_set, EDITOR, false},
	[CONSOLE_DELETE] = {serve_delete, EDITOR, false},
	[CONSOLE_SHOW] = {serve_show, ANYBODY, false},
	[CONSOLE_SHOW_PUBLIC] = {serve_show_public, ADMINISTRATOR, false},
	[CONSOLE_EXPORT] = {serve_export, ADMINISTRATOR, false},
	[CONSOLE_COMPARE] = {serve_compare, ANYBODY, false},
	[CONSOLE_CHECK] = {serve_check, EDITOR, false},
	[CONSOLE_REPLAY] = {serve_replay, EDITOR, false},
	[CONSOLE_REPLAY_PROPOSAL] = {proposal_replay, ADMINISTRATOR, false},
	[CONSOLE_COMMIT] = {committing_commit, EDITOR, false},
	[CONSOLE_ROLLBACK] = {serve_rollback, EDITOR, false},
	[CONSOLE_LOAD_REPLACE] = {serve_load_replace, EDITOR, true},
	[CONSOLE_LOAD_MERGE] = {serve_load_merge, EDITOR, true},
	[CONSOLE_LOAD_PRESET] = {serve_load_preset, EDITOR, false},
	[CONSOLE_COMPLETE] = {serve_complete, ANYBODY, false},
	[CONSOLE_HISTORY] = {serve_history, ANYBODY, false},
	[CONSOLE_SNAPSHOT] = {serve_snapshot, ANYBODY, false},
	[CONSOLE_LOAD_CERTIFICATE] = {slots_load_certificate, ADMINISTRATOR, true},
	[CONSOLE_LOAD_AUTHORITY] = {slots_load_authority, ADMINISTRATOR, true},
	[CONSOLE_LOAD_PASSWORD] = {slots_load_password, ADMINISTRATOR, true},
	[CONSOLE_PENDING] = {committing_pending, ANYBODY, false},
	[CONSOLE_PROPOSE] = {proposal_make, EDITOR, false},
	[CONSOLE_PROPOSE_EMERGENCY] = {proposal_make, EDITOR, false},
	[CONSOLE_APPROVE] = {proposal_approve, ADMINISTRATOR, false},
	[CONSOLE_WITHDRAW] = {proposal_withdraw, ADMINISTRATOR, false},
	[CONSOLE_COMPLIANCE] = {compliance_show, ANYBODY, false},
	[CONSOLE_SLOTS] = {slots_list, ANYBODY, false},
	[CONSOLE_SLOT] = {slots_show, ANYBODY, false},
	[CONSOLE_CHECK_SAVED] = {saved_check, ANYBODY, false},
};

int config_answer(struct config *c, struct config_link *link, uint32_t serial,
		  enum console_status status, struct span text)
{
	struct console_answer answer = {
		.serial = serial, .status = status, .text_bytes = text.size};
	int fd = -1;
	int err = text.size > 0 ? sealed_make("answer", text, &fd) : 0;

	if (err != 0) {
		answer.status = CONSOLE_FAILED;
		answer.text_bytes = 0;
	}
	if (c->editor == (uint32_t)(link - c->links) && !config_candidate_is_running(c))
		answer.flags |= CONSOLE_CHANGED;
	err = channel_send_wait(&link->channel, CONSOLE_ANSWER, &answer, sizeof(answer), &fd,
				fd >= 0 ? 1 : 0, SEND_WAIT_MS);
	if (fd >= 0)
		close(fd);
	return err;
}

int config_serve(struct config *c, struct config_link *link, const struct console_request *request,
		 int *fd)
{
	struct asking a = {.c = c, .link = link, .request = request, .fd = *fd};
	enum console_status status;
	int err = 0;

	if (request->kind == 0 || request->kind >= CONSOLE_KIND_COUNT_ ||
	    request->language > LANGUAGE_JA || requests[request->kind].takes_fd != (*fd >= 0))
		return -ERR_PEER;
	a.language = (enum language)request->language;
	bytes_init(&a.text, SNAPSHOT_BYTES_MAX);
	if (requests[request->kind].access != ANYBODY && link->role != ACCOUNT_ADMINISTRATOR)
		status = asking_say(&a, CONSOLE_REFUSED, "only an administrator may do this\n",
				    "管理者だけが実行できます\n");
	else if (requests[request->kind].access == EDITOR && !asking_is_editor(&a))
		status = asking_say(&a, CONSOLE_REFUSED, "enter `configure` first\n",
				    "先に configure を実行してください\n");
	else
		status = requests[request->kind].serve(&a);
	if (a.text.failed)
		status = asking_no_memory(&a);
	if (status != STATUS_LATER)
		err = config_answer(c, link, request->serial, status, bytes_span(&a.text));
	bytes_fini(&a.text);
	return err;
}
