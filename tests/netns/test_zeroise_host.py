# SPDX-License-Identifier: GPL-2.0-or-later
"""Who cannot have the disk wiped (L5, ADR 609): another console than the serial one, an operator, anybody on a machine that is not
the gateway's own. Who can, and what is done then: tests/firmware/test_zeroise.py."""

import os
import pty

import pytest

from lib.gateway import Console
from lib.waiting import PATIENCE_SECONDS
from test_accounts import AGAIN, FIRST, NAME, NEW, SECOND, SECRET, leave, log_in, temporary, type_secret

LOGIN = "login { idle-timeout 10m; user yamada { role administrator; } user sato { role operator; } }"
SERIAL_ONLY, NO_DISK = "only at the serial console", "this machine keeps nothing on a disk"


@pytest.fixture
def make_terminal(make_gateway):
    """A gateway whose console is a terminal that takes the place of a socket, which was there when passwords were chosen."""
    slaves = []

    def make(state, *options):
        master, slave = pty.openpty()
        slaves.append(slave)
        gateway = make_gateway(LOGIN, state=state, console=os.ttyname(slave), options=options)
        return gateway, Console(master, gateway.directory / "terminal.txt", PATIENCE_SECONDS)

    yield make
    for slave in slaves:
        os.close(slave)


def ask(console, password):
    """What is said of `zeroise`, with the word and the password."""
    console.send("zeroise sold\r")
    console.expect("type zeroise in full, or no: $")
    console.send("zeroise\r")
    type_secret(console, "present password: $", password)
    console.expect(console.PROMPT)
    return console.before


def sit_down(console, user, password):
    console.send("\r")
    console.expect(NAME)
    console.send(user + "\r")
    type_secret(console, SECRET, password)
    console.expect(console.PROMPT)


def refused(gateway):
    """Nothing is under way, and no order is left."""
    assert not (gateway.state / "zeroise").exists() and gateway.process.running()
    assert not any("zeroise-" in line for line in gateway.audit_lines())


def test_zeroise_is_refused_to_others_and_elsewhere(make_gateway, make_terminal):
    """L5, A4: by a socket; by an operator; where the disk is not the gateway's own; where there is none."""
    gateway = make_gateway(LOGIN, options=("--own-disk",))
    console = gateway.open_console()
    secrets = {user: temporary(console, user) for user in ("yamada", "sato")}
    gateway.hang_up(console)
    for user, password in (("sato", SECOND), ("yamada", FIRST)):
        console = log_in(gateway, user, secrets[user])
        type_secret(console, NEW, password)
        type_secret(console, AGAIN, password)
        console.expect(console.PROMPT)
        assert SERIAL_ONLY in ask(console, password)
        leave(gateway, console)
    refused(gateway)
    gateway.stop()

    gateway, console = make_terminal(gateway.state, "--own-disk")
    sit_down(console, "sato", SECOND)
    assert "your role does not allow this" in ask(console, SECOND)
    console.send("exit\r")
    sit_down(console, "yamada", FIRST)
    assert "the present password is wrong" in ask(console, SECOND)
    assert NO_DISK in ask(console, FIRST)
    refused(gateway)
    gateway.stop()

    gateway, console = make_terminal(gateway.state)
    sit_down(console, "yamada", FIRST)
    assert "this machine is not the gateway's own" in ask(console, FIRST)
    refused(gateway)
