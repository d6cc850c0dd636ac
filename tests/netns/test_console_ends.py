# SPDX-License-Identifier: GPL-2.0-or-later
"""How a session at the serial line ends: the person reads why, and the log says it of the person (A3, A4, L1)."""

import os
import signal

import pytest

from lib import first_boot

from test_console import CROSSING, Terminal, open_terminal

NAME = "(?:login|利用者名): $"
ACCOUNTS = {"en": "accounts has failed: this console begins anew\r\n",
            "ja": "アカウント管理プロセスの異常のため、このコンソールを開始し直します\r\n"}
FAILED = {"en": r"The console before this one failed: its session is over \(show log says more\)\.\r\n",
          "ja": r"直前のコンソールは異常終了し、そのセッションは終了しました \(show log に記録\)。\r\n"}
GATEWAY = {"en": "the gateway stops: this session ends\r\n", "ja": "本装置が停止するため、このセッションを終了します\r\n"}
UNREAD = 200    # times that the configuration is shown: far more than lies between both ends of a terminal


@pytest.fixture(params=["en", "ja"])
def language(request):
    return request.param


@pytest.fixture
def terminal(language, topology, tmp_path, make_gateway):
    """The first administrator sits at a terminal that speaks this language."""
    path = tmp_path / "tty"
    master, slave = open_terminal(path, 24, 80)
    made = Terminal(gateway := make_gateway(CROSSING, console=path), master)
    made.gateway = gateway
    first_boot.begin(made, language=language)
    yield made
    os.close(slave)


def logout(gateway, why):
    """The one record of the session's end."""
    gateway.wait_event(" logout ", 'user="yamada"', f'reason="{why}"')
    assert sum(" logout " in line for line in gateway.audit_lines()) == 1


def test_session_ends_with_accounts_and_says_so(terminal, language):
    terminal.gateway.kill("accounts")
    terminal.expect(ACCOUNTS[language], timeout=60)
    terminal.expect(NAME, timeout=60)
    logout(terminal.gateway, "accounts ended")
    first_boot.log_in(terminal)


def test_session_ends_with_its_console_and_the_next_one_says_so(terminal, language):
    """Once: who ends that one in order finds the next without it."""
    terminal.gateway.kill("console")
    terminal.expect(FAILED[language], timeout=60)
    terminal.expect(NAME, timeout=60)
    logout(terminal.gateway, "its console ended")
    first_boot.log_in(terminal)
    terminal.send("exit\r")
    terminal.expect(NAME, timeout=60)
    assert "Sekisho" in terminal.before and "before this one" not in terminal.before and "直前" not in terminal.before


def test_session_ends_with_the_gateway_and_says_so(terminal, language):
    assert terminal.gateway.stop() == 0
    terminal.expect(GATEWAY[language], timeout=60)
    logout(terminal.gateway, "the gateway stops")


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_session_ends_with_a_gateway_whose_accounts_stands(terminal, language):
    """The console ends at once, accounts is killed two seconds later: the supervisor records what it cannot."""
    terminal.gateway.kill("accounts", signal.SIGSTOP)
    assert terminal.gateway.stop() == 0
    terminal.expect(GATEWAY[language], timeout=60)
    logout(terminal.gateway, "accounts ended")


@pytest.mark.parametrize("language", ["en"], indirect=True)
def test_session_ends_with_its_console_while_accounts_stands(terminal):
    """Nobody is there who has seen both: what accounts has not told when it dies is recorded for it, once."""
    terminal.gateway.kill("accounts", signal.SIGSTOP)
    terminal.gateway.wait_role("console", other_than=terminal.gateway.kill("console"), seconds=60)
    terminal.gateway.kill("accounts")
    logout(terminal.gateway, "accounts ended")
    terminal.expect(NAME, timeout=60)
    first_boot.log_in(terminal)
    terminal.gateway.kill("console")
    terminal.expect(NAME, timeout=60)
    terminal.gateway.kill("accounts")   # it has told this end
    terminal.expect(ACCOUNTS["en"], timeout=60)
    first_boot.log_in(terminal)
    assert sum(" logout " in line for line in terminal.gateway.audit_lines()) == 2


def test_session_ends_by_exit_behind_all_that_was_asked_before(terminal):
    """What the terminal takes only later is not lost, and the record says who ended the session."""
    for _ in range(UNREAD):
        terminal.send("show configuration | no-more\r")
    terminal.send("exit\r")
    terminal.expect(NAME, timeout=120)
    assert terminal.before.count("service echo {") == UNREAD
    logout(terminal.gateway, "the person logged out")
