# SPDX-License-Identifier: GPL-2.0-or-later
"""The first administrator of a gateway without accounts, at a terminal (A1, A5, A7, L1): whatever breaks the dialogue off
leaves nothing, and no keys lead past it."""

import os
import pty
import random
import re
import signal

import pytest

from lib import files, first_boot, processes
from lib.gateway import Console
from lib.waiting import PATIENCE_SECONDS, wait_until

SEED = int(os.environ.get("SEED", "1"))
STEPS = int(os.environ.get("STEPS") or 40)
KEYS_A_STEP = 8
LANGUAGES = ("en", "ja")
QUESTIONS = {language: [question.removesuffix("$") for question, _ in first_boot.answers("gate-1", language)]
             for language in LANGUAGES}
QUESTION_COUNT = len(QUESTIONS["en"])
REFUSAL_SECONDS = 2     # what a refused login takes; it is the product that waits
NO_ADMINISTRATOR = "no administrator yet|まだ管理者がいません"
COMMANDS = "[>#] "
LOGIN_RECORD = " accounts login ["  # not " login ": keys may name a host so


class Terminal(Console):
    """The serial line's other end."""

    def __init__(self, make_gateway, blocks="", **options):
        self.master, self.slave = pty.openpty()
        self.gateway = make_gateway(blocks, console=os.ttyname(self.slave), **options)
        super().__init__(self.master, self.gateway.directory / "terminal.txt", 30, hosts=["gate-1"])

    def answer(self, count, language="en", **options):
        """The first `count` answers; the next question stands there then."""
        dialogue = first_boot.answers("gate-1", language, **options)
        for question, typed in dialogue[:count]:
            self.expect(question)
            self.send(typed + "\r")
        self.expect(dialogue[count][0])


@pytest.fixture
def make_terminal(make_gateway):
    made = []

    def make(**options):
        made.append(Terminal(make_gateway, **options))
        return made[-1]

    yield make
    for terminal in made:
        os.close(terminal.slave)


@pytest.fixture
def terminal(make_terminal):
    return make_terminal()


def commits(gateway):
    return sorted(path.name for path in (gateway.state / "config").glob("config.*"))


def accounts(gateway):
    return sorted(path.name for path in (gateway.state / "accounts").glob("user.*"))


def nothing_is_set(gateway):
    return commits(gateway) == ["config.00000001"] and accounts(gateway) == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_first_boot_ends_in_a_commit_a_record_and_a_login(terminal, language):
    """A5, A7, L1: the record is there before the commit, and both before anybody is let in; no password is kept or shown."""
    first_boot.set_up(terminal, "gate-1", language, preset="1")
    terminal.gateway.wait_event(" commit-done ", 'commit="2"')  # records of two processes may cross while one is written
    first_boot.log_in(terminal)
    shown = terminal.run("show configuration | no-more")
    for statement in ("host-name gate-1;", "preset three-tier;", "zone mynumber"):
        assert statement in shown
    assert re.search(r"user yamada \{\s+role administrator;", shown)
    assert re.search(r"2 +\S+ +yamada +first administrator", terminal.run("show history"))
    terminal.gateway.wait_event(" login ")
    lines = terminal.gateway.audit_lines()
    order = [next(i for i, line in enumerate(lines) if all(part in line for part in parts))
             for parts in ((" first-administrator ", 'user="yamada"'), (" commit-done ", 'commit="2"'), (" login ",))]
    assert order == sorted(order)
    kept = [files.text(path) for path in terminal.gateway.state.rglob("*") if path.is_file()]
    seen = files.text(terminal.gateway.directory / "terminal.txt")
    assert any(first_boot.ADMINISTRATOR in part for part in kept) and first_boot.ADMINISTRATOR in seen
    assert not any(first_boot.PASSWORD in part for part in [*kept, seen, terminal.gateway.log()])


CONSENT = {"en": "Use by authorised persons only", "ja": "権限のある者だけが使用できます"}
NAME = {"en": "login: $", "ja": "利用者名: $"}
SECRET = {"en": "password: $", "ja": "パスワード: $"}


