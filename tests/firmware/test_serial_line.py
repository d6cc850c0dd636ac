# SPDX-License-Identifier: GPL-2.0-or-later
"""What an administrator does over the serial line of the firmware in QEMU, which is a pseudo-terminal here (A5, C1, C2): every
command with arguments in both languages, Ctrl-C at each question, windows of several sizes, a long paste at 115200."""

import os
import termios
import time
import unicodedata

import pexpect
import pytest

from lib import first_boot
from lib.appliance import commit
from lib.certificates import Authority
from lib.command_lines import BOTH, CONFIGURE, OPERATIONAL, Walk
from lib.qemu import PATIENCE_SECONDS, Machine, copy_disk

INTERRUPT, END = "\x03", "\x04"
BYTES_A_SECOND = 11520      # 115200 baud, 8N1
CHUNK = 576
PASTED_PERMITS = 400        # of five lines each
PERSONS = ("login user sato role operator", "screen-user tanaka group staff")


@pytest.fixture(scope="module")
def console(disk_in_use, tmp_path_factory):
    """The console of one machine with three zones and a permit; its administrator sits there."""
    directory = tmp_path_factory.mktemp("machine")
    with Machine(directory, data=copy_disk(disk_in_use, directory / "data.img"), terminal=True) as board:
        board.power_on()
        board.wait_ready(60)
        first_boot.log_in(board.console)
        commit(board.console, *PERSONS)
        board.console.run("terminal length 0")
        board.console.run("terminal width 200")
        board.console.password = first_boot.PASSWORD
        yield board.console


def answered(console):
    """What was said up to the prompt, without the echo of the line."""
    console.expect(console.PROMPT, timeout=PATIENCE_SECONDS)
    return console.before


def type_up_to(console, line, walk, question):
    """Type a line and answer its questions up to this one, which stands there then unanswered. Return what was said so far."""
    console.send(line.typed + "\r")
    said = ""
    for asked in line.questions[:question]:
        console.expect(asked.asked, timeout=PATIENCE_SECONDS)
        said = walk.seen = said + console.before + console.after
        console.send(asked.answer(walk))
    return said


def interrupt(console, line, walk, question):
    """Ctrl-C where it asks: the prompt comes back, and what the command would have said is not said."""
    said = type_up_to(console, line, walk, question)
    console.expect(line.questions[question].asked, timeout=PATIENCE_SECONDS)
    said += console.before + console.after
    console.send(INTERRUPT)
    said += answered(console)
    assert not line.is_said(walk.language, said), (line.typed, question, said)


def run(console, line, walk):
    """Every question that stands until it is answered is left once by Ctrl-C; then all of them are answered."""
    for number, question in enumerate(line.questions):
        if question.stands:
            interrupt(console, line, walk, number)
    if line.is_endless():
        return
    said = type_up_to(console, line, walk, len(line.questions)) + answered(console)
    said = "\n".join(said.splitlines()[1:])
    assert line.says[walk.language] is None or line.is_said(walk.language, said), (line.typed, said)
    if line.words == "export":
        walk.export = said[said.index("-----BEGIN"):].strip() + "\n"


def run_all(console, lines, walk):
    """Behind an answer that never came nothing else can be typed; what was wrong before it may be why."""
    failures = []
    for line in lines:
        try:
            run(console, line, walk)
        except pexpect.TIMEOUT:
            failures.append(f"{line.typed} ({walk.language}): nothing more than {console.before[-600:]!r}")
            break
        except AssertionError as wrong:
            failures.append(str(wrong))
    assert not failures, "\n".join(failures)


def leave_and_log_in(console, word, walk):
    """`exit` and `quit` end the session; name and password are left by Ctrl-C once each."""
    console.send(word + "\r")
    console.expect("(?:login|利用者名): $", timeout=PATIENCE_SECONDS)
    console.send(INTERRUPT)
    console.expect("(?:login|利用者名): $", timeout=PATIENCE_SECONDS)
    console.send(first_boot.ADMINISTRATOR + "\r")
    console.expect("(?:password|パスワード): $", timeout=PATIENCE_SECONDS)
    console.send(INTERRUPT)
    console.expect("(?:login|利用者名): $", timeout=PATIENCE_SECONDS)
    first_boot.log_in(console, password=walk.password)


