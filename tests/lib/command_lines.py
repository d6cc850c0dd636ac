# SPDX-License-Identifier: GPL-2.0-or-later
"""A line for each command of the console with arguments that are valid, what it answers in both languages, and what is typed where
it asks for something. A test (golden) holds the words against the console's own table: a command without a line is a failure."""

import dataclasses
import re

from .certificates import Authority
from .first_boot import PASSWORD
from .totp import Authenticator

END = "\x04"
SILENT = r"\A\s*\Z"
QUIET = None            # nothing is said behind the last question either: the next line shows what came of it
NEVER = r"(?!)"         # what is left by Ctrl-C only says nothing in the end
PASTE = r"Ctrl-D.*\r\n"
PHRASE = "kakitsubata no sakukoro"
PASSWORDS = {"en": "Ayame-wo-9-hon", "ja": "Suzume-ga-4-wa"}    # one after the other, behind the first one
SERVICE = "service walk { tcp 7001; }\n"
MAIL = ("From: a@example.jp\nTo: b@city.example.jp\nSubject: walk\nDate: Thu, 01 Jan 2026 09:00:00 +0900\nMessage-ID: <walk@example.jp>\n"
        "MIME-Version: 1.0\nContent-Type: text/plain\n\nplain words\n")


@dataclasses.dataclass
class Walk:
    """What a later answer needs of an earlier one. seen: of the command that is under way, up to its question."""
    language: str
    authority: Authority
    seen: str = ""
    export: str = ""
    password: str = PASSWORD


@dataclasses.dataclass(frozen=True)
class Question:
    """asked: a regular expression for both languages. typed: text, or a function of the walk; None: it is left by Ctrl-C only.
    stands: until it is answered; otherwise it goes on by itself, and Ctrl-C might come too late."""
    asked: str
    typed: object = None
    stands: bool = True

    def answer(self, walk):
        return self.typed(walk) if callable(self.typed) else self.typed


class Line:
    """words: the command's; behind: its arguments; says: what it answers, in English and (if that differs) in Japanese, which it does
    not say where a question was left by Ctrl-C."""

    def __init__(self, words, behind="", *says, questions=()):
        self.words, self.questions = words, questions
        self.typed = f"{words} {behind}".strip()
        self.says = dict(zip(("en", "ja"), (says[0], says[-1])))

    def is_said(self, language, text):
        return self.says[language] is not None and re.search(self.says[language], text, re.MULTILINE) is not None

    def is_endless(self):
        """Whether only Ctrl-C ends it."""
        return any(question.typed is None for question in self.questions)


def pasted(text):
    return text.replace("\n", "\r") + END


def remember_password(walk):
    """The new password, which is the present one from now on."""
    walk.password = PASSWORDS[walk.language]
    return walk.password + "\r"


def code(walk):
    return Authenticator(re.search(r"secret=(\w+)&", walk.seen)[1]).code() + "\r"


PRESENT = "(?:present password|現在のパスワード): $"
AGAIN = Question("(?:the same again|もう一度): $", PHRASE + "\r")
CODE = (Question("(?:first code|最初のコード): $", code),)
SURE = (Question(r"\[yes/no\] $", "perhaps\r"), Question(r"perhaps\r\n.*\[yes/no\] $", "no\r"))
NOTHING_DONE = (r"no\s+nothing is done", r"no\s+何もしませんでした")
NO_PROPOSAL = ("no proposal waits", "保留中の提案はありません")
WORD = r"(?:type zeroise in full, or no|zeroise と省略せず入力 \(中止は no\)): $"
MORE = (Question("-- (?:more|続き) --"),)
DERIVING = Question(r"(?:deriving the key|鍵を生成しています).*\r\n", "", stands=False)
USB_IS_OFF = ("^memory sticks are switched off", "^USBメモリの使用は無効です")

