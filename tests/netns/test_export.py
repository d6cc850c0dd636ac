# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration leaves and comes back under a passphrase (C6), over the console's line."""

import base64
import contextlib
import re
import signal
import struct
import subprocess
import threading
import time

from lib import processes
from lib.gateway import SEKISHO
from lib.waiting import kept_within

PHRASE = "いろはにほへと 2026 Karasu"
SERVICE = "service backup-test { tcp 7000; }"
BLOCK = re.compile(r"-----BEGIN SEKISHO CONFIGURATION-----.*?-----END SEKISHO CONFIGURATION-----", re.S)
PATIENCE_S = 60
ROUNDS_AT, ROUNDS_MAX = 8, 2000000     # in the head of an export
DERIVING = r"deriving the key .*\n"
SLOW_STEP_S, SLOWER = 0.004, 25
INTERRUPTED_WITHIN_S = 4                # a derivation of ROUNDS_MAX, slowed so, takes more than 10


def exported(console, phrase=PHRASE):
    console.send("export\r")
    for prompt in ("passphrase: $", "the same again: $"):
        console.expect(prompt)
        console.send(phrase + "\r")
    console.expect(console.PROMPT, timeout=PATIENCE_S)
    return console.before


def imported(console, text, phrase):
    console.run("configure")
    console.send("import\r")
    console.expect("Ctrl-D")
    console.send(text.replace("\n", "\r") + "\r\x04")
    console.expect("passphrase: $", timeout=PATIENCE_S)
    console.send(phrase + "\r")
    console.expect(console.PROMPT, timeout=PATIENCE_S)
    return console.before


