# SPDX-License-Identifier: GPL-2.0-or-later
"""How a session at the serial line ends: the person reads why, and the log says it of the person (A3, A4, L1)."""

import os

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


def test_session_ends_by_exit_behind_all_that_was_asked_before(terminal):
    """What the terminal takes only later is not lost, and the record says who ended the session."""
    for _ in range(UNREAD):
        terminal.send("show configuration | no-more\r")
    terminal.send("exit\r")
    terminal.expect(NAME, timeout=120)
    assert terminal.before.count("service echo {") == UNREAD
    logout(terminal.gateway, "the person logged out")
