# SPDX-License-Identifier: GPL-2.0-or-later
"""The console through a socket and a terminal: commands, help, errors with their place, commit and rollback (C1, C2, A5)."""

import fcntl
import os
import pty
import re
import struct
import termios
import time

import pytest

from lib import first_boot
from lib.gateway import Console
from lib.net import NETNS_DIR
from lib.waiting import wait_until

SERVICE = "service echo { tcp 7000; }\n"
CROSSING = SERVICE + "crossing mynumber lgwan { permit 10 { destination 10.20.0.8; service echo; } }"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(CROSSING)


@pytest.fixture
def console(gateway):
    return gateway.open_console()


@pytest.fixture
def editing(console):
    console.run("configure")
    return console


def test_console_greets_with_owner_and_prompts_with_host(gateway):
    console = gateway.console()
    console.expect("試験市")
    console.expect("sekisho-test> $")


def test_console_shows_the_running_configuration(console):
    text = console.run("show configuration")
    assert "permit 10 {" in text and "destination 10.20.0.8;" in text
    assert console.run("show configuration service echo").strip() == "tcp 7000;"


def test_console_takes_unique_abbreviations(console):
    assert "tcp 7000;" in console.run("sh conf serv echo")


def test_console_says_place_and_choices_of_an_unknown_command(console):
    text = console.run("show nonsense")
    assert "console:1:6: unknown command 'nonsense'; allowed here: separation, zones," in text


def test_console_help_answers_at_once(console):
    console.send("show z?")
    console.expect(r"zones +zones, ports, counters")
    console.expect("> show z")
    console.send("\x03")
    console.expect(console.PROMPT)


def test_console_help_names_the_values_of_a_statement(editing):
    editing.send("set zone lgwan tier ?")
    editing.expect("sensitive")
    editing.expect("business")
    editing.expect("outside")
    editing.send("\x03")
    editing.expect(editing.PROMPT)


def test_console_tab_completes_names_that_exist(editing):
    editing.send("set cross\tmyn\tlg\tperm\t1")
    editing.expect_exact("set crossing mynumber lgwan permit 1")
    editing.send("\x03")
    editing.expect(editing.PROMPT)


def test_console_refuses_a_bad_value_and_changes_nothing(editing):
    text = editing.run("set zone lgwan address 10.20.0.300/24")
    assert re.search(r"console:1:24: '10\.20\.0\.300/24' is not allowed for 'address'; allowed: ", text), text
    assert editing.run("compare").strip() == ""


def test_console_shows_compliance_by_clause(console):
    """L6: the running configuration, by the table that the monthly report has too."""
    console.run("terminal length 0")
    text = console.run("show compliance")
    assert re.search(r"^C1    not met  Two persons check each other", text, re.MULTILINE), text
    assert "      `login two-person` is not written" in text
    assert len(re.findall(r"^(?:Z|M|A|L|C)\d+ ", text, re.MULTILINE)) == 46
    assert re.search(r"^met: \d+, partly met: \d+, not met: \d+, not used: \d+", text, re.MULTILINE)
    text = console.run("show compliance Z8")
    assert "      crossing permit destination: 10.20.0.8" in text and "C1 " not in text
    assert "no such clause" in console.run("show compliance Z99")
    console.run("terminal language ja")
    assert "未充足" in console.run("show compliance C1")


def test_console_answers_in_the_language_of_who_asks(console):
    """A5: refusals and headings of whichever process answers."""
    console.run("terminal length 0")
    asked = {"isolate zone nowhere": "no such zone", "show flows port none": "allowed: [zone NAME]",
             "clear capture nothing": "no capture has this name", "show zones": "tier", "show permits": "last hit"}
    for line, english in asked.items():
        assert english in console.run(line), line
    console.run("terminal language ja")
    japanese = ("その名前のゾーンはありません", "指定できる値: [zone ゾーン]", "その名前のキャプチャはありません", "区分", "最終使用")
    for line, told in zip(asked, japanese):
        said = console.run(line)
        assert told in said and asked[line] not in said, line


