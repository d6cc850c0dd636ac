# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may sit at a console (A1 to A8): from the factory's open console to people with passwords and roles."""

import contextlib
import pathlib
import re
import signal

import pexpect
import pytest

from lib.waiting import wait_until

import test_evidence as evidence
from test_export import exported

LOGIN = """login {
    idle-timeout 10m;
    user yamada { role administrator; }
    user tanaka { role administrator; }
    user sato { role operator; }
    user suzuki { role auditor; }
}
"""
FIRST, SECOND = "Karasu-no-7-tsu", "Umi/ni-36-fune"
NAME, SECRET, NEW, AGAIN = "login: $", "password: $", "new password: $", "again: $"


def type_secret(console, prompt, secret):
    console.expect(prompt)
    console.send(secret + "\r")


def choose(console, secret):
    type_secret(console, NEW, secret)
    type_secret(console, AGAIN, secret)


def log_in(gateway, user, secret, console=None):
    """A console on which `user` has typed name and password."""
    console = console or gateway.console()
    console.expect(NAME)
    console.send(user + "\r")
    type_secret(console, SECRET, secret)
    return console


def leave(gateway, console):
    """End a session, and wait until its seat is free: there is one administrator at a time."""
    def ends():
        return sum(" logout " in line for line in gateway.audit_lines())
    before = ends()
    console.send("exit\r")
    console.expect(pexpect.EOF)
    wait_until(lambda: ends() > before, "the record of the logout", 20)


def temporary(console, user):
    shown = console.run(f"account reset {user}")
    return re.search(rf"temporary password of {user}: (\S+)", shown).group(1)


def paste(console, command, text):
    console.send(command + "\r")
    console.expect("Ctrl-D")
    return console.run(text + "\r\x04")