def opened(tmp_path, text, phrase):
    (tmp_path / "export").write_text(text)
    (tmp_path / "phrase").write_text(phrase + "\n")
    return subprocess.run([SEKISHO, "open-export", "--passphrase", tmp_path / "phrase", tmp_path / "export"],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def with_rounds(block, rounds):
    """An export as another gateway might make it, which takes as long as it likes to derive a key for. It is not whole."""
    first, *lines, last = block.splitlines()
    raw = bytearray(base64.b64decode("".join(lines)))
    struct.pack_into(">I", raw, ROUNDS_AT, rounds)
    text = base64.b64encode(raw).decode()
    return "\n".join([first, *(text[i:i + 76] for i in range(0, len(text), 76)), last])


@contextlib.contextmanager
def slowed(pid):
    """A machine that is slow and busy, for one process: it has one part in SLOWER of the time."""
    def hold_back():
        while not over.wait(SLOW_STEP_S):
            processes.send(pid, signal.SIGSTOP)
            over.wait(SLOW_STEP_S * (SLOWER - 1))
            processes.send(pid, signal.SIGCONT)
    over = threading.Event()
    holding = threading.Thread(target=hold_back)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


def interrupt(console):
    """Ctrl-C; return how many seconds it took for the prompt to come back."""
    begin = time.monotonic()
    console.send("\x03")
    console.expect(console.PROMPT, timeout=PATIENCE_S)
    return time.monotonic() - begin


def test_export_comes_back_by_import_and_offline(make_gateway, tmp_path):
    """C6, L4: what was printed is the running configuration, opened by `sekisho` elsewhere and by `import`; it is recorded."""
    gateway = make_gateway(SERVICE)
    console = gateway.open_console()
    running = console.run("show configuration | no-more")
    text = exported(console)
    assert PHRASE not in text and "backup-test" not in text, "neither is shown"
    gateway.wait_event("config-exported", seconds=20)
    block = BLOCK.search(text).group(0)
    offline = opened(tmp_path, text, PHRASE)
    assert offline.returncode == 0 and offline.stdout.split() == running.split()
    console.commit("delete service backup-test")
    assert "backup-test" not in console.run("show configuration | no-more")
    assert "not whole" not in imported(console, block.replace("\r", ""), PHRASE)
    assert re.search(r"\+ +service backup-test", console.run("compare")), "a candidate like any other"
    gateway.wait_event("config-imported", seconds=20)
    assert "committed" in console.run("commit", timeout=40)
    console.run("exit")
    assert console.run("show configuration | no-more").split() == running.split()


def test_export_wrong_or_damaged_changes_nothing(make_gateway, tmp_path):
    """C6: a wrong passphrase and a damaged export are told by the same words; the candidate stays as it was."""
    console = make_gateway(SERVICE).open_console()
    block = BLOCK.search(exported(console)).group(0).replace("\r", "")
    lines = block.splitlines()
    damaged = "\n".join([lines[0], lines[2], lines[1], *lines[3:]])
    said = set()
    for text, phrase in ((block, PHRASE + "x"), (damaged, PHRASE), ("\n".join(lines[:-1]), PHRASE)):
        said.add(imported(console, text, phrase).splitlines()[-1])
        assert console.run("compare").strip() == ""
        console.run("exit")
        offline = opened(tmp_path, text, phrase)
        assert offline.returncode == 1 and offline.stdout == "" and "not whole" in offline.stderr
    assert "more than 254 bytes" in opened(tmp_path, block, "x" * 255).stderr
    assert said == {"the passphrase is another one, or the export is not whole; nothing was loaded"}


def test_export_asks_for_a_good_passphrase_twice(make_gateway):
    """C6: short ones and two that differ export nothing; Ctrl-C leaves; in Japanese too."""
    console = make_gateway(SERVICE).open_console()
    assert "at least 16 characters" in exported(console, "fifteen letters")
    console.send("export\r")
    for prompt, phrase in (("passphrase: $", PHRASE), ("the same again: $", PHRASE + "!")):
        console.expect(prompt)
        console.send(phrase + "\r")
    console.expect(console.PROMPT)
    assert "the two differ" in console.before and "BEGIN" not in console.before
    console.send("export\r")
    console.expect("passphrase: $")
    console.send("x" * 132 + "\r")
    console.expect(console.PROMPT)
    assert "at most 131 bytes" in console.before, "one that would be cut in silence opens nothing later"
    assert "BEGIN" in exported(console, "x" * 131)
    console.run("terminal language ja")
    console.send("export\r")
    console.expect("パスフレーズ: $")
    console.send("\x03")
    console.expect(console.PROMPT)
    assert "BEGIN" not in console.before


def test_export_gives_up_its_key_by_ctrl_c_at_once(make_gateway):
    """A5, C6: the console hears while a key is derived, on a slow machine too. What was given up is neither printed, loaded nor
    recorded."""
    gateway = make_gateway(SERVICE)
    console = gateway.open_console()
    [pid] = gateway.pids("console")
    block = BLOCK.search(exported(console)).group(0).replace("\r", "")
    with slowed(pid):
        console.send("export\r")
        for prompt in ("passphrase: $", "the same again: $"):
            console.expect(prompt)
            console.send(PHRASE + "\r")
        console.expect(DERIVING)
        kept_within(lambda: interrupt(console), INTERRUPTED_WITHIN_S)
        assert "BEGIN" not in console.before
    console.run("configure")
    console.send("import\r")
    console.expect("Ctrl-D")
    console.send(with_rounds(block, ROUNDS_MAX).replace("\n", "\r") + "\r\x04")
    console.expect("passphrase: $")
    with slowed(pid):
        console.send(PHRASE + "\r")
        console.expect(DERIVING)
        kept_within(lambda: interrupt(console), INTERRUPTED_WITHIN_S)
    assert "not whole" not in console.before and console.run("compare").strip() == ""
    assert "not whole" in imported(console, with_rounds(block, ROUNDS_MAX), PHRASE), "otherwise it comes to its end"
    console.run("exit")
    assert "not whole" not in imported(console, block, PHRASE)
    gateway.wait_event("config-imported", seconds=20)       # config's next record behind those of exports
    assert sum("config-exported" in line for line in gateway.audit_lines()) == 1