def go_through(console, walk, leave):
    """Every line in its mode. leave: the word that ends both modes."""
    run_all(console, (*OPERATIONAL, *BOTH), walk)
    console.run("configure")
    run_all(console, (*BOTH, *CONFIGURE), walk)
    console.run(leave)
    leave_and_log_in(console, leave, walk)


def test_serial_line_says_that_nothing_waits(console):
    """... as long as nothing does: the commands below leave emergencies."""
    assert "nothing waits" in console.run("show pending").splitlines()
    console.run("terminal language ja")
    assert "保留中のものはありません" in console.run("show pending").splitlines()
    console.run("terminal language en")


@pytest.mark.limit(240)
@pytest.mark.parametrize("language,leave", [("en", "exit"), ("ja", "quit")])
def test_serial_line_runs_every_command(console, language, leave):
    """With valid arguments; each question of each command is left by Ctrl-C before all are answered."""
    console.run(f"terminal language {language}")
    walk = Walk(language, Authority(), password=console.password)
    try:
        go_through(console, walk, leave)
    finally:
        console.password = walk.password
    console.run("terminal length 0")
    console.run("terminal width 200")


def test_serial_line_runs_at_115200(console):
    """The guest has set the speed of the pseudo-terminal, through QEMU's 16550."""
    _, _, cflag, _, speed_in, speed_out, _ = termios.tcgetattr(console.child_fd)
    assert (speed_in, speed_out) == (termios.B115200, termios.B115200)
    assert cflag & termios.CSIZE == termios.CS8 and not cflag & (termios.PARENB | termios.CSTOPB)


def rows_of(line, columns):
    """Rows that a line takes where a wide character that the right margin would cut stands on the next row whole."""
    rows, column = 1, 0
    for character in line:
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if column + width > columns:
            rows, column = rows + 1, 0
        column += width
    return rows


@pytest.mark.parametrize("rows,columns", [(24, 20), (10, 40), (24, 80), (50, 132)])
def test_serial_line_pages_fit_windows_of_any_size(console, rows, columns):
    """The terminal says its size as a resized window does; a page of it, in either language, leaves no row above the screen. A line
    that is longer than the window is taken whole."""
    for language in ("ja", "en"):
        console.run(f"terminal language {language}")
        console.send(f"\x1b[{rows};{columns}R")
        console.send("help\r")
        console.expect(r"-- (?:more|続き) --", timeout=PATIENCE_SECONDS)
        shown = console.before.splitlines()[1:-1]
        took = sum(rows_of(line, columns) for line in shown)
        assert rows // 2 <= took <= rows - 1, (language, shown)
        asked = console.after
        console.send(INTERRUPT)
        console.expect(console.PROMPT, timeout=PATIENCE_SECONDS)
        asked += console.before.split("\r")[0]
        assert rows_of(asked, columns) == 1, (language, asked)
    console.run("configure")
    long = "a" * 100
    console.run(f"set zone lgwan description {long}")
    assert f'description "{long}";' in console.run("show zone lgwan | no-more")
    console.run("discard")
    console.run("exit")
    console.send("\x1b[50;200R")
    console.run("terminal length 0")
    console.run("terminal width 200")


def send_at_the_speed_of_the_line(console, text):
    data = text.encode()
    begin = time.monotonic()
    for at in range(0, len(data), CHUNK):
        time.sleep(max(0, begin + at / BYTES_A_SECOND - time.monotonic()))
        os.write(console.child_fd, data[at:at + CHUNK])


def many_permits():
    """PASTED_PERMITS permits in canonical form: 2,000 lines."""
    return "".join(f"    permit {n} {{\n        destination 10.20.0.8;\n        service records;\n"
                   f'        comment "住基 {n}";\n    }}\n' for n in range(1001, 1001 + PASTED_PERMITS))


@pytest.mark.limit(120)
def test_serial_line_takes_a_paste_of_2000_lines_at_115200(console):
    """Nothing is lost, and what is shown afterwards is what was pasted, byte for byte."""
    permits = many_permits()
    assert permits.count("\n") == 2000
    text = f"crossing mynumber lgwan {{\n{permits}}}\n"
    console.run("configure")
    console.send("load merge terminal\r")
    console.expect("Ctrl-D")
    send_at_the_speed_of_the_line(console, text.replace("\n", "\r") + END)
    console.expect(rf"{text.count(chr(10))} lines, {len(text.encode())} bytes")
    console.expect(console.PROMPT)
    assert permits in console.run("show | no-more") + "\n"
    console.run("discard")
    console.run("exit")