def kept_texts(directory):
    """What the files of a running gateway hold; it writes some anew under another name, which is gone when it is renamed."""
    texts = []
    for path in filter(pathlib.Path.is_file, directory.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            texts.append(path.read_text(errors="replace"))
    return texts


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(LOGIN)


@pytest.fixture
def administrator(gateway):
    """yamada has logged in with a password of his own."""
    console = gateway.console()
    console.expect(r"> $")
    secret = temporary(console, "yamada")
    gateway.hang_up(console)
    console = log_in(gateway, "yamada", secret)
    choose(console, FIRST)
    console.expect(r"> $")
    return console


@pytest.fixture
def people(gateway, administrator):
    """Everybody has a password of their own."""
    for user in ("tanaka", "sato", "suzuki"):
        secret = temporary(administrator, user)
        leave(gateway, administrator)
        console = log_in(gateway, user, secret)
        choose(console, FIRST)
        console.expect(r"> $")
        leave(gateway, console)
        administrator = log_in(gateway, "yamada", FIRST)
        administrator.expect(r"> $")
    return administrator


def test_login_is_needed_once_an_administrator_has_a_password(gateway, administrator):
    """A5, A8: a console that nobody logged in to answers nothing; no password is shown, logged or kept in the clear."""
    stranger = gateway.console()
    stranger.expect("Use by authorised persons only")
    stranger.expect(NAME)
    stranger.send("show configuration\r")
    type_secret(stranger, SECRET, "show zones")
    stranger.expect("login incorrect")
    assert "zone" not in stranger.before
    gateway.wait_event("login-refused", 'user="unknown"')
    gateway.wait_event("login ", 'user="yamada"', 'role="administrator"')
    kept = kept_texts(gateway.state)
    assert kept and not any(FIRST in text or "show zones" in text for text in kept)
    assert FIRST not in gateway.log()


def test_login_must_change_a_temporary_password_first(gateway, administrator):
    """A1, A2: the rules are told, the temporary password opens nothing."""
    secret = temporary(administrator, "sato")
    console = log_in(gateway, "sato", secret)
    console.expect("this password is temporary")
    choose(console, "short")
    console.expect("too short")
    choose(console, "sekisho-test-2026-A")
    console.expect("a name of a person")
    choose(console, FIRST + "x" * 128)
    console.expect("too long")
    type_secret(console, NEW, FIRST)
    type_secret(console, AGAIN, SECOND)
    console.expect("the two differ")
    choose(console, FIRST)
    console.expect(r"> $")
    assert "sekisho-test" in console.after or "sekisho-test" in console.before


@pytest.mark.limit(120)
def test_evidence_of_an_auditor_is_as_whole_as_an_administrators(gateway, people, tmp_path):
    """A6, C7: no member of it is a refusal; what a role may not ask for would not be signed."""
    auditor = log_in(gateway, "suzuki", FIRST)
    directory = evidence.create(gateway, tmp_path / "bundle", auditor)
    assert evidence.checks(directory) == evidence.WHOLE
    for name in evidence.MEMBERS:
        assert "does not allow" not in (directory / name).read_text(), name


def test_login_locks_after_three_failures_and_tells_the_owner(gateway, people):
    """A3: neutral answers; the account's owner sees the failures, and when the last session was."""
    leave(gateway, people)
    for _ in range(2):
        console = log_in(gateway, "yamada", "wrong")
        console.expect("login incorrect")
        console.close()
    console = log_in(gateway, "yamada", FIRST)
    console.expect(r"last login 20\d\d-\S+ \S+, logout 20\d\d-\S+ \S+\r?\n")
    console.expect("failed attempts since: 2")
    console.expect(r"> $")
    for _ in range(3):
        other = log_in(gateway, "sato", "wrong")
        other.expect("login incorrect")
        other.close()
    other = log_in(gateway, "sato", FIRST)
    other.expect("login incorrect")
    gateway.wait_event("login-refused", 'user="sato"', "account locked")
    assert re.search(r"^sato .*locked", console.run("account show"), re.MULTILINE)


def test_login_roles_bound_what_a_console_is_served(gateway, people):
    """A5, A6, C1, C6: one administrator at a time; operators isolate, auditors look and acknowledge it, neither changes the
    configuration or takes it away."""
    second = log_in(gateway, "tanaka", FIRST)
    second.expect("another administrator is logged in")
    second.close()
    operator = log_in(gateway, "sato", FIRST)
    operator.expect(r"> $")
    assert "only an administrator" in operator.run("configure")
    assert "only an administrator" in paste(operator, "load certificate intruder", "no certificate")
    assert "does not allow" in operator.run("account reset suzuki")
    assert "isolated" in operator.run("isolate zone internet")
    assert "restored" in operator.run("restore zone internet")
    assert "isolated" in operator.run("isolate station 02:00:00:10:00:77")
    assert "restored" in operator.run("restore station 02:00:00:10:00:77")
    auditor = log_in(gateway, "suzuki", FIRST)
    auditor.expect(r"> $")
    assert "does not allow" in auditor.run("isolate zone internet")
    assert "internet" in auditor.run("show zones")
    assert "yamada" in auditor.run("account show")
    assert "another person must acknowledge" in operator.run("acknowledge 1 mine")
    assert re.search("1 +acknowledged", auditor.run("acknowledge 1 looked at it"))
    for console in (operator, auditor):
        refused = exported(console)
        assert "only an administrator" in refused and "BEGIN" not in refused


def test_login_shows_who_is_logged_in_where(gateway, people):
    """A3, A5: every role; in the reader's language; through `|` as other lists. Nothing of who is not logged in."""
    operator = log_in(gateway, "sato", FIRST)
    operator.expect(r"> $")
    waiting = gateway.console()
    waiting.expect(NAME)
    waiting.send("suzuki\r")
    waiting.expect(SECRET)
    shown = operator.run("show users")
    time_shown = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.search(rf"^\d  yamada +administrator +{time_shown}  local socket, idle \d+ min$", shown, re.MULTILINE), shown
    assert re.search(rf"^\d  sato +operator +{time_shown}  local socket, idle 0 min \(here\)$", shown, re.MULTILINE), shown
    assert shown.count("(login)") == 1 and "suzuki" not in shown
    assert operator.run("show users | match yamada | count").strip() == "1"
    people.run("terminal language ja")
    assert re.search("yamada .*この端末", people.run("show users"))
    leave(gateway, operator)
    wait_until(lambda: "sato" not in people.run("show users"), "sato to be gone", 30)
    waiting.close()


def test_login_names_the_person_in_history_and_ends_a_suspended_session(gateway, people):
    """A7, C1: a commit carries the person's name; who is suspended by it is shown out at once."""
    operator = log_in(gateway, "sato", FIRST)
    operator.expect(r"> $")
    people.run("configure")
    people.run("set login user sato suspended")
    assert "committed" in people.run("commit", timeout=40)
    operator.expect("your account was changed")
    people.run("exit")
    assert re.search(r"yamada", people.run("show history"))
    gateway.wait_event("logout", 'user="sato"')
    console = log_in(gateway, "sato", FIRST)
    console.expect("login incorrect")


def test_login_refuses_to_commit_the_last_administrator_away(administrator):
    administrator.run("configure")
    administrator.run("delete login user tanaka")
    administrator.run("set login user yamada suspended")
    assert "one must remain" in administrator.run("check")
    assert "committed" not in administrator.run("commit")
    administrator.run("discard")


def test_login_changes_its_own_password_and_never_goes_back(gateway, administrator):
    """A1: the present one is asked for, and an earlier one is never taken again."""
    administrator.send("password\r")
    type_secret(administrator, "present password: $", FIRST)
    choose(administrator, SECOND)
    administrator.expect("the password is changed")
    administrator.expect(r"> $")
    administrator.send("password\r")
    type_secret(administrator, "present password: $", SECOND)
    choose(administrator, FIRST)
    administrator.expect("used before")
    administrator.expect(r"> $")
    leave(gateway, administrator)
    log_in(gateway, "yamada", SECOND).expect(r"> $")


def test_login_survives_a_restart_and_the_death_of_accounts(gateway, administrator, make_gateway, topology):
    """kill -9 of accounts: every console ends, and the next one needs a login; so it does behind a restart."""
    gone = gateway.kill("accounts")
    administrator.expect(pexpect.EOF)
    gateway.wait_answering("accounts", other_than=gone, seconds=10)
    log_in(gateway, "yamada", FIRST).expect(r"> $")
    gateway.stop()
    topology.restore_ports()
    again = make_gateway(LOGIN, state=gateway.state)
    log_in(again, "yamada", FIRST).expect(r"> $")


def test_login_opens_no_session_without_its_record_on_the_disk(gateway, administrator):
    """L1, A3: while audit does not answer nobody is let in; it is killed for it, and the console ends."""
    leave(gateway, administrator)
    audit = gateway.kill("audit", signal.SIGSTOP)
    console = log_in(gateway, "yamada", FIRST)
    assert console.expect([r"> $", pexpect.EOF], timeout=60) == 1
    assert "the login cannot be recorded: nobody is let in\r\n" in console.before
    gateway.wait_answering("audit", other_than=audit, seconds=30)
    log_in(gateway, "yamada", FIRST).expect(r"> $")
    gateway.wait_event("login ", 'user="yamada"', seconds=20)
