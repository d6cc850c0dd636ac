/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of invitations and delivery reports that have one of the reader's: what is not known is
 * shown as it stands. */
#include "mail-flattener/state.h"

#include <string.h>

struct word {
	const char *word;
	const char *ja, *en;
};

/* RFC 5546 1.4 */
static const struct word methods[] = {
	{"REQUEST", "招待", "invitation"},
	{"CANCEL", "取消", "cancelled"},
	{"REPLY", "返信", "reply"},
	{"PUBLISH", "お知らせ", "notice"},
	{"ADD", "追加", "addition"},
	{"COUNTER", "変更の提案", "proposed change"},
	{"DECLINECOUNTER", "変更の提案を辞退", "proposed change declined"},
	{"REFRESH", "再送の依頼", "request for an update"},
	{NULL, NULL, NULL},
};

/* RFC 5545 3.8.1.11, 3.2.12 */
static const struct word states[] = {
	{"CONFIRMED", "確定", "confirmed"},     {"TENTATIVE", "仮", "tentative"},
	{"CANCELLED", "取消", "cancelled"},     {"ACCEPTED", "出席", "accepted"},
	{"DECLINED", "欠席", "declined"},       {"NEEDS-ACTION", "未回答", "no answer yet"},
	{"DELEGATED", "代理", "delegated"},     {"COMPLETED", "完了", "completed"},
	{"IN-PROCESS", "進行中", "in process"}, {NULL, NULL, NULL},
};

/* RFC 3464 2.3.3 */
static const struct word actions[] = {
	{"failed", "配送できませんでした", "could not be delivered"},
	{"delayed", "配送が遅れています", "delivery is delayed"},
	{"delivered", "配送されました", "was delivered"},
	{"relayed", "配送を引き継ぎました", "was relayed"},
	{"expanded", "複数の宛先に展開されました", "was expanded"},
	{NULL, NULL, NULL},
};

/* RFC 3463 3 and RFC 7505, 7372: subject and detail of a status code, whatever its class. */
static const struct word codes[] = {
	{".1.1", "宛先のアドレスが存在しません", "the recipient does not exist"},
	{".1.2", "宛先のドメインが存在しません", "the recipient's domain does not exist"},
	{".1.3", "宛先のアドレスの形式が正しくありません", "the recipient's address is malformed"},
	{".1.6", "宛先は移転しました", "the recipient has moved"},
	{".1.8", "差出人のドメインが存在しません", "the sender's domain does not exist"},
	{".1.10", "宛先のドメインはメールを受け付けません", "the recipient's domain takes no mail"},
	{".2.1", "宛先のメールボックスは停止しています", "the mailbox is disabled"},
	{".2.2", "宛先のメールボックスがいっぱいです", "the mailbox is full"},
	{".2.3", "宛先の受け付けるメールの大きさを超えています", "larger than the mailbox takes"},
	{".3.2", "相手サーバーはメールを受け付けていません", "the server takes no mail now"},
	{".3.4", "相手サーバーの受け付ける大きさを超えています", "larger than the server takes"},
	{".4.1", "相手サーバーが応答しません", "the server does not answer"},
	{".4.2", "相手サーバーとの接続が切れました", "the connection broke"},
	{".4.4", "配送先のサーバーが見つかりません", "no server to deliver to"},
	{".4.6", "配送がループしています", "a mail loop"},
	{".4.7", "期限までに配送できませんでした", "not delivered in time"},
	{".5.3", "宛先が多すぎます", "too many recipients"},
	{".7.1", "相手サーバーが受け取りを拒否しました", "refused by the server"},
	{".7.23", "送信元の認証 (SPF) に失敗しました", "SPF failed"},
	{".7.25", "送信元の逆引きがありません", "the sending host has no name"},
	{".7.26", "送信ドメイン認証に失敗しました", "mail authentication failed"},
	{NULL, NULL, NULL},
};

/* RFC 8098 3.2.6.2 */
static const struct word dispositions[] = {
	{"displayed", "開封されました", "was displayed"},
	{"deleted", "開かれずに削除されました", "was deleted unread"},
	{"dispatched", "転送されました", "was forwarded"},
	{"processed", "表示されずに処理されました", "was processed without display"},
	{"denied", "開封の通知は拒否されました", "no notice was wanted"},
	{"failed", "処理できませんでした", "could not be processed"},
	{NULL, NULL, NULL},
};

static const char *word_of(const struct flatten *f, const struct word *words, struct span given)
{
	given = span_trim(given);
	for (; words->word != NULL; words++) {
		if (span_equal_nocase(given, span_of(words->word)))
			return f->policy->english ? words->en : words->ja;
	}
	return NULL;
}

const char *words_method(const struct flatten *f, struct span method)
{
	return word_of(f, methods, method);
}

const char *words_state(const struct flatten *f, struct span state)
{
	return word_of(f, states, state);
}

const char *words_action(const struct flatten *f, struct span action)
{
	return word_of(f, actions, action);
}

const char *words_status(const struct flatten *f, struct span status)
{
	const uint8_t *dot;

	status = span_trim(status);
	dot = status.size > 0 ? memchr(status.data, '.', status.size) : NULL;
	if (dot == NULL)
		return NULL;
	status.size -= (size_t)(dot - status.data);
	status.data = dot;
	for (size_t i = 0; i < status.size; i++) {
		if (status.data[i] == ' ' || status.data[i] == '(')
			status.size = i;
	}
	return word_of(f, codes, status);
}

/* "manual-action/MDN-sent-manually; displayed/error": the type stands behind the semicolon. */
const char *words_disposition(const struct flatten *f, struct span disposition)
{
	const uint8_t *semicolon =
		disposition.size > 0 ? memrchr(disposition.data, ';', disposition.size) : NULL;
	struct span type = disposition;

	if (semicolon != NULL)
		type = (struct span){semicolon + 1,
				     disposition.size - (size_t)(semicolon - disposition.data) - 1};
	for (size_t i = 0; i < type.size; i++) {
		if (type.data[i] == '/')
			type.size = i;
	}
	return word_of(f, dispositions, type);
}