BETWEEN = {"configure", "exit", "quit", "terminal language"}    # the test types them between the others
BOTH = (
    Line("load certificate", "gate", "lines, ", questions=(
        Question(PASTE, lambda walk: pasted(walk.authority.issue("gate.example.jp").read_text())),)),
    Line("load authority", "log-ca", "lines, ", questions=(Question(PASTE, lambda walk: pasted(walk.authority.pem)),)),
    Line("load password", "desk", "^loaded: desk; it is used", "読み込みました: desk。次の接続から", questions=(
        Question(r"(?:password, then Enter|パスワードを入力し).*\(Ctrl-C.*\): $", "Kiku-7\r"),)),
    Line("show certificates", "", r"certificate +gate .*gate\.example\.jp"),
    Line("show certificates", "gate", "-----BEGIN CERTIFICATE-----"),
    Line("show history", "", "first administrator"),
    Line("check saved", "", r"\d+ saved configurations, 0 damaged", r"保存された設定 \d+件、異常 0件"),
    Line("show usb", "", *USB_IS_OFF),
    Line("show compliance", "C1", "C1 +not met", "C1 +未充足"),
    # what OPERATIONAL has isolated, which is typed before
    Line("show pending", "", r"^emergency +time .*(?:\n.*)*\n *\d+ .* yamada +zone internet +walk\b",
         r"^緊急操作 +時刻 .*(?:\n.*)*\n *\d+ .* yamada +zone internet +walk\b"),
    Line("show emergencies", "", "acknowledged by", "確認者"),
    Line("acknowledge", "999 done", "no open emergency has this number", "その番号の未確認の緊急操作はありません"),
    Line("test proposal", "mynumber 10.10.0.5 10.20.0.8 tcp 7000", *NO_PROPOSAL),
    Line("replay proposal", "days 1", *NO_PROPOSAL),
    Line("approve", "0123456789abcdef", *NO_PROPOSAL),
    Line("withdraw", "", *NO_PROPOSAL),
    Line("terminal width", "200", SILENT),
    Line("terminal ambiguous-width", "1", SILENT),
    Line("terminal length", "10", SILENT),
    Line("help", "", "withdraw", questions=MORE),
    Line("terminal length", "0", SILENT),
    Line("help", "", "terminal ambiguous-width +1 2 "),
)

OPERATIONAL = (
    Line("show separation", "", r"lgwan +mynumber +configured .*by permits"),
    Line("show zones", "", r"internet +outside +eth2 +up "),
    Line("show crossing", "", r"lgwan - mynumber +up +1 "),
    Line("show rules", "lgwan", r"table inet sekisho \{"),
    Line("show links", "", r"sysctl +net/ipv4/ip_forward +1"),
    Line("show flows", "zone lgwan top 5", "destination +permit +packets", "宛先 +許可 +パケット数"),
    Line("show permits", "unused 90 mynumber", "last hit", "最終使用"),
    Line("clear flow", "zone lgwan port 7000", "0 flows ended"),
    Line("show mail", "", "entry +from +to", "設定 +から +へ"),
    Line("show mail log", "refused", "time +number", "時刻"),
    Line("show mail receipt", "0123456789ab", "no such receipt is kept", "その受領記録は保存されていません"),
    Line("show screen sessions", "", "desktop +user", "デスクトップ +利用者"),
    Line("show log", "5", "event +fields", "事象"),
    Line("show alarms", "", r"^no alarms|^    \d+ times, last ", r"^警報はありません|^    \d+回、最終 "),
    Line("show timeline", "since 2026-01-01", r"The gateway starts\.", r"ゲートウェイを起動した。"),
    Line("show time", "", "no server"),
    Line("show device-key", "", "-----BEGIN PUBLIC KEY-----"),
    Line("show processes", "", r"arbiter +\d+ +ready"),
    Line("show configuration", "zone lgwan", r"port eth1;"),
    Line("show users", "", r"^0 +yamada +administrator .* serial line, idle \d+ min \(here\)",
         r"^0 +yamada +administrator .* シリアル回線、無操作 \d+ 分 \(この端末\)"),
    Line("show version", "", "Sekisho "),
    Line("isolate zone", "internet walk", r"internet +isolated"),
    Line("isolate all", "walk", r"all zones +isolated"),
    Line("show isolated", "", r"zone +lgwan"),
    Line("restore zone", "internet", r"internet +restored"),
    Line("restore all", "", r"lgwan +restored\s+mynumber +restored"),
    Line("isolate station", "02:00:00:10:00:05 walk", r"02:00:00:10:00:05 +isolated"),
    Line("restore station", "02:00:00:10:00:05", r"02:00:00:10:00:05 +restored"),
    Line("show watch", "", r"station +02:00:00:10:00:05"),
    Line("clear watch", "999 over", "no watch has this number", "その番号の監視はありません"),
    Line("evidence create", "", "[A-Za-z0-9+/]{60}"),
    Line("tech-support", "", "[A-Za-z0-9+/]{60}"),
    Line("capture zone", "lgwan seconds 60", NEVER, questions=(Question(r"seconds 60\r\n"),)),    # and then there is room for one:
    Line("capture zone", "lgwan seconds 1 file walk", r"\d+ packets, \d+ bytes"),
    Line("show captures", "", r"walk +\d+"),
    Line("save capture", "walk", "^Cg0NCh"),    # a section header of pcapng
    Line("clear capture", "walk", "walk +removed"),
    Line("clear screen session", "1", "no screen session of that number", "その番号の画面セッションはありません"),
    Line("observe screen session", "1", "your role does not allow this", "この役割では実行できません"),
    Line("show screen recordings", "", "name +bytes +parts", "名前 +バイト数 +部分"),
    Line("save screen recording", "walk 1", "your role does not allow this", "この役割では実行できません"),
    Line("test mail", "", "plain words", questions=(Question(PASTE, pasted(MAIL)),)),
    Line("test flow", "mynumber 10.10.0.5 10.20.0.8 tcp 7000", "permit +permitted"),
    Line("monitor log", "heartbeat", NEVER, questions=(Question(r"(?:new records, until Ctrl-C|新しい記録 \(Ctrl-Cで終了\)):\r\n"),)),
    Line("reboot", "", *NOTHING_DONE, questions=SURE),
    Line("shutdown", "", *NOTHING_DONE, questions=SURE),
    Line("zeroise", "walk", *NOTHING_DONE, questions=(Question(WORD, "yes\r"), Question(r"yes\r\n" + WORD, "no\r"))),
    Line("zeroise", "walk", "the present password is wrong", "現在のパスワードが違います", questions=(
        Question(WORD, "zeroise\r"), Question(PRESENT, "Wrong-no-1-pass\r"))),
    Line("export", "", "-----END SEKISHO CONFIGURATION-----", questions=(
        Question("(?:passphrase|パスフレーズ): $", PHRASE + "\r"), AGAIN, DERIVING)),
    Line("account show", "", r"yamada +administrator"),
    Line("account reset", "sato", "temporary password of sato: ", "sato の仮パスワード: "),
    Line("account totp", "sato", "the second factor is in force", "第2要素が有効になりました", questions=CODE),
    Line("account totp-remove", "sato", "second factor", "第2要素"),
    Line("account screen-password", "tanaka", "password of tanaka", "tanaka の"),
    Line("account screen-totp", "tanaka", "the second factor is in force", "第2要素が有効になりました", questions=CODE),
    Line("account screen-show", "", "tanaka"),
    Line("account screen-totp-remove", "tanaka", "second factor", "第2要素"),
    Line("password", "", "the password is changed", "パスワードを変更しました", questions=(
        Question(PRESENT, lambda walk: walk.password + "\r"),
        Question("(?:new password|新しいパスワード): $", lambda walk: PASSWORDS[walk.language] + "\r"),
        Question("(?:the same again|もう一度): $", remember_password))),
)

