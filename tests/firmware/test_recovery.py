# SPDX-License-Identifier: GPL-2.0-or-later
"""Recovery at the serial line of the appliance (ADR 318; A2, A5, A7): the key in two starts by hand in a row."""

import pytest

from lib import first_boot

KEY = "R"
FRESH = "Umi/ni-36-fune"
PATIENCE_SECONDS = first_boot.PATIENCE_SECONDS
LOGIN = "login: $"


def start(board, key):
    """A start by hand: the power fails, comes back, and the key is pressed at the banner, or not."""
    if board.running():
        board.power_cut()
    board.power_on()
    board.console.expect_exact(f"\x1b#3  {first_boot.ORGANIZATION}", timeout=180)
    board.console.expect("SEKISHO", timeout=PATIENCE_SECONDS)
    if key:
        board.console.send(KEY)


def counted(board):
    start(board, key=True)
    board.console.expect("The key was counted", timeout=PATIENCE_SECONDS)
    board.console.expect(LOGIN, timeout=PATIENCE_SECONDS)


def set_up(board):
    board.power_on()
    board.wait_ready(60)
    first_boot.set_up(board.console)
    return board


@pytest.mark.limit(900)
def test_recovery_behind_two_starts_gives_a_password_that_works(machine):
    """The old password is void from then on; the new one opens the way to another, and that one to the commands. Before, a
    start without the key has erased the count of one with it."""
    board = set_up(machine())
    counted(board)
    start(board, key=False)
    board.console.expect(LOGIN, timeout=PATIENCE_SECONDS)
    counted(board)
    start(board, key=True)
    board.console.expect("whose password.*: $", timeout=PATIENCE_SECONDS)
    board.console.send(first_boot.ADMINISTRATOR + "\r")
    board.console.expect(r"temporary password of yamada: (\S+)\r", timeout=PATIENCE_SECONDS)
    temporary = board.console.match.group(1)
    board.console.expect("written it down: $", timeout=PATIENCE_SECONDS)
    board.console.send("\r")
    board.console.expect("the recovery is over", timeout=PATIENCE_SECONDS)
    for password, answer in ((first_boot.PASSWORD, "login incorrect"), (temporary, "new password: $")):
        board.console.expect(LOGIN, timeout=PATIENCE_SECONDS)
        board.console.send(first_boot.ADMINISTRATOR + "\r")
        board.console.expect("password: $", timeout=PATIENCE_SECONDS)
        board.console.send(password + "\r")
        board.console.expect(answer, timeout=PATIENCE_SECONDS)
    for question in ("", "again: $"):
        if question:
            board.console.expect(question, timeout=PATIENCE_SECONDS)
        board.console.send(FRESH + "\r")
    board.console.expect(board.console.PROMPT, timeout=PATIENCE_SECONDS)
    records = board.console.run("show log 200 | no-more")
    assert records.count("recovery-begins") == 1 and records.count("recovery-ends") == 1
    assert "recovery at the terminal: password of yamada" in board.console.run("show pending | no-more")