def test_console_shows_what_was_seen_of_a_clause(gateway, console):
    """L6: since when, and counts as an independent reader of the log counts them; only a clause's own where one is named."""
    console.run("terminal length 0")
    console.run("isolate zone internet")
    console.run("restore zone internet")
    gateway.wait_event("zone-restored")
    text = console.run("show compliance Z11")
    lines = gateway.audit_lines()
    assert re.search(r"^seen in the records 1 to \d+ \(since " + re.escape(lines[0].split()[1]), text, re.MULTILINE), text
    seen = {row[0]: row[2:4] for row in (re.split(r" +\| +", line.strip()) for line in text.splitlines()) if len(row) == 5}
    for event in ("zone-isolated", "zone-restored"):
        assert seen[event] == ["1", str(sum(f" {event} " in line for line in lines))]
    assert "commit-done" not in seen and "| commit-done |" not in text
    drill = {line.split(" | ")[0].strip(): line for line in text.splitlines() if " Z11 " in line}
    assert drill["isolating a zone and restoring it"].rstrip().endswith("done")
    assert drill["isolating a station and restoring it"].rstrip().endswith("DUE")
    assert "evidence create" not in text
    shown = console.run("show compliance")
    assert re.search(r"^met: \d+, .*not used: \d+", shown, re.MULTILINE) and re.search(r"^log-segment +\| +L1", shown, re.MULTILINE)


def test_console_speaks_japanese(editing):
    editing.run("terminal language ja")
    text = editing.run("set zone lgwan tier 三層")
    assert "console:1:21: 「三層」は「tier」の値として書けません。書けるもの: sensitive, business, outside" in text
    editing.run("set zone lgwan description \"総合行政ネットワーク\"")
    assert '+   description "総合行政ネットワーク";' in editing.run("compare")


def test_console_compare_commit_and_rollback(gateway, editing):
    """C2: what would change is seen before, the state before is one command away."""
    editing.run("set crossing mynumber lgwan permit 20 destination 10.20.0.9")
    editing.run("set crossing mynumber lgwan permit 20 service echo")
    difference = editing.run("compare")
    assert "[edit crossing mynumber lgwan]" in difference
    assert "+   permit 20 {" in difference and "+       destination 10.20.0.9;" in difference
    assert "committed: configuration 2" in editing.run('commit comment "second server"', timeout=40)
    assert "permit 20" in editing.run("run show configuration")
    assert "second server" in editing.run("show history")
    gateway.wait_event("commit-requested", "second server")
    gateway.wait_event("commit-done")
    assert editing.run("compare").strip() == ""
    editing.run("rollback 1")
    assert "-   permit 20 {" in editing.run("compare")
    assert "committed: configuration 3" in editing.run("commit", timeout=40)
    assert "permit 20" not in editing.run("run show configuration")


def test_console_commit_with_an_error_changes_nothing(editing):
    """Z1: a packet permit between a sensitive and an outside zone is refused with its place."""
    editing.run("set crossing mynumber internet permit 10 destination 203.0.113.5")
    editing.run("set crossing mynumber internet permit 10 service echo")
    text = editing.run("commit")
    assert re.search(r"candidate:\d+:1: packets may not pass between sensitive zone mynumber and outside zone "
                     r"internet \(Z1\)", text), text
    assert "crossing mynumber internet" not in editing.run("run show configuration")
    assert "(Z1)" in editing.run("check")
    editing.run("discard")
    assert "no errors" in editing.run("check")


def test_console_check_and_commit_tell_what_is_unwise_and_commit_all_the_same(editing):
    """C2: a warning names the line as `show` prints it, stands before the answer, in the language of the terminal, and refuses nothing."""
    editing.run("set service forgotten tcp 8080")
    unwise = r"candidate:(\d+):1: warning: nothing uses 'service forgotten'; remove it \(Z10\)"
    checked = editing.run("check")
    assert (at := re.search(unwise, checked)) and "no errors" in checked, checked
    lines = editing.run("show").replace("\r", "").splitlines()
    assert "service forgotten {" in lines[lines.index(next(line for line in lines if line.endswith("{"))):][int(at[1]) - 1], lines
    said = editing.run("commit", timeout=40)
    assert re.search(unwise + r".*committed: configuration \d+", said, re.DOTALL), said
    editing.run("delete service forgotten")
    said = editing.run("commit", timeout=40)
    assert "forgotten" not in said and "committed" in said, said