def greeted(terminal, language):
    """The consent text and both prompts come in this language; the login succeeds."""
    terminal.expect(["Use by authorised", "権限のある者"])
    assert CONSENT[language].startswith(terminal.after), f"the consent text is not in {language}"
    for prompts, typed in ((NAME, first_boot.ADMINISTRATOR), (SECRET, first_boot.PASSWORD)):
        other = "ja" if language == "en" else "en"
        assert terminal.expect([prompts[language], prompts[other]]) == 0, f"a prompt is not in {language}"
        terminal.send(typed + "\r")
    terminal.expect(terminal.PROMPT)


@pytest.mark.parametrize("language, other", [("en", "ja"), ("ja", "en")])
def test_first_boot_sets_the_language_that_consoles_greet_in(terminal, language, other):
    """A3: the dialogue's language is the gateway's from there on, until another one is committed: banner, consent text, prompts and
    what the first commands say. A choice of `terminal language` is over with its session."""
    first_boot.set_up(terminal, "gate-1", language)
    greeted(terminal, language)
    assert f"language {language};" in terminal.run("show configuration | no-more")
    refused = {"en": "no such zone", "ja": "その名前のゾーンはありません"}
    assert refused[language] in terminal.run("isolate zone nowhere")
    terminal.run(f"terminal language {other}")
    assert refused[other] in terminal.run("isolate zone nowhere")
    terminal.send("exit\r")
    greeted(terminal, language)
    terminal.run("configure")
    terminal.run(f"set system language {other}")
    terminal.run("commit", timeout=40)
    terminal.run("exit")
    terminal.send("exit\r")
    greeted(terminal, other)
    assert refused[other] in terminal.run("isolate zone nowhere")


def test_first_boot_keeps_the_house_rules_for_passwords(terminal):
    """A1: what is too easy is refused and asked for again; nothing is set meanwhile."""
    terminal.answer(6)
    for password, why in (("short", "too short"), ("Gate-1-no-kagi", "a name of a person"),
                          ("Yamada-no-3-kagi", "a name of a person"), ("aaaaaaaaaaaaA1", "the new password cannot be used")):
        terminal.send(password + "\r")
        terminal.expect("the same again: $")
        terminal.send(password + "\r")
        terminal.expect(why)
        terminal.expect("new password: $")
        assert nothing_is_set(terminal.gateway)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_first_boot_begins_again_at_each_question(terminal, language, key):
    """Ctrl-C and Ctrl-D, at each of the questions: the first one comes again, and nothing is set."""
    for count in range(len(first_boot.answers("gate-1"))):
        terminal.answer(count, language)
        terminal.send(key)
        terminal.expect(NO_ADMINISTRATOR)
        assert nothing_is_set(terminal.gateway)
    first_boot.begin(terminal, language=language)


def test_first_boot_begins_again_when_the_second_password_is_another(terminal):
    terminal.answer(7)
    terminal.send("Umi/ni-36-fune\r")
    terminal.expect("the two differ")
    terminal.expect(NO_ADMINISTRATOR)
    assert nothing_is_set(terminal.gateway)
    first_boot.begin(terminal)


def test_first_boot_names_what_cannot_be_a_name_and_begins_again(terminal):
    """What config or accounts refuse is said with the reason; nothing is set."""
    for options, why in ((dict(user="../yamada"), "small letters, digits"), (dict(user="Yamada"), "small letters, digits")):
        first_boot_refused(terminal, "gate-1", why, **options)
    first_boot_refused(terminal, "gate 1", "a host name such as")
    first_boot.begin(terminal)


def first_boot_refused(terminal, host, why, **options):
    for question, typed in first_boot.answers(host, **options):
        terminal.expect(question)
        terminal.send(typed + "\r")
    terminal.expect(why)
    terminal.expect(NO_ADMINISTRATOR)
    assert nothing_is_set(terminal.gateway)