CONFIGURE = (
    Line("set", "zone lgwan description walk", SILENT),
    Line("compare", "", r"\+ +description \"walk\";"),
    Line("compare", "0", r"\+ +description \"walk\";"),
    Line("replay", "days 1", r"flows: \d+ as before", r"通信 \d+件"),
    Line("commit comment", '"walk"', "committed: configuration ", "適用しました: 設定 "),
    Line("delete", "zone lgwan description", SILENT),
    Line("check", "", "no errors", "誤りはありません"),
    Line("commit confirmed", '5 comment "walk"', "the one before is back in 5 min", "5分以内に commit で確定"),
    Line("commit", "", "confirmed: it stays", "確定しました"),
    Line("edit", "zone lgwan", r"\[edit zone lgwan\]"),
    Line("up", "", SILENT),
    Line("edit", "zone lgwan", r"\[edit zone lgwan\]"),
    Line("top", "", SILENT),
    Line("show", "zone lgwan", "port eth1;"),
    Line("set", "zone lgwan description walk", SILENT),
    Line("propose", '"walk"', "nobody else is needed", "承認は不要です"),
    Line("propose emergency", '"walk"', "proposed: another administrator", "提案しました。別の管理者が"),
    Line("withdraw", "", "withdrawn", "提案を取り下げました"),
    Line("discard", "", SILENT),
    Line("rollback", "1", SILENT),
    Line("discard", "", SILENT),
    Line("load preset", "three-tier", "Three tiers: ", "三層分離: "),
    Line("discard", "", SILENT),
    Line("load replace terminal", "", f"1 lines, {len(SERVICE)} bytes", questions=(Question(PASTE, pasted(SERVICE)),)),
    Line("load merge terminal", "", f"1 lines, {len(SERVICE)} bytes", questions=(Question(PASTE, pasted(SERVICE)),)),
    Line("discard", "", SILENT),
    Line("load replace usb", "walk.conf", *USB_IS_OFF),
    Line("load merge usb", "walk.conf", *USB_IS_OFF),
    Line("import usb", "walk.export", *USB_IS_OFF),
    Line("set", "zone lgwan description walk", SILENT),
    Line("import", "", QUIET, questions=(
        Question(PASTE, lambda walk: pasted(walk.export)), Question("(?:passphrase|パスフレーズ): $", PHRASE + "\r"),
        DERIVING)),
    Line("compare", "", SILENT),    # what was exported is what runs
    Line("discard", "", SILENT),
)