def test_console_only_one_edits(gateway, editing):
    """A5: one administrator at a time."""
    other = gateway.open_console()
    assert "console 0 is editing" in other.run("configure")
    editing.run("exit")
    other.run("configure")
    assert "enter `configure` first" not in other.run("set zone lgwan hold 2s")


def test_console_leaves_only_without_changes(editing):
    editing.run("set zone lgwan hold 2s")
    assert "there are changes" in editing.run("exit")
    editing.run("discard")
    editing.send("exit\r")
    editing.expect("sekisho-test> $")


def test_console_interrupt_returns_to_the_prompt(editing):
    editing.send("set zone lgwan \x03")
    editing.expect(r"sekisho-test# $")
    editing.send("load merge terminal\rzone x {\x03")
    editing.expect(r"\^C\r\nsekisho-test# $")
    assert editing.run("compare").strip() == ""


def test_console_interrupt_forgets_the_answer_of_a_commit_and_not_the_commit(gateway, editing):
    """C2: both keys come at once, so that no answer can be before the second; what was sent to be done is done and recorded."""
    editing.run("set zone lgwan hold 2s")
    editing.send('commit comment "left alone"\r\x03')
    editing.expect(r"\^C\r\n")
    editing.expect(editing.PROMPT)
    requested = gateway.wait_event("commit-requested", "left alone")
    gateway.wait_event("commit-done", re.search(r' commit="\d+"', requested)[0])
    editing.send("compare\r")       # config answers one after the other
    editing.expect(editing.PROMPT)
    assert "committed" not in editing.before
    assert editing.run("compare").strip() == ""
    assert "left alone" in editing.run("run show history")


def test_console_edit_moves_through_blocks(editing):
    editing.run("edit crossing mynumber lgwan permit 10")
    assert "[edit crossing mynumber lgwan permit 10]" in editing.run("set comment 住基")
    assert 'comment "住基";' in editing.run("show")
    assert "[edit crossing mynumber lgwan]" in editing.run("up")
    assert "permit 10 {" in editing.run("show")
    assert "[edit" not in editing.run("top")


def test_console_filters_and_counts(console):
    assert console.run("show configuration | match permit | count").strip() == "1"
    assert "tcp" not in console.run("show configuration service echo | except tcp")
    assert "allowed: | match" in console.run("show configuration | grep x")


def test_console_shows_live_state(console):
    separation = console.run("show separation")
    assert re.search(r"mynumber +internet +none +none +no path", separation), separation
    assert "eth0" in console.run("show zones")
    assert re.search(r"arbiter +\d+ +ready", console.run("show processes"))
    assert "config-loaded" in console.run("show log 100")


@pytest.mark.limit(120)
def test_console_takes_a_long_paste_whole(editing):
    """A configuration of thousands of lines arrives as it was sent."""
    permits = "".join(f"    permit {n} {{\n        destination 10.20.0.8;\n        service echo;\n"
                      f"        comment \"番号 {n}\";\n    }}\n" for n in range(11, 511))
    text = f"crossing mynumber lgwan {{\n{permits}}}\n"
    editing.send("load merge terminal\r")
    editing.expect("Ctrl-D")
    editing.send(text.replace("\n", "\r"))
    editing.send("\x04")
    editing.expect(r"(\d+) lines, (\d+) bytes")
    assert int(editing.match.group(1)) == text.count("\n")
    assert int(editing.match.group(2)) == len(text.encode())
    editing.expect(editing.PROMPT)
    assert editing.run("show | match permit | count", timeout=20).strip() == "501"
    shown = editing.run("show crossing mynumber lgwan permit 510", timeout=20)
    assert 'comment "番号 510";' in shown


def test_console_load_with_an_error_changes_nothing(editing):
    editing.send("load replace terminal\r")
    editing.expect("Ctrl-D")
    editing.send("zone a {\r  tier bogus;\r}\r\x04")
    editing.expect(r"terminal:2:8: 'bogus' is not allowed for 'tier'")
    editing.expect(editing.PROMPT)
    assert editing.run("compare").strip() == ""