def test_first_boot_begins_again_when_the_console_ends(terminal):
    """Its process ends with whatever was typed, and the next one begins at the first question."""
    terminal.answer(7)
    gone = terminal.gateway.kill("console")
    terminal.gateway.wait_role("console", other_than=gone, seconds=20)
    terminal.expect(NO_ADMINISTRATOR)
    assert nothing_is_set(terminal.gateway)
    first_boot.begin(terminal)


def hand_over(terminal):
    """The whole dialogue, whose commit waits: config stands still."""
    gateway = terminal.gateway
    terminal.answer(7)
    gateway.kill("config", signal.SIGSTOP)
    terminal.send(first_boot.PASSWORD + "\r")
    gateway.wait_event("first-administrator", seconds=20)


def cut_power(terminal, make_terminal, topology):
    """Its processes die with the supervisor. Return: the terminal of the next start."""
    gateway = terminal.gateway
    family = [*gateway.pids(), *gateway.reserve()]
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.process.stop()
    wait_until(lambda: not any(map(processes.alive, family)), "its processes to end")
    topology.restore_ports()
    return make_terminal(state=gateway.state)


def test_first_boot_that_ends_before_the_commit_leaves_nothing(terminal, make_terminal, topology):
    """C2: the commit never comes, the power fails. At the next start the dialogue is there, and its first answers are not."""
    hand_over(terminal)
    again = cut_power(terminal, make_terminal, topology)
    again.expect(NO_ADMINISTRATOR)
    assert nothing_is_set(again.gateway)
    first_boot.begin(again)


def test_first_boot_that_ends_behind_the_commit_begins_again(terminal, make_terminal, topology):
    """C2: the configuration names the person, the password never comes to the disk (accounts stands still), the power fails.
    At the next start the dialogue is there, and takes the same name."""
    gateway = terminal.gateway
    hand_over(terminal)
    [serving] = gateway.pids("accounts")
    wait_until(lambda: processes.waits(serving), "accounts to have handed over")
    gateway.kill("accounts", signal.SIGSTOP)
    gateway.kill("config", signal.SIGCONT)
    wait_until(lambda: commits(gateway) == ["config.00000001", "config.00000002"], "the commit")
    again = cut_power(terminal, make_terminal, topology)
    again.expect(NO_ADMINISTRATOR)
    assert accounts(again.gateway) == []
    first_boot.begin(again)
    assert re.search(r"user yamada \{\s+role administrator;", again.run("show configuration | no-more"))


def test_first_boot_gives_the_name_a_new_life(make_terminal):
    """A7: a suspension and a last day of that name in the configuration so far do not keep the first administrator out."""
    made = make_terminal(blocks="login { user yamada { role operator; suspended; expires 2020-01-01; } }")
    first_boot.begin(made, host="gate-1")
    assert not re.search("suspended|expires|operator", made.run("show configuration | no-more"))


def test_first_boot_comes_back_when_a_commit_takes_all_accounts_away(terminal):
    """A5: such a commit opens no console; the session of who made it ends with it."""
    first_boot.begin(terminal)
    terminal.edit("delete login")
    terminal.send("commit\r")
    terminal.expect("your account was changed")
    terminal.expect(NO_ADMINISTRATOR)
    terminal.expect(first_boot.LANGUAGE)


def delete_accounts_unheard(terminal):
    """A commit without persons is on the disk; accounts stands still, and has not heard of it."""
    gateway = terminal.gateway
    first_boot.begin(terminal)
    terminal.edit("delete login")
    gateway.kill("accounts", signal.SIGSTOP)
    terminal.send("commit\r")
    wait_until(lambda: commits(gateway)[-1] == "config.00000003", "the commit")


def test_first_boot_comes_back_when_the_power_fails_behind_such_a_commit(terminal, make_terminal, topology):
    """C2: config has published it, accounts writes nothing any more: the next start asks for the first administrator."""
    delete_accounts_unheard(terminal)
    again = cut_power(terminal, make_terminal, topology)
    again.expect(NO_ADMINISTRATOR)
    first_boot.begin(again)


