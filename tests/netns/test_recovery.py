# SPDX-License-Identifier: GPL-2.0-or-later
"""A lost password is recovered at the terminal, behind two starts by hand with the key (ADR 318; A2, A5, A7, L1)."""

import os
import pty
import signal
import time

import pytest

from lib import first_boot
from lib.gateway import Console
from lib.logs import verify
from lib.reports import report, rows, section
from lib.traffic import Sink, Source
from lib.waiting import wait_until

KEY = "R"
SAY = {"counted": "The key was counted", "begins": "Recovery of a lost password", "name": "whose password.*: $",
       "given": r"temporary password of yamada: (\S+)\r", "noted": "written it down: $", "over": "the recovery is over",
       "login": "login: $"}
FRESH = "Umi/ni-36-fune"
PATIENCE_SECONDS = 60
BY_HAND, BY_ITSELF = ("--start", "hand"), ("--start", "self")
NUMBERED = 7000
SILENT_S = 1.0  # more than the pause around the key
SETTLED_S = 3.0  # how long nothing may come while the zones are shut


class Board:
    """One state directory over several starts, each with a terminal of its own."""

    def __init__(self, make_gateway, topology):
        self.make_gateway, self.topology = make_gateway, topology
        self.gateway = self.terminal = None
        self.slaves = []

    def start(self, options=BY_HAND, blocks=""):
        """The machine is switched on; what ran before has ended as in a power cut."""
        kept = {}
        if self.gateway is not None:
            os.kill(self.gateway.pid, signal.SIGKILL)
            self.gateway.process.stop()
            self.topology.restore_ports()
            kept = {"state": self.gateway.state}
        master, slave = pty.openpty()
        self.slaves.append(slave)
        self.gateway = self.make_gateway(blocks, console=os.ttyname(slave), options=options, **kept)
        self.terminal = Console(master, self.gateway.directory / "terminal.txt", PATIENCE_SECONDS)
        return self.terminal

    def set_up(self, blocks=""):
        """yamada is the administrator, and has left."""
        self.start((), blocks)
        first_boot.set_up(self.terminal)
        return self

    def press(self):
        """A start by hand with the key pressed at its banner."""
        self.start().expect("SEKISHO")
        self.terminal.send(KEY)
        return self.terminal

    def count(self):
        """The first of the two."""
        self.press().expect(SAY["counted"])
        self.terminal.expect(SAY["login"])

    def begin(self):
        """Both, up to the question for the name."""
        self.count()
        self.press().expect(SAY["begins"])
        self.terminal.expect(SAY["name"])

    def give(self):
        """yamada gets a temporary password; return it."""
        self.terminal.send("yamada\r")
        self.terminal.expect(SAY["given"])
        fresh = self.terminal.match.group(1)
        self.terminal.expect(SAY["noted"])
        return fresh

    def records(self, event):
        return [line for line in self.gateway.audit_lines() if f" {event} " in line]

    def are_shut(self):
        """Whether no zone has a live wire: its peer sees no carrier."""
        return [zone.name for zone in self.topology.zones.values() if "NO-CARRIER" in self.topology.net.run(
            zone.namespace, "ip", "link", "show", self.topology.DEVICE).stdout] == list(self.topology.zones)

    def are_open(self):
        return not any("NO-CARRIER" in self.topology.net.run(
            zone.namespace, "ip", "link", "show", self.topology.DEVICE).stdout for zone in self.topology.zones.values())

    def log_in(self, password, end):
        first = self.terminal
        first.send("\r")
        first.expect(SAY["login"])
        first.send("yamada\r")
        first.expect("password: $")
        first.send(password + "\r")
        first.expect(end)


@pytest.fixture
def board(make_gateway, topology):
    made = Board(make_gateway, topology)
    yield made
    for slave in made.slaves:
        os.close(slave)


