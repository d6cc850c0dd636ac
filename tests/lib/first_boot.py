# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway without accounts at its terminal: the dialogue that sets up the first administrator, and logins behind it."""

ADMINISTRATOR, PASSWORD = "yamada", "Karasu-no-7-tsu"
ORGANIZATION = "試験市"
QUESTIONS = {
    "en": ("Name of the organization.*: $", "Host name of this gateway.*: $", "number.*: $", "User name of the first.*: $",
           r"Is that right \(yes, no\): $", "new password: $", "the same again: $", "is set up. Log in."),
    "ja": ("団体名.*: $", "本装置のホスト名.*: $", "番号.*: $", "最初の管理者の利用者名.*: $",
           r"よろしいですか \(yes, no\): $", "新しいパスワード: $", "もう一度: $", "設定しました。ログインして"),
}
LANGUAGE = r"Language / 言語 \(en, ja\) \[(?:en|ja)\]: $"
PRESET_NONE = "0"
PATIENCE_SECONDS = 120  # an emulator on a busy host hashes passwords slowly


def answers(host, language="en", user=ADMINISTRATOR, password=PASSWORD, preset=PRESET_NONE):
    """What is typed, question by question, with the question in front of each."""
    questions = QUESTIONS[language]
    typed = (ORGANIZATION, host, preset, user, "yes", password, password)
    return [(LANGUAGE, language), *zip(questions, typed)]


def set_up(console, host="sekisho-test", language="en", **options):
    """Go through the whole dialogue; the console stands at the login prompt then."""
    console.hosts.add(host)
    for question, typed in answers(host, language, **options):
        console.expect(question, timeout=PATIENCE_SECONDS)
        console.send(typed + "\r")
    console.expect(QUESTIONS[language][-1], timeout=PATIENCE_SECONDS)


def log_in(console, user=ADMINISTRATOR, password=PASSWORD, choose=None):
    """Name and password, up to the prompt of commands; choose: what takes the place of a temporary password. An empty name has the prompt shown anew: on a busy machine process 1
    says behind the first one that the gateway is ready."""
    console.send("\r")
    console.expect("(?:login|利用者名): $", timeout=PATIENCE_SECONDS)
    console.send(user + "\r")
    console.expect("(?:password|パスワード): $", timeout=PATIENCE_SECONDS)
    console.send(password + "\r")
    for question in ("new password: $", "the same again: $") if choose else ():
        console.expect(question, timeout=PATIENCE_SECONDS)
        console.send(choose + "\r")
    console.expect(console.PROMPT, timeout=PATIENCE_SECONDS)


def begin(console, host="sekisho-test", **options):
    """From the box to the first prompt."""
    set_up(console, host, **options)
    log_in(console)