def test_first_boot_comes_back_when_accounts_dies_at_such_a_commit(terminal):
    """A5: the next accounts knows from config what its predecessor was not told."""
    delete_accounts_unheard(terminal)
    terminal.gateway.kill("accounts")
    terminal.expect(NO_ADMINISTRATOR)


def test_first_boot_comes_back_with_a_disk_that_takes_nothing_from_accounts(terminal, make_terminal, topology):
    """C2: the directory of accounts cannot be written when all are taken away, nor before the power fails. The dialogue is
    there, and says that it cannot be saved until it can."""
    first_boot.begin(terminal)
    full = terminal.gateway.state / "accounts/staged"
    full.mkdir()
    terminal.edit("delete login")
    terminal.send("commit\r")
    terminal.expect(NO_ADMINISTRATOR)
    again = cut_power(terminal, make_terminal, topology)
    again.expect(NO_ADMINISTRATOR)
    for question, typed in first_boot.answers("gate-1"):
        again.expect(question)
        again.send(typed + "\r")
    again.expect("this cannot be saved")
    full.rmdir()
    first_boot.begin(again)


@pytest.mark.parametrize("lose, count", [
    pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), 2, id="damaged"),
    pytest.param(lambda path: path.unlink(), 1, id="missing"),
])
def test_first_boot_does_not_come_back_when_configurations_are_lost(terminal, make_terminal, topology, lose, count):
    """A5: without the configuration that names the administrator an older one runs, or that of the factory. Who destroys files
    does not become the administrator by it: a login is asked for."""
    first_boot.begin(terminal)
    for name in commits(terminal.gateway)[-count:]:
        lose(terminal.gateway.state / "config" / name)
    again = cut_power(terminal, make_terminal, topology)
    assert again.expect([NO_ADMINISTRATOR, "login: $"]) == 1


def test_first_boot_does_not_come_back_with_one_before_a_damaged_one(terminal, make_terminal, topology):
    """A5: one without persons runs, which was chosen once, since the newest is damaged. Nobody is asked for but persons of the
    newest, even where accounts could not note (a full disk) how far configurations had come."""
    first_boot.begin(terminal)
    doors = terminal.gateway.state / "accounts/closed"
    kept = doors.read_bytes()
    terminal.edit("delete login")
    terminal.send("commit\r")
    terminal.expect(NO_ADMINISTRATOR)
    first_boot.begin(terminal)
    newest = terminal.gateway.state / "config" / commits(terminal.gateway)[-1]
    newest.write_bytes(newest.read_bytes()[:-1])
    doors.write_bytes(kept)
    again = cut_power(terminal, make_terminal, topology)
    again.gateway.wait_event("config-damaged")
    assert again.expect([NO_ADMINISTRATOR, "login: $"]) == 1


def test_first_boot_does_not_come_back_without_the_file_of_the_doors(terminal, make_terminal, topology):
    """A5: it is lost together with all accounts, beside the configuration that names the administrator."""
    first_boot.begin(terminal)
    for path in (terminal.gateway.state / "accounts").iterdir():
        path.unlink()
    again = cut_power(terminal, make_terminal, topology)
    assert again.expect([NO_ADMINISTRATOR, "login: $"]) == 1


def test_first_boot_hand_over_goes_on_behind_a_power_cut(terminal, make_terminal, topology):
    """A5, C2: who has made another one the administrator, and has not given the password yet, logs in again and gives it."""
    first_boot.begin(terminal)
    terminal.edit("set login user tanaka role administrator", "delete login user yamada")
    terminal.run("commit")
    again = cut_power(terminal, make_terminal, topology)
    for question, typed in (("login: $", first_boot.ADMINISTRATOR), ("password: $", first_boot.PASSWORD), ("code.*: $", "")):
        again.expect(question, timeout=first_boot.PATIENCE_SECONDS)
        again.send(typed + "\r")
    again.expect(again.PROMPT, timeout=first_boot.PATIENCE_SECONDS)
    assert "temporary password of tanaka" in again.run("account reset tanaka")
    again.expect("your account was changed")
    again.expect("login: $")