@pytest.mark.limit(300)
def test_recovery_gives_one_password_while_nothing_passes(board, topology, net):
    """A2, A5, L1: recorded first; every port is down and not a packet passes; the old password is void, the new one must be
    changed, and an emergency stands behind it."""
    inside = topology.zones["lgwan"]
    board.set_up(f"service numbered {{ udp {NUMBERED}; }}\n"
                 f"crossing mynumber lgwan {{ permit 10 {{ destination {inside.peer4}; service numbered; }} }}")
    sink = Sink(net, inside.namespace, inside.peer4, NUMBERED)
    Source(net, topology.zones["mynumber"].namespace, inside.peer4, NUMBERED)
    wait_until(lambda: len(sink.got) > 10, "packets that pass", 30)
    board.begin()
    assert board.are_shut()
    before = len(sink.got)
    time.sleep(SETTLED_S)
    board.gateway.wait_event(" zone-read ", "shut for a recovery", seconds=30)
    fresh = board.give()
    assert len(sink.got) == before, "a packet passed while the zones were shut"
    board.terminal.send("\r")
    board.terminal.expect(SAY["over"])
    wait_until(board.are_open, "zones that are open again", 30)
    wait_until(lambda: len(sink.got) > before + 10, "packets that pass again", 30)
    board.terminal.expect(SAY["login"])
    board.log_in(first_boot.PASSWORD, "login incorrect")
    board.terminal.expect(SAY["login"])
    board.log_in(fresh, "new password: $")
    board.terminal.send(FRESH + "\r")
    board.terminal.expect("again: $")
    board.terminal.send(FRESH + "\r")
    board.terminal.expect(board.terminal.PROMPT)
    lines = board.gateway.audit_lines()
    order = [next(i for i, line in enumerate(lines) if all(part in line for part in parts))
             for parts in ((" recovery-key ",), (" recovery-begins ",), (" emergency-opened ", "recovery at the terminal"),
                           (" recovery-gives ", 'user="yamada"'),
                           (" password-reset ", 'user="yamada"', 'name="recovery"'),
                           (" recovery-ends ", 'user="yamada"', "a password was given"))]
    assert order == sorted(order)
    assert not board.records("zone-differs"), "that the zones are shut is no difference"
    assert "emergency-open" in board.terminal.run("show alarms | no-more")
    assert "recovery at the terminal: password of yamada" in board.terminal.run("show pending | no-more")
    assert sorted(path.name for path in (board.gateway.state / "config").glob("config.*")) == [
        "config.00000001", "config.00000002"], "a recovery commits nothing"
    kept = [path.read_text(errors="replace") for path in board.gateway.state.rglob("*") if path.is_file()]
    assert not any(fresh in text for text in [*kept, board.gateway.log()])


@pytest.mark.limit(300)
def test_recovery_takes_two_starts_by_hand_in_a_row(board):
    """One start with the key, and one with it behind a start without it or by itself, lead to the login and nothing else."""
    board.set_up()
    board.count()
    board.start().expect(SAY["login"])
    board.count()
    board.start(BY_ITSELF).expect(SAY["login"])
    assert board.records("recovery-refused"), "that the count is void is recorded"
    board.count()
    assert not board.records("recovery-begins") and board.are_open()
    board.log_in(first_boot.PASSWORD, board.terminal.PROMPT)


@pytest.mark.limit(300)
def test_recovery_is_off_where_the_configuration_says_so(board):
    board.set_up()
    first_boot.log_in(board.terminal)
    assert "committed" in board.terminal.commit("set system recovery off").lower()
    for _ in range(2):
        board.press().expect("no recovery: the configuration forbids it")
        board.terminal.expect(SAY["login"])
    assert not board.records("recovery-begins") and not board.records("recovery-key")


@pytest.mark.limit(300)
def test_recovery_does_not_begin_without_its_record(board):
    """L1: audit stands still, then dies: no zone is shut, no name is asked for."""
    board.set_up()
    board.count()
    board.start().expect("SEKISHO")
    board.gateway.kill("audit", signal.SIGSTOP)
    board.terminal.send(KEY)
    board.terminal.expect("no recovery: the log cannot be written", timeout=120)
    assert board.are_open()
    board.terminal.expect(SAY["login"])


@pytest.mark.limit(300)
def test_recovery_gives_no_password_without_its_record(board):
    """L1, ADR 314: audit stands still, then dies, while a name is typed: the old password stays, and the person reads why; when it
    is back a second try gives one."""
    board.set_up()
    board.begin()
    board.gateway.kill("audit", signal.SIGSTOP)
    board.terminal.send("yamada\r")
    board.terminal.expect("this cannot be recorded: nothing was changed", timeout=120)
    board.terminal.expect(SAY["name"])
    assert not board.records("password-reset") and board.are_shut()
    board.gateway.wait_event(" recovery-refused ", 'user="yamada"', "the log cannot be written", seconds=60)
    board.give()
    board.terminal.send("\x03")     # as good as Enter
    board.terminal.expect(SAY["over"])
    assert len(board.records("password-reset")) == 1