def test_console_pasted_set_lines_are_all_taken(editing):
    lines = "".join(f"set service many tcp {port}\r" for port in range(2000, 2200))
    editing.send(lines)
    editing.send("show service many | count\r")
    editing.expect(r"\r\n200\r\n", timeout=30)


def test_console_configuration_survives_a_restart_of_config(gateway, console):
    """The running policy stays; the saved one is found again."""
    console.run("configure")
    console.run("set zone lgwan hold 3s")
    assert "committed" in console.run("commit", timeout=40)
    killed = gateway.kill("config")
    gateway.wait_role("config", other_than=killed)
    console.expect("config was restarted")
    console.expect(console.PROMPT)
    wait_until(lambda: "hold 3s;" in console.run("show configuration zone lgwan"), "the saved configuration", 10)


def test_console_saved_configuration_wins_at_the_next_start(gateway, editing, topology):
    editing.run("set zone lgwan hold 4s")
    assert "committed: configuration 2" in editing.run("commit", timeout=40)
    saved = sorted(p.name for p in (gateway.state / "config").iterdir() if p.name.startswith("config."))
    assert saved == ["config.00000001", "config.00000002"]
    assert gateway.stop() == 0
    newest = gateway.state / "config" / "config.00000002"
    assert "hold 4s;" in newest.read_text()


# A terminal instead of a socket: the serial line's manners.

class Terminal(Console):
    """The other end of the gateway's terminal, sized as told (0: a serial line that has no size)."""

    def __init__(self, gateway, master, timeout=10):
        super().__init__(master, gateway.directory / "terminal.txt", timeout)


def open_terminal(path, rows=0, columns=0):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    path.symlink_to(os.ttyname(slave))
    return master, slave


@pytest.fixture
def terminal(topology, tmp_path, make_gateway):
    """A gateway whose console is a terminal without a size, and its administrator there."""
    path = tmp_path / "tty"
    master, slave = open_terminal(path)
    gateway = make_gateway(CROSSING, console=path)
    terminal = Terminal(gateway, master)
    terminal.gateway = gateway
    first_boot.begin(terminal)
    yield terminal
    os.close(slave)


TAKEN_BYTES = 32 << 10  # that lie between both ends of a terminal: less than this
ROWS_AT_ONCE = 20


def follow_unread(net, terminal):
    """The terminal takes nothing any more, the log is followed, and three times 15 records come, seconds apart."""
    def told():
        return len([line for line in terminal.gateway.audit_lines() if " flow-denied " in line])
    for _ in range(80):
        terminal.send("show configuration | no-more\r")
    terminal.send("monitor log flow-denied\r")
    for port in (7100, 7200, 7300):
        time.sleep(2.5)
        before = told()
        for zone, to in (("mynumber", "10.20.0.9"), ("lgwan", "10.10.0.9"), ("internet", "10.20.0.9")):
            net.run(f"peer-{zone}", "bash", "-c", f"for p in {{{port}..{port + 4}}}; do echo >/dev/udp/{to}/$p; done")
        wait_until(lambda before=before: told() >= before + 15, "15 records")
    time.sleep(2.5)


def test_monitor_asks_nothing_while_the_terminal_takes_nothing(net, terminal):
    """L1: all but the newest are left out then, though there were never more than fit at once, and nothing is piled up."""
    follow_unread(net, terminal)
    terminal.expect_exact("until Ctrl-C:\r\n", timeout=60)
    terminal.expect(r"left out: (\d+)\r\n", timeout=60)
    assert terminal.before.count(" flow-denied ") == ROWS_AT_ONCE, terminal.before
    terminal.send("\x03")
    terminal.expect(terminal.PROMPT)


def test_monitor_interrupted_drops_what_the_terminal_has_not_taken(net, terminal):
    """L1: the prompt, and what is done next, do not stand behind old rows."""
    follow_unread(net, terminal)
    terminal.send("\x03")
    terminal.expect_exact("^C\r\n", timeout=60)
    assert len(terminal.before) < TAKEN_BYTES < 80 * len(terminal.gateway.config_path.read_text())
    terminal.expect(terminal.PROMPT)
    assert "Sekisho" in terminal.run("show version")


