# SPDX-License-Identifier: GPL-2.0-or-later
"""`monitor log` at a console (L1), and `reboot` and `shutdown`, which end the gateway for whoever started it (ADR 812)."""

import re

import pytest

from lib.screen_entry import fake_desktop, screen, still, viewer_of
from lib.waiting import wait_until

ROWS_AT_ONCE = 20
REBOOT, SHUTDOWN = 80, 81


def follow(console, command="monitor log"):
    console.send(command + "\r")
    console.expect("until Ctrl-C:\r\n")


def leave(console):
    console.send("\x03")
    console.expect(console.PROMPT)


@pytest.fixture
def console(make_gateway):
    gateway = make_gateway()
    with gateway.open_console() as made:
        made.gateway = gateway
        yield made


def test_monitor_shows_each_new_record_once_until_interrupted(console):
    """L1: what is recorded behind it, of other consoles too, oldest first, by its number; then the prompt answers again."""
    follow(console)
    with console.gateway.open_console() as other:
        other.run("configure")
        console.expect("config-editing", timeout=30)
        other.run("exit")
        console.expect("config-edited", timeout=30)
    leave(console)
    assert "config-edited" not in console.before, "a record twice"
    assert "Sekisho" in console.run("show version")


def test_monitor_shows_only_what_is_asked_for(console):
    """A text is looked for by audit, in front of the limit; `| match` and `| except` by the console."""
    with console.gateway.open_console() as other:
        for command in ("monitor log config-edited", "monitor log | match config-edited", "monitor log | except config-editing"):
            follow(console, command)
            other.run("configure")
            other.run("exit")
            console.expect("config-edited", timeout=30)
            assert "config-editing" not in console.before, command
            leave(console)


def test_monitor_of_a_flood_shows_some_and_counts_the_others(console):
    """L1: the newest twenty of each second, and how many were left out: together they are all that was recorded."""
    follow(console, "monitor log config-edit")
    with console.gateway.open_console() as other:
        count = 2 * 60
        for _ in range(count // 2):
            other.send("configure\rexit\r")
        shown, left_out = 0, 0
        while shown + left_out < count:
            console.expect(r"(config-edit(?:ing|ed))|left out: (\d+)", timeout=60)
            shown, left_out = shown + bool(console.match[1]), left_out + int(console.match[2] or 0)
        assert shown + left_out == count and shown >= ROWS_AT_ONCE
    leave(console)


def test_monitor_goes_on_when_audit_has_died(console):
    """L1: its restart is among the records that follow."""
    follow(console)
    console.gateway.kill("audit")
    console.expect("process-died", timeout=60)
    leave(console)


@pytest.fixture
def own_machine(topology, make_gateway):
    return make_gateway(screen(topology), options=("--own-machine",))


def status_of(gateway):
    wait_until(lambda: not gateway.process.running(), "the end of sekishod", 60)
    return gateway.process.stop()


@pytest.mark.parametrize("command, status", [("reboot", REBOOT), ("shutdown", SHUTDOWN)])
def test_power_ends_in_order_with_its_record_first(topology, own_machine, command, status):
    """A6, L1: "no" and anything else do nothing; "yes" is recorded, sessions end with a reason, the status says what is wanted."""
    fake_desktop(topology, script=still)
    viewer = viewer_of(topology)
    console = own_machine.open_console()
    wait_until(lambda: " web " in console.run("show screen sessions"), "the session", 30)
    assert "unknown command" in console.run(command[:-1]), "a shortened word did it"
    for word in ("no", "\x03"):
        console.send(f"{command}\r")
        console.expect(r"\[yes/no\] ")
        console.send("perhaps\r")
        console.expect(r"\[yes/no\] ")
        console.send(word if word == "\x03" else word + "\r")
        console.expect("nothing is done")
        console.expect(console.PROMPT)
    assert own_machine.process.running() and not [line for line in own_machine.audit_lines() if " machine-ends " in line]
    console.send(f"{command}\r")
    console.expect(r"\[yes/no\] ")
    console.send("yes\r")
    console.expect("ends in order")
    assert status_of(own_machine) == status
    lines = own_machine.audit_lines()
    ends = next(i for i, line in enumerate(lines) if " machine-ends " in line)
    assert f'detail="{command}"' in lines[ends] and ' console="' in lines[ends] and ' user="' in lines[ends]
    stops = next(i for i, line in enumerate(lines) if " gateway-stops " in line)
    assert ends < stops and f'reason="{command}"' in lines[stops]
    # Behind what was on the disk before anything was stopped; of two processes' records at one time either may come first.
    assert any(" screen-ended " in line and ' reason="' in line for line in lines[ends:]), "a session without its end"
    viewer.close()


def stays(gateway, command, reason):
    """The gateway runs on, and the last word in the log on its end is that."""
    def told():
        return [line for line in gateway.audit_lines() if " machine-stays " in line]
    wait_until(told, "machine-stays", 60)
    last = [line for line in gateway.audit_lines() if re.search(" (machine-ends|machine-stays|gateway-stops) ", line)][-1]
    assert " machine-stays " in last and f'detail="{command}"' in last and ' user="' in last and ' console="' in last, last
    assert re.search(f'reason="({reason})"', last), last
    assert gateway.process.running()


def test_power_is_refused_where_the_machine_is_not_the_gateways(console):
    """A host of somebody else's is not ended from a console, and nothing is recorded."""
    console.send("reboot\r")
    console.expect(r"\[yes/no\] ")
    assert "not the gateway's own" in console.run("yes")
    assert not [line for line in console.gateway.audit_lines() if " machine-ends " in line]


def test_power_is_refused_while_it_cannot_be_recorded(own_machine):
    """L1: audit stands before it has written the record. Nothing is done, also when it goes on after the console gave up; the log
    says so behind `machine-ends`."""
    console = own_machine.open_console()
    own_machine.stand("audit")
    console.send("reboot\r")
    console.expect(r"\[yes/no\] ")
    console.send("yes\r")
    console.expect("could not be recorded|no answer in time", timeout=60)
    console.expect(console.PROMPT)
    own_machine.resume()
    wait_until(lambda: "process-ready" in console.run("show log 200 | no-more"), "the log to answer", 60)
    stays(own_machine, "reboot", "withdrawn|unrecorded")


def test_power_that_was_withdrawn_is_the_last_word(own_machine):
    """L1: Ctrl-C before audit has answered."""
    console = own_machine.open_console()
    own_machine.stand("audit")
    console.send("shutdown\r")
    console.expect(r"\[yes/no\] ")
    console.send("yes\r")
    console.expect("yes\r\n")
    leave(console)
    own_machine.resume()
    stays(own_machine, "shutdown", "withdrawn")


def test_power_whose_record_died_with_audit_is_not_done(own_machine):
    """L1: what audit had not taken yet is lost or written by its successor; what is not done is told in either case."""
    console = own_machine.open_console()
    own_machine.stand("audit")
    console.send("reboot\r")
    console.expect(r"\[yes/no\] ")
    console.send("yes\r")
    console.expect("yes\r\n")
    own_machine.kill("audit")
    console.expect("could not be recorded", timeout=60)
    stays(own_machine, "reboot", "unrecorded")
