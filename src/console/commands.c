/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands: one table that the parser, '?' and Tab read. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "console/console.h"

#define BOTH       (MODE_OPERATIONAL | MODE_CONFIGURE)
#define WORD_BYTES 64 /* of one word of a command, or of what describes its tail */
#define RUN        "run"

/* What may stand behind a command's words. */
enum tail {
	TAIL_NONE,
	TAIL_PATH,  /* words of the configuration; what may come next is asked of config */
	TAIL_WORDS, /* one of fixed words */
	TAIL_NUMBER,
	TAIL_TEXT, /* anything */
};

struct command {
	const char *words;
	unsigned modes;
	command_fn *run;
	unsigned number; /* the action's own: query kind, request kind */
	const char *help[2];
	enum tail tail;
	enum edit_purpose purpose; /* TAIL_PATH */
	const char *choices;       /* TAIL_WORDS: separated by blanks; others: label */
};

static const struct command commands[] = {
	{"show separation",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_SEPARATION,
	 {"each pair of zones: is there a path, by what", "ゾーン間の分離状態"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show zones",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_ZONES,
	 {"zones, ports, counters", "ゾーンの状態"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show crossing",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_CROSSINGS,
	 {"crossings and their permits", "通過点と許可"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show flows",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_FLOWS,
	 {"established flows, those with most bytes", "確立済みの通信 (絞り込み、通信量の多い順)"},
	 TAIL_TEXT,
	 0,
	 "[zone N] [source A] [destination A] [port N] [permit N] [top N]"},
	{"show permits",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_PERMITS,
	 {"what passed by each permit; those not used for so many days",
	  "許可規則ごとの実績 (指定日数以上使われていないもの)"},
	 TAIL_TEXT,
	 0,
	 "[unused days] [zone]"},
	{"clear flow",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_CLEAR_FLOW,
	 {"end flows; their ends are reset", "通信を切断する"},
	 TAIL_TEXT,
	 0,
	 "zone N|source A|destination A|port N|permit N ..."},
	{"show mail",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_MAIL,
	 {"mail sessions", "メールのセッション"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show mail log",
	 MODE_OPERATIONAL,
	 action_query_mail_log,
	 0,
	 {"the newest records about mail [that contain a text]", "メールの最新の記録 [含む文字]"},
	 TAIL_TEXT,
	 0,
	 "[text]"},
	{"show mail receipt",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_RECEIPT,
	 {"the receipt of a flattened mail", "無害化したメールの受付記録"},
	 TAIL_TEXT,
	 0,
	 "id"},
	{"show screen sessions",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_SCREEN,
	 {"screen sessions", "画面転送のセッション"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show log",
	 MODE_OPERATIONAL,
	 action_query_log,
	 0,
	 {"the newest records [how many]", "最新の記録 [件数]"},
	 TAIL_TEXT,
	 0,
	 "[count]"},
	{"show alarms",
	 MODE_OPERATIONAL,
	 action_query_alarms,
	 0,
	 {"what is wrong, since when, what to do", "発生中の警報、発生時刻、対処"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show device-key",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_DEVICE_KEY,
	 {"the public key that signs the log (PEM), the log's newest anchor",
	  "ログに署名する公開鍵 (PEM) と最新の署名"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show processes",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_PROCESSES,
	 {"the gateway's processes", "プロセスの状態"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show configuration",
	 MODE_OPERATIONAL,
	 action_configuration,
	 0,
	 {"the running configuration [part of it]", "現在の設定 [その一部]"},
	 TAIL_PATH,
	 EDIT_SHOW,
	 NULL},
	{"show certificates",
	 BOTH,
	 action_slots,
	 0,
	 {"certificates and authorities; with a slot: that certificate as PEM",
	  "証明書と認証局の一覧、または指定した証明書 (PEM)"},
	 TAIL_TEXT,
	 0,
	 "[slot]"},
	{"load certificate",
	 BOTH,
	 action_load,
	 CONSOLE_LOAD_CERTIFICATE,
	 {"paste a certificate chain and its key (PEM)", "証明書と秘密鍵 (PEM) を貼り付ける"},
	 TAIL_TEXT,
	 0,
	 "slot"},
	{"load authority",
	 BOTH,
	 action_load,
	 CONSOLE_LOAD_AUTHORITY,
	 {"paste certificates to verify next hops with (PEM)",
	  "検証用の認証局証明書 (PEM) を貼り付ける"},
	 TAIL_TEXT,
	 0,
	 "slot"},
	{"show history",
	 BOTH,
	 action_history,
	 0,
	 {"saved configurations", "保存された設定の一覧"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show pending",
	 BOTH,
	 action_simple,
	 CONSOLE_PENDING,
	 {"what waits to be confirmed or approved", "確定や承認を待つ設定"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show version",
	 MODE_OPERATIONAL,
	 action_version,
	 0,
	 {"this software", "ソフトウェアの版"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"isolate zone",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_ISOLATE,
	 {"shut a zone off at once", "ゾーンを直ちに遮断する"},
	 TAIL_TEXT,
	 0,
	 "zone"},
	{"capture zone",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_CAPTURE,
	 {"packets at a zone's port, as a pcapng file in base64; recorded",
	  "ゾーンのパケットを取得する (pcapngのbase64、記録される)"},
	 TAIL_TEXT,
	 0,
	 "zone [count N] [seconds N] [[not] host A|net P|port N|proto P [and|or] ...]"},
	{"isolate station",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_ISOLATE_STATION,
	 {"shut a station out at once", "端末を直ちに遮断する"},
	 TAIL_TEXT,
	 0,
	 "mac|address"},
	{"restore station",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_RESTORE_STATION,
	 {"end a station's isolation", "端末の遮断を解除する"},
	 TAIL_TEXT,
	 0,
	 "mac|address"},
	{"clear screen session",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_CLEAR_SCREEN,
	 {"end a screen session at once", "画面転送のセッションを切断する"},
	 TAIL_TEXT,
	 0,
	 "session"},
	{"show isolated",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_ISOLATED,
	 {"zones and stations that are shut out", "遮断中のゾーンと端末"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"restore zone",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_RESTORE,
	 {"end a zone's isolation", "ゾーンの遮断を解除する"},
	 TAIL_TEXT,
	 0,
	 "zone"},
	{"test mail",
	 MODE_OPERATIONAL,
	 action_test_mail,
	 0,
	 {"paste a mail and see what would become of it; nothing is sent",
	  "メールを貼り付けて無害化の結果を見る (送信しない)"},
	 TAIL_TEXT,
	 0,
	 "[mail]"},
	{"test flow",
	 MODE_OPERATIONAL,
	 action_query,
	 QUERY_TEST_FLOW,
	 {"what would be decided about a flow, and by which permit", "この通信は許可されるか"},
	 TAIL_TEXT,
	 0,
	 "zone source destination tcp|udp|icmp|number [port]"},
	{"configure",
	 MODE_OPERATIONAL,
	 action_configure,
	 0,
	 {"edit the configuration", "設定の編集を始める"},
	 TAIL_NONE,
	 0,
	 NULL},

	{"set",
	 MODE_CONFIGURE,
	 action_change,
	 CONSOLE_SET,
	 {"write a statement", "設定を書く"},
	 TAIL_PATH,
	 EDIT_SET,
	 NULL},
	{"delete",
	 MODE_CONFIGURE,
	 action_change,
	 CONSOLE_DELETE,
	 {"delete a statement", "設定を消す"},
	 TAIL_PATH,
	 EDIT_DELETE,
	 NULL},
	{"edit",
	 MODE_CONFIGURE,
	 action_edit,
	 0,
	 {"go down into a block", "階層を下がる"},
	 TAIL_PATH,
	 EDIT_ENTER,
	 NULL},
	{"up",
	 MODE_CONFIGURE,
	 action_up,
	 0,
	 {"go up one block", "1つ上の階層へ"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"top",
	 MODE_CONFIGURE,
	 action_top,
	 0,
	 {"go to the top", "最上位の階層へ"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"show",
	 MODE_CONFIGURE,
	 action_show,
	 0,
	 {"the candidate [part of it]", "編集中の設定 [その一部]"},
	 TAIL_PATH,
	 EDIT_SHOW,
	 NULL},
	{"compare",
	 MODE_CONFIGURE,
	 action_compare,
	 0,
	 {"what would change; with a number: against that saved one",
	  "変更点 (番号を付けると保存された設定との差)"},
	 TAIL_NUMBER,
	 0,
	 "[0-49]"},
	{"check",
	 MODE_CONFIGURE,
	 action_simple,
	 CONSOLE_CHECK,
	 {"would a commit be accepted?", "適用できるか検査する"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"commit",
	 MODE_CONFIGURE,
	 action_commit,
	 0,
	 {"make the candidate take effect", "編集中の設定を適用する"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"commit comment",
	 MODE_CONFIGURE,
	 action_commit,
	 0,
	 {"... and say why", "理由を付けて適用する"},
	 TAIL_TEXT,
	 0,
	 "\"text\""},
	{"commit confirmed",
	 MODE_CONFIGURE,
	 action_commit_confirmed,
	 0,
	 {"... which returns by itself unless `commit` confirms it",
	  "仮に適用する (commit で確定しなければ元に戻る)"},
	 TAIL_TEXT,
	 0,
	 "[minutes] [comment \"text\"]"},
	{"propose",
	 MODE_CONFIGURE,
	 action_with_text,
	 CONSOLE_PROPOSE,
	 {"ask another administrator to approve the candidate",
	  "編集中の設定を提案する (別の管理者が承認)"},
	 TAIL_TEXT,
	 0,
	 "\"reason\""},
	{"approve",
	 BOTH,
	 action_with_text,
	 CONSOLE_APPROVE,
	 {"commit what another administrator has proposed", "別の管理者の提案を承認し適用する"},
	 TAIL_TEXT,
	 0,
	 "hash"},
	{"withdraw",
	 BOTH,
	 action_simple,
	 CONSOLE_WITHDRAW,
	 {"take back what was proposed", "提案を取り下げる"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"rollback",
	 MODE_CONFIGURE,
	 action_rollback,
	 0,
	 {"take a saved configuration as candidate", "保存された設定を読み込む"},
	 TAIL_NUMBER,
	 0,
	 "0-49"},
	{"discard",
	 MODE_CONFIGURE,
	 action_simple,
	 CONSOLE_DISCARD,
	 {"forget all changes", "変更をすべて取り消す"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"load replace terminal",
	 MODE_CONFIGURE,
	 action_load,
	 CONSOLE_LOAD_REPLACE,
	 {"paste a whole configuration", "設定全体を貼り付ける"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"load merge terminal",
	 MODE_CONFIGURE,
	 action_load,
	 CONSOLE_LOAD_MERGE,
	 {"paste statements on top", "設定を追加で貼り付ける"},
	 TAIL_NONE,
	 0,
	 NULL},

	{"password",
	 MODE_OPERATIONAL,
	 action_password,
	 0,
	 {"change your password", "自分のパスワードを変更する"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"account show",
	 MODE_OPERATIONAL,
	 action_account,
	 ACCOUNT_SHOW,
	 {"the accounts and their state", "アカウントの一覧"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"account reset",
	 MODE_OPERATIONAL,
	 action_account,
	 ACCOUNT_RESET,
	 {"give a user a temporary password", "仮パスワードを発行する"},
	 TAIL_TEXT,
	 0,
	 "user"},
	{"account screen-show",
	 MODE_OPERATIONAL,
	 action_account,
	 ACCOUNT_SCREEN_SHOW,
	 {"the users of screens and their state", "画面転送の利用者の一覧"},
	 TAIL_NONE,
	 0,
	 NULL},
	{"account screen-password",
	 MODE_OPERATIONAL,
	 action_account,
	 ACCOUNT_SCREEN_RESET,
	 {"give a screen-user a new password", "画面転送の利用者に新しいパスワードを発行する"},
	 TAIL_TEXT,
	 0,
	 "user"},

	{"terminal language",
	 BOTH,
	 action_language,
	 0,
	 {"language of messages", "表示言語"},
	 TAIL_WORDS,
	 0,
	 "ja en"},
	{"terminal length",
	 BOTH,
	 action_length,
	 0,
	 {"rows of a page; 0: no pages", "1ページの行数 (0: ページ分けなし)"},
	 TAIL_NUMBER,
	 0,
	 "0-500"},
	{"terminal width", BOTH, action_width, 0, {"columns", "桁数"}, TAIL_NUMBER, 0, "20-500"},
	{"terminal ambiguous-width",
	 BOTH,
	 action_ambiguous,
	 0,
	 {"columns of characters of ambiguous width", "曖昧な幅の文字の桁数"},
	 TAIL_WORDS,
	 0,
	 "1 2"},
	{"help", BOTH, action_help, 0, {"all commands", "コマンドの一覧"}, TAIL_NONE, 0, NULL},
	{"exit", BOTH, action_exit, 0, {"leave", "終了する"}, TAIL_NONE, 0, NULL},
	{"quit", BOTH, action_exit, 0, {"leave", "終了する"}, TAIL_NONE, 0, NULL},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* ---- matching: word by word, as short as is unique */

struct match {
	bool in[COMMAND_COUNT]; /* commands that begin with the words so far */
	size_t depth;           /* how many words those are */
	enum console_mode mode;
	const char *rest; /* what follows them */
};

/* Word @i of a command; false: it has no more. */
static bool command_word(char out[WORD_BYTES], const struct command *command, size_t i)
{
	const char *at = command->words;
	size_t size;

	while (i-- > 0) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	size = strcspn(at, " ");
	if (size == 0)
		return false;
	snprintf(out, WORD_BYTES, "%.*s", (int)size, at);
	return true;
}

static void match_begin(struct match *m, enum console_mode mode, const char *line)
{
	m->mode = mode;
	m->depth = 0;
	m->rest = line + strspn(line, " ");
	if (mode == MODE_CONFIGURE && strncmp(m->rest, RUN " ", sizeof(RUN)) == 0) {
		m->mode = MODE_OPERATIONAL;
		m->rest += sizeof(RUN);
		m->rest += strspn(m->rest, " ");
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		m->in[i] = (commands[i].modes & m->mode) != 0;
}

/* The command that has exactly the words so far; NULL: none. */
static const struct command *match_whole(const struct match *m)
{
	char word[WORD_BYTES];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (m->in[i] && m->depth > 0 && !command_word(word, &commands[i], m->depth))
			return &commands[i];
	}
	return NULL;
}

/*
 * Narrow the match by one word, which may be shortened. Return: how many different words fit; only
 * with 1 (or where one fits to the letter) the match goes on.
 */
static size_t match_word(struct match *m, const char *typed, size_t size)
{
	char word[WORD_BYTES], chosen[WORD_BYTES] = "";
	struct match next = *m;
	size_t different = 0;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		next.in[i] = m->in[i] && command_word(word, &commands[i], m->depth) &&
			     strncmp(word, typed, size) == 0;
		if (!next.in[i] || strcmp(word, chosen) == 0)
			continue;
		if (word[size] == '\0')
			different = 0; /* to the letter: the only one that counts */
		if (different == 0 || chosen[size] != '\0') {
			different++;
			snprintf(chosen, sizeof(chosen), "%s", word);
		}
	}
	if (different != 1)
		return different;
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		next.in[i] = next.in[i] && command_word(word, &commands[i], m->depth) &&
			     strcmp(word, chosen) == 0;
	*m = next;
	m->depth++;
	m->rest += size;
	m->rest += strspn(m->rest, " ");
	return 1;
}

/* Follow the line as far as it names a command; *@fits tells about the word where it ended. */
static void match_line(struct match *m, enum console_mode mode, const char *line, bool last_is_open,
		       size_t *fits)
{
	match_begin(m, mode, line);
	*fits = 1;
	while (*m->rest != '\0') {
		size_t size = strcspn(m->rest, " ");

		if (last_is_open && m->rest[size] == '\0')
			return;
		*fits = match_word(m, m->rest, size);
		if (*fits != 1)
			return;
	}
}

/* ---- running */

static void refuse(struct console *c, const struct match *m, const char *line, const char *en,
		   const char *ja)
{
	char word[WORD_BYTES], last[WORD_BYTES] = "";
	bool first = true;

	screen_printf(c, "console:1:%u: %s '%.*s'; %s: ", (unsigned)(m->rest - line) + 1,
		      c->language == LANGUAGE_JA ? ja : en, (int)strcspn(m->rest, " "), m->rest,
		      c->language == LANGUAGE_JA ? "ここに書けるもの" : "allowed here");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!m->in[i] || !command_word(word, &commands[i], m->depth) ||
		    strcmp(word, last) == 0)
			continue;
		screen_printf(c, "%s%s", first ? "" : ", ", word);
		first = false;
		snprintf(last, sizeof(last), "%s", word);
	}
	screen_print(c, span_of("\n"));
	console_prompt(c);
}

static void run(struct console *c, const struct command *command, const char *tail)
{
	if (command->tail == TAIL_NONE && tail[0] != '\0') {
		screen_printf(c, "console:1:%u: ", (unsigned)(tail - c->line.text) + 1);
		screen_say(c, "nothing may follow this command\n",
			   "このコマンドに続けて書けるものはありません\n");
		console_prompt(c);
		return;
	}
	command->run(c, tail, command->number);
}

static bool pipes_output(const char *line)
{
	line += strspn(line, " ");
	return strncmp(line, "sh", 2) == 0 || strncmp(line, "comp", 4) == 0 ||
	       strncmp(line, RUN " ", 4) == 0;
}

void command_run(struct console *c)
{
	char *line = c->line.text;
	const struct command *command;
	struct match m;
	size_t fits, size = strlen(line);

	if (pipes_output(line) && layout_pipe_split(&c->pipe, line) != 0) {
		screen_say(c,
			   "unknown filter; allowed: | match WORD, | except WORD, | count, | "
			   "no-more\n",
			   "使えるのは | match 語、| except 語、| count、| no-more です\n");
		console_prompt(c);
		return;
	}
	for (size = strlen(line); size > 0 && line[size - 1] == ' ';)
		line[--size] = '\0';
	if (line[strspn(line, " ")] == '\0') {
		console_prompt(c);
		return;
	}
	match_line(&m, c->mode, line, false, &fits);
	command = match_whole(&m);
	if (fits > 1)
		refuse(c, &m, line, "ambiguous", "あいまいなコマンド");
	else if (command != NULL && (fits == 1 || command->tail != TAIL_NONE))
		run(c, command, m.rest);
	else
		refuse(c, &m, line, fits == 0 ? "unknown command" : "incomplete command",
		       fits == 0 ? "不明なコマンド" : "コマンドが途中です");
}

/* ---- '?' and Tab */

/* Each line "text\thelp"; a text in angle brackets describes and cannot be inserted. */
static void offer(struct bytes *out, const char *text, const char *help)
{
	(void)bytes_printf(out, "%s\t%s\n", text, help); /* short */
}

static void offer_tail(struct console *c, struct bytes *out, const struct command *command,
		       const char *typed)
{
	const char *list = command->choices;
	char word[WORD_BYTES];

	if (command->tail == TAIL_NUMBER || command->tail == TAIL_TEXT) {
		snprintf(word, sizeof(word), "<%s>", list);
		offer(out, word, command->help[c->language]);
	}
	while (command->tail == TAIL_WORDS && *(list += strspn(list, " ")) != '\0') {
		size_t size = strcspn(list, " ");

		snprintf(word, sizeof(word), "%.*s", (int)size, list);
		if (strncmp(word, typed, strlen(typed)) == 0)
			offer(out, word, command->help[c->language]);
		list += size;
	}
}

/* Next words of the commands that match, each once. */
static void offer_words(struct console *c, struct bytes *out, const struct match *m,
			const char *typed)
{
	char word[WORD_BYTES], more[WORD_BYTES], last[WORD_BYTES] = "";

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		bool leaf;

		if (!m->in[i] || !command_word(word, &commands[i], m->depth) ||
		    strcmp(word, last) == 0 || strncmp(word, typed, strlen(typed)) != 0)
			continue;
		leaf = !command_word(more, &commands[i], m->depth + 1);
		offer(out, word, leaf ? commands[i].help[c->language] : "...");
		snprintf(last, sizeof(last), "%s", word);
	}
	if (m->depth == 0 && c->mode == MODE_CONFIGURE && m->mode == MODE_CONFIGURE &&
	    strncmp(RUN, typed, strlen(typed)) == 0)
		offer(out, RUN,
		      c->language == LANGUAGE_JA ? "通常モードのコマンド"
						 : "a command of the other mode");
}

/* What may stand at the cursor; asks config where it must: then @on_answer gets the same kind of
 * text later. */
static void offer_at_cursor(struct console *c, console_answer_fn *on_answer)
{
	char line[LINE_BYTES_MAX + 1];
	const struct command *command;
	struct bytes out;
	struct match m;
	size_t fits;

	snprintf(line, sizeof(line), "%.*s", (int)c->line.cursor, c->line.text);
	match_line(&m, c->mode, line, true, &fits);
	command = match_whole(&m);
	if (command != NULL && command->tail == TAIL_PATH && m.rest > line && m.rest[-1] == ' ') {
		console_ask(c, CONSOLE_COMPLETE, command->purpose, m.rest, -1, on_answer);
		return;
	}
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	if (fits == 1 || command == NULL)
		offer_words(c, &out, &m, m.rest);
	if (command != NULL)
		offer_tail(c, &out, command, m.rest);
	if (command != NULL && *m.rest == '\0')
		offer(&out, "<Enter>", "");
	on_answer(c, CONSOLE_OK, bytes_span(&out));
	bytes_fini(&out);
}

/* The text of one offer, and what is behind it. */
static bool next_offer(struct span *rest, struct span *text, struct span *help)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	const uint8_t *tab =
		end != NULL ? memchr(rest->data, '\t', (size_t)(end - rest->data)) : NULL;

	if (tab == NULL)
		return false;
	*text = (struct span){rest->data, (size_t)(tab - rest->data)};
	*help = (struct span){tab + 1, (size_t)(end - tab) - 1};
	rest->size -= (size_t)(end + 1 - rest->data);
	rest->data = end + 1;
	return true;
}

static void back_to_line(struct console *c)
{
	line_redraw(&c->line);
	console_enter_state(c, STATE_PROMPT, 0);
}

static void list_offers(struct console *c, struct span offers)
{
	struct layout_table table;
	struct span text, help;
	struct bytes out;
	char cells[1024];

	layout_table_init(&table, CONSOLE_OUTPUT_BYTES, c->ambiguous_wide);
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	while (next_offer(&offers, &text, &help)) {
		snprintf(cells, sizeof(cells), "  %.*s%c%.*s", (int)text.size,
			 (const char *)text.data, '\0', (int)help.size, (const char *)help.data);
		layout_table_add(&table, cells, 2, false);
	}
	if (layout_table_print(&out, &table) == 0)
		screen_print(c, bytes_span(&out));
	layout_table_fini(&table);
	bytes_fini(&out);
}

static void on_help(struct console *c, enum console_status status, struct span text)
{
	list_offers(c, text);
	back_to_line(c);
}

/* The word that the cursor stands behind. */
static size_t typed_size(const struct console *c)
{
	size_t at = c->line.cursor;

	while (at > 0 && c->line.text[at - 1] != ' ')
		at--;
	return c->line.cursor - at;
}

/* What all offers that can be inserted have in common; *@count is how many there are. */
static struct span common_beginning(struct span offers, size_t *count)
{
	struct span common = {NULL, 0}, text, help;

	*count = 0;
	while (next_offer(&offers, &text, &help)) {
		if (text.size > 0 && text.data[0] == '<')
			continue;
		if ((*count)++ == 0)
			common = text;
		if (text.size < common.size)
			common.size = text.size;
		while (common.size > 0 && memcmp(common.data, text.data, common.size) != 0)
			common.size--;
	}
	return common;
}

static void on_complete(struct console *c, enum console_status status, struct span text)
{
	size_t count, typed = typed_size(c);
	struct span common = common_beginning(text, &count);

	console_enter_state(c, STATE_PROMPT, 0);
	if (count > 0 && common.size > typed)
		line_insert(&c->line, (const char *)common.data + typed, common.size - typed);
	if (count == 1) {
		line_insert(&c->line, " ", 1);
	} else if (count == 0 || common.size <= typed) {
		line_leave(&c->line);
		list_offers(c, text);
		back_to_line(c);
	}
}

void command_help(struct console *c)
{
	line_leave(&c->line);
	offer_at_cursor(c, on_help);
}

void command_complete(struct console *c)
{
	offer_at_cursor(c, on_complete);
}

void command_list(struct console *c, struct bytes *out)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &commands[i];
		bool choices = command->choices != NULL;

		if ((command->modes & c->mode) != 0)
			(void)bytes_printf(out, "%-26s %-12s %s\n", command->words,
					   choices ? command->choices : "",
					   command->help[c->language]); /* a full text is shown as
									   far as it goes */
	}
}
