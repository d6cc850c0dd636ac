# SPDX-License-Identifier: GPL-2.0-or-later
"""What an administrator does over the serial line of the firmware in QEMU, which is a pseudo-terminal here (A5, C1, C2): every
command in both languages, Ctrl-C where one asks for something, a long paste at 115200."""

import os
import subprocess
import termios
import time

import pytest

from lib import first_boot
from lib.appliance import PERMIT, ZONES, commit
from lib.qemu import Machine, blank_disk

CONSOLE = os.environ.get("CONSOLE", "/out/libexec/console")
INTERRUPT, END = "\x03", "\x04"
BYTES_A_SECOND = 11520      # 115200 baud, 8N1
CHUNK = 576
PASTED_PERMITS = 400        # of five lines each
LEAVING = {"configure", "exit", "quit"}     # they leave the prompt that they are typed at, and are typed between the others
# At the beginning of a line and by name: any other colon may only be where the output has got to by now.
ASKS = [r"Ctrl-D.*\n", r"\n(?:(?:present |new )?password|passphrase|first code|現在のパスワード|パスフレーズ|最初のコード): $",
        r"\n(?:password, then Enter \(Ctrl-C: give up\)|パスワードを入力し.*\(Ctrl-C: 中止\)): $",
        r"\[yes/no\] $", r"\n(?:new records, until Ctrl-C|新しい記録 \(Ctrl-Cで終了\)):\r\n"]
ANSWER_SECONDS = 90         # an emulator on a busy host derives keys slowly


def printed_commands(*modes):
    """The words of every command of these modes, as the program itself prints its table."""
    done = subprocess.run([CONSOLE, "--print-commands=words"], capture_output=True, check=True, text=True, timeout=20)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [words for mode, words in rows if mode in modes and words not in LEAVING]


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """The console of one machine with three zones and a permit; its administrator sits there."""
    directory = tmp_path_factory.mktemp("machine")
    board = Machine(directory, data=blank_disk(directory / "data.img"), terminal=True)
    board.power_on()
    try:
        board.wait_ready(60)
        first_boot.begin(board.console)
        commit(board.console, *ZONES, *PERMIT)
        board.console.run("terminal length 0")
        yield board.console
    finally:
        board.stop()


def answer(console, words):
    """What a command says that is typed without arguments. Where it asks for something, Ctrl-C leads back to the prompt."""
    console.send(words + "\r")
    seen = ""
    if console.expect([console.PROMPT, *ASKS], timeout=ANSWER_SECONDS) > 0:
        seen = console.before + console.after
        console.send(INTERRUPT)
        console.expect(console.PROMPT, timeout=ANSWER_SECONDS)
    return "\n".join((seen + console.before).splitlines()[1:])


@pytest.mark.limit(240)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_serial_line_runs_every_command(console, language):
    """Each is known in its mode, answers or asks, and the prompt comes back; a command that is added is run here, too."""
    operational, configure = printed_commands("operational", "both"), printed_commands("configure", "both")
    assert len(operational) > 40 and len(configure) > 25
    console.run(f"terminal language {language}")
    for words in operational:
        said = answer(console, words)
        assert said.strip() and not said.startswith("console:1:"), (words, said)
    console.run("configure")
    for words in configure:
        said = answer(console, words)
        assert "unknown command" not in said and "不明なコマンド" not in said, (words, said)
    console.run("discard")
    console.run("exit")
    console.run("terminal language en")
    console.run("terminal length 0")


def test_serial_line_runs_at_115200(console):
    """The guest has set the speed of the pseudo-terminal, through QEMU's 16550."""
    _, _, cflag, _, speed_in, speed_out, _ = termios.tcgetattr(console.child_fd)
    assert (speed_in, speed_out) == (termios.B115200, termios.B115200)
    assert cflag & termios.CSIZE == termios.CS8 and not cflag & (termios.PARENB | termios.CSTOPB)


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