def random_keys(rng):
    """What somebody types who tries everything: the dialogue up to some question, words of it and of the commands, editing
    keys, noise. Never '>' or '#', so that those with a blank behind them can only be a prompt of commands."""
    words = ["yes", "no", "en", "ja", "0", "5", "yamada", "exit", "configure", "show configuration", "commit", "gate-1",
             first_boot.PASSWORD, "login", "account reset yamada", "?", "あ"]
    special = ["\r", "\n", "\t", "\x03", "\x04", "\x15", "\x7f", "\x1b[A", "\x1b[24;80R", "\x1b", "\x16", "q", " "]
    noise = [chr(byte) for byte in range(128) if chr(byte) not in ">#"]
    pick = rng.random()
    if pick < 0.1:
        return answers_typed(rng.choice(LANGUAGES), rng.randrange(QUESTION_COUNT + 1))
    if pick < 0.5:
        return rng.choice(words) + "\r"
    if pick < 0.85:
        return rng.choice(special)
    return "".join(rng.choices(noise, k=rng.randrange(1, 20)))


def answers_typed(language, count):
    return "".join(typed + "\r" for _, typed in first_boot.answers("gate-1", language)[:count])


def type_and_see(terminal, keys, mark):
    """Type `keys` at the first question, read all that they bring about. Return it, up to `mark` or the first prompt of commands.

    Ctrl-C leads out of the mark before. Behind the keys there are two, because the first may be quoted; the mark that follows
    is echoed, by the first question or the login, only when all keys were used, which takes its time where logins are refused.
    """
    text = "\x03" + keys + "\x03\x03" + mark
    assert terminal.send(text) == len(text.encode())
    seconds = PATIENCE_SECONDS + REFUSAL_SECONDS * len(re.findall("[\r\n]", keys))
    at_prompt = terminal.expect([re.escape(mark), COMMANDS], timeout=seconds) == 1
    return terminal.before + (terminal.after if at_prompt else "")


def questions_in(text):
    """Which of QUESTIONS, of both languages, are in `text`."""
    return {question for language in LANGUAGES for question in QUESTIONS[language] if re.search(question, text)}


@pytest.mark.limit(60 + 5 * STEPS)
def test_first_boot_no_keys_lead_past_the_dialogue(terminal, make_terminal, topology):
    """The property, STEPS times with SEED: random keys at each question in turn, in both languages. No prompt of commands is
    seen before somebody has logged in, and nobody can log in before the dialogue has ended in its commit. Keys that get
    through it are followed up to the login; the next ones meet another gateway out of its box."""
    rng, reached, finished, admitted = random.Random(SEED), set(), 0, 0
    terminal.expect(first_boot.LANGUAGE)
    for step in range(STEPS):
        language, question = LANGUAGES[step // QUESTION_COUNT % 2], step % QUESTION_COUNT
        keys = answers_typed(language, question) + "".join(random_keys(rng) for _ in range(KEYS_A_STEP))
        seen, gateway = type_and_see(terminal, keys, f"step-{step}."), terminal.gateway
        assert re.search(QUESTIONS[language][question], seen), f"the keys of step {step} were typed somewhere else: {seen}"
        reached |= questions_in(seen)
        is_finished = "config.00000002" in commits(gateway)
        if re.search(COMMANDS, seen):
            assert is_finished, f"step {step}: {seen}"
            gateway.wait_event(LOGIN_RECORD)
            admitted += 1
        else:
            assert not any(LOGIN_RECORD in line for line in gateway.audit_lines()), f"step {step}: {seen}"
        if is_finished:
            finished += 1
            gateway.stop()
            topology.restore_ports()
            terminal = make_terminal()
            terminal.expect(first_boot.LANGUAGE)
    questions = len(set().union(*QUESTIONS.values()))
    print(f"{STEPS} steps, {len(reached)} of {questions} questions, {finished} dialogues finished, {admitted} logins")
    terminal.send("\x03")
    first_boot.begin(terminal)