@pytest.mark.limit(300)
def test_recovery_is_not_begun_by_a_device_that_talks(board):
    """What comes with other letters is no key, however it is cut; the key is one all the same when the device is silent."""
    board.set_up()
    for words in ("RING\r\n", "R", "ING\r\n", "READY\r\n"), ("\r\nR", "ESET\r\n"), ("ERROR\r\n",):
        board.start().expect("SEKISHO")
        for word in words:
            board.terminal.send(word)
        board.terminal.expect("recorded")
    assert not board.records("recovery-key") and not board.records("recovery-begins")
    board.start().expect("SEKISHO")
    board.terminal.send("RING\r\n")
    time.sleep(SILENT_S)
    board.terminal.send(KEY * 3)
    board.terminal.expect(SAY["counted"])


@pytest.mark.limit(300)
@pytest.mark.parametrize("role", ["console", "accounts"])
def test_recovery_ends_with_the_process_it_needs(board, role):
    board.set_up()
    board.begin()
    assert board.are_shut()
    board.gateway.kill(role)
    board.gateway.wait_event(" recovery-ends ", f"{'its console' if role == 'console' else role} ended", seconds=30)
    wait_until(board.are_open, "zones that are open again", 30)
    board.terminal.expect(SAY["login"])
    board.log_in(first_boot.PASSWORD, board.terminal.PROMPT)


@pytest.mark.limit(300)
@pytest.mark.parametrize("way", ["leaves", "names others"])
def test_recovery_that_is_left_changes_nothing(board, way):
    """Ctrl-C, or three names that are no administrator's; the emergency stands all the same."""
    board.set_up()
    board.begin()
    if way == "leaves":
        board.terminal.send("\x03")
    else:
        for name in ("sato", "root", "admin"):
            board.terminal.send(name + "\r")
            board.terminal.expect(["no administrator of this name", SAY["over"]])
    board.gateway.wait_event(" recovery-ends ", "it was left" if way == "leaves" else "too many names", seconds=30)
    wait_until(board.are_open, "zones that are open again", 30)
    board.terminal.expect(SAY["login"])
    board.log_in(first_boot.PASSWORD, board.terminal.PROMPT)
    assert "recovery at the terminal" in board.terminal.run("show pending | no-more")


NOISE = "\x00\x7f\r\n"  # what a line says of itself when its power comes


@pytest.mark.limit(300)
def test_recovery_can_be_read_without_utf8_where_consoles_greet_in_japanese(board):
    """A3: its questions are asked in ASCII behind what is said in both languages; the login that follows is in Japanese."""
    board.start(())
    first_boot.set_up(board.terminal, language="ja")
    board.press().expect(SAY["counted"])
    board.terminal.expect("利用者名: $")
    board.press().expect(SAY["begins"])
    board.terminal.expect(SAY["name"])
    board.give()
    board.terminal.send("\r")
    board.terminal.expect(SAY["over"])
    board.terminal.expect("利用者名: $")


@pytest.mark.limit(300)
def test_recovery_says_it_in_japanese_too_and_is_in_the_report(board):
    """L6: nobody has chosen a language behind a start, so that both are there; noise in front of the key is no other key; then
    the month's table of incidents has it."""
    board.set_up()
    board.start().expect("SEKISHO")
    board.terminal.send(NOISE + KEY)
    board.terminal.expect("キーを受け付けました")
    board.terminal.expect(SAY["login"])
    board.start().expect("SEKISHO")
    board.terminal.send(NOISE + KEY)
    board.terminal.expect("パスワードの復旧を行います")
    board.terminal.expect(SAY["name"])
    board.give()
    board.terminal.send("\r")
    board.terminal.expect("復旧を終了しました: 仮パスワードを発行しました")
    board.gateway.wait_event(" recovery-ends ", 'user="yamada"', seconds=30)
    board.gateway.stop()
    month = board.gateway.audit_lines()[0].split()[1][:7]
    log = next(iter(board.gateway.state.glob("**/*.log"))).parent
    verify(log)
    status, text, message = report(board.gateway.config_path, log, month, "--language", "en")
    assert (status, message) == (0, "")
    incidents = [row[1] for row in rows(section(text, "== Isolations and incidents (Z11, Z12)"))]
    assert incidents == ["recovery-begins", "emergency-opened", "recovery-gives", "recovery-ends"]