def test_console_asks_a_serial_line_for_its_size_and_goes_on_without(terminal):
    """Also when it comes back after `exit`."""
    terminal.send("exit\r")
    terminal.expect_exact("\x1b[6n", timeout=20)
    terminal.expect("試験市")
    first_boot.log_in(terminal)
    assert "tcp 7000" in terminal.run("show configuration service echo")


def test_console_takes_a_terminal_that_never_answers_for_80_by_24(terminal):
    """A page is full behind 23 rows, and a line that is typed goes on in the next row behind column 80."""
    terminal.send("help\r")
    terminal.expect_exact("-- more --")
    shown = terminal.before.splitlines()[1:-1]
    took = sum(max(1, -(-len(line) // 80)) for line in shown)
    assert 20 <= took <= 23, shown
    terminal.send("q")
    terminal.expect(terminal.PROMPT)
    terminal.send("x" * 100 + "\x03")
    terminal.expect(terminal.PROMPT)
    rows = re.findall(r"x+", terminal.before)
    assert [len(row) for row in rows] == [80 - len("sekisho-test> "), 100 - 80 + len("sekisho-test> ")], rows


def test_console_stops_at_full_pages_of_the_size_that_was_reported(terminal):
    terminal.send("\x1b[10;60R")
    terminal.send("show configuration\r")
    terminal.expect_exact("-- more --")
    assert len(terminal.before.splitlines()) <= 11
    terminal.send(" ")
    terminal.expect_exact("-- more --")
    terminal.send("\r")
    terminal.expect_exact("-- more --")
    terminal.send("q")
    terminal.expect(terminal.PROMPT)
    assert "-- more --" not in terminal.run("show configuration | no-more")


def test_console_page_with_lines_that_wrap_fits_the_screen(terminal):
    """A narrow terminal: nothing of a page has left the screen when the next one is asked for, in one row that is wiped out then."""
    for rows, columns in ((10, 40), (24, 20)):
        terminal.send(f"\x1b[{rows};{columns}R")
        terminal.send("help\r")
        terminal.expect_exact("-- more --")
        shown = terminal.before.splitlines()[1:]
        took = sum(max(1, -(-len(line) // columns)) for line in shown[:-1])
        assert rows // 2 <= took <= rows - 1, shown
        terminal.send("q")
        terminal.expect_exact("\r\x1b[K")
        assert len("-- more --" + terminal.before) <= columns, terminal.before
        terminal.expect(terminal.PROMPT)


def test_console_interrupt_leaves_a_page(terminal):
    terminal.send("show configuration\r")
    terminal.expect_exact("-- more --")
    terminal.send("\x03")
    terminal.expect(terminal.PROMPT)


# What is saved, damaged, missing, wrong.

def restart(make_gateway, state):
    gateway = make_gateway(CROSSING, state=state)
    console = gateway.console()
    console.expect(console.PROMPT)
    return gateway, console


def commit_twice(editing):
    for seconds in (2, 3):
        editing.run(f"set zone lgwan hold {seconds}s")
        assert "committed" in editing.run("commit", timeout=40)


def test_console_last_good_configuration_when_the_newest_is_damaged(gateway, editing, make_gateway):
    """L3: a damaged file is an event, the one before it is used."""
    commit_twice(editing)
    assert gateway.stop() == 0
    newest = gateway.state / "config" / "config.00000003"
    newest.write_bytes(newest.read_bytes().replace(b"hold 3s", b"hold 9s"))
    again, console = restart(make_gateway, gateway.state)
    again.wait_event("config-damaged", 'commit="3"')
    assert "hold 2s;" in console.run("show configuration zone lgwan")


def test_console_checks_what_is_saved(gateway, editing):
    """L3: on demand, recorded with the person; damage is an event and an alarm, the running one is written again, the clause follows."""
    commit_twice(editing)
    kept = [gateway.state / "config" / f"config.{n:08}" for n in (1, 2, 3)]
    before = [path.read_bytes() for path in kept]
    gateway.wait_event("config-checked", 'reason="start"')
    assert "3 saved configurations, 0 damaged" in editing.run("run check saved")
    gateway.wait_event("config-checked", 'reason="command"', 'count="3"', 'console="')
    assert re.search(r"L3 +met", editing.run("run show compliance L3"))
    kept[1].write_bytes(before[1].replace(b"hold 2s", b"hold 9s"))
    kept[2].unlink()
    said = editing.run("run check saved")
    assert "configuration 2 is not as it was saved (integrity): left as it is" in said, said
    assert "configuration 3 is not as it was saved" in said and "written again from what runs" in said, said
    assert "3 saved configurations, 2 damaged" in said
    gateway.wait_event("saved-damaged", 'commit="2"', 'detail="left', 'console="')
    gateway.wait_event("saved-damaged", 'commit="3"', 'detail="written again', 'console="')
    assert kept[2].read_bytes() == before[2]
    assert re.search(r"L3 +not met", editing.run("run show compliance L3"))
    assert "saved-damaged" in editing.run("run show alarms")
    kept[1].write_bytes(before[1])
    assert "3 saved configurations, 0 damaged" in editing.run("run check saved")
    assert re.search(r"L3 +met", editing.run("run show compliance L3"))
    wait_until(lambda: "saved-damaged" not in editing.run("run show alarms"), "the alarm to end")


@pytest.mark.limit(120)
def test_console_denies_all_when_every_saved_configuration_is_damaged(gateway, editing, make_gateway, topology, net):
    """L3, C2: nothing is permitted and the console is there; never the file of the first start again."""
    commit_twice(editing)
    assert gateway.stop() == 0
    for path in (gateway.state / "config").glob("config.*"):
        path.write_bytes(path.read_bytes()[:-5])
    again, console = restart(make_gateway, gateway.state)
    again.wait_event("config-loaded", "deny-all")
    assert console.run("show configuration").strip() == ""
    assert not [n for n in os.listdir(NETNS_DIR) if n.startswith(again.prefix)]
    console.run("configure")
    console.send("load replace terminal\r" + again.config_path.read_text().replace("\n", "\r") + "\x04")
    console.expect(console.PROMPT)
    assert "committed: configuration 4" in console.run("commit", timeout=40)


def test_console_first_start_with_a_wrong_file_denies_all_and_says_why(make_gateway):
    gateway = make_gateway("crossing mynumber internet { permit 1 { destination 203.0.113.5; service none; } }")
    assert "config:5:66: " in gateway.log() and "no service is named 'none'" in gateway.log()
    gateway.wait_event("config-refused")
    assert not [n for n in os.listdir(NETNS_DIR) if n.startswith(gateway.prefix)]


def test_console_commit_that_the_kernel_refuses_changes_nothing(gateway, editing):
    """A port that does not exist: the supervisor says no, and what ran runs on."""
    editing.run("set zone lgwan port eth9")
    text = editing.run("commit", timeout=40)
    assert "refused, nothing was changed" in text, text
    assert "port eth1;" in editing.run("run show configuration zone lgwan")
    gateway.wait_event("commit-refused")
    assert [p.name for p in (gateway.state / "config").glob("config.*")] == ["config.00000001"]


def test_console_test_flow_answers_by_the_arbiter(console):
    """C2: the same verdict as a packet would get, and the permit that gives it."""
    text = console.run("test flow mynumber 10.10.0.5 10.20.0.8 tcp 7000")
    assert re.search(r"permit +permitted +mynumber +lgwan +10", text), text
    text = console.run("test flow mynumber 10.10.0.5 10.20.0.8 tcp 7001")
    assert re.search(r"deny +no-permit +mynumber +lgwan +none", text), text
    assert re.search(r"deny +no-crossing +mynumber", console.run("test flow mynumber 10.10.0.5 203.0.113.5 icmp"))
    assert re.search(r"deny +spoofed", console.run("test flow lgwan 10.10.0.5 10.20.0.8 udp 53"))
    assert "tcp and udp need a port" in console.run("test flow lgwan 10.20.0.8 10.10.0.5 tcp")
    assert "no zone has this name" in console.run("test flow dmz 10.20.0.8 10.10.0.5 tcp 1")
