# SPDX-License-Identifier: GPL-2.0-or-later
"""`zeroise` on the firmware (L5, ADR 609): two persons have the data disk wiped; what was on it is on it no more, through power cuts,
and that is on record."""

import hashlib
import re
import subprocess

import pytest

from lib import first_boot
from lib.appliance import ZONES, commit
from lib.peers import Syslog
from lib.qemu import PATIENCE_SECONDS, blank_disk
from lib.waiting import wait_until

DISK_MB = 64
MARK_BYTES = 1024
MIDDLE = 52 << 20   # octet of the disk that nothing but the wipe touches at a start
SYSLOG = ["system syslog zone lgwan", "system syslog server 10.20.0.20"]
SECOND, SECOND_PASSWORD = "tanaka", "Umi/ni-36-fune"
CANARY = "canary-7b1f"
REASON = "replaced by gateway 2"
ASKED = "type zeroise in full, or no: $"


def ask(console, answer, word="zeroise", password=first_boot.PASSWORD, reason=REASON):
    """The command, up to what is said of it. Return: what was shown before the word was asked for."""
    console.send(f"zeroise {reason}\r")
    console.expect(ASKED, timeout=PATIENCE_SECONDS)
    shown = console.before
    console.send(word + "\r")
    if word == "zeroise":
        console.expect("present password: $", timeout=PATIENCE_SECONDS)
        console.send(password + "\r")
    console.expect(answer, timeout=PATIENCE_SECONDS)
    return shown


def is_proposal(shown, reason=REASON):
    """Whether a wipe by the first administrator, why and until when stand there."""
    return re.search(rf"{first_boot.ADMINISTRATOR} +{reason} +20\d\d-\d\d-\d\dT[\d:]+Z", shown) is not None


def go_on(console):
    console.expect(console.PROMPT, timeout=PATIENCE_SECONDS)
    return console


def leave(console):
    console.send("exit\r")
    console.expect("(?:login|利用者名): $", timeout=PATIENCE_SECONDS)


def employ(board):
    """A second administrator, with a password of their own; then the rule of two persons holds. The first one sits there."""
    console = board.console
    commit(console, *ZONES, *SYSLOG, f"zone lgwan description {CANARY}", f"login user {SECOND} role administrator")
    secret = re.search(rf"temporary password of {SECOND}: (\S+)", console.run(f"account reset {SECOND}", timeout=PATIENCE_SECONDS))[1]
    leave(console)
    first_boot.log_in(console, SECOND, secret, choose=SECOND_PASSWORD)
    leave(console)
    first_boot.log_in(console)
    commit(console, "login two-person")


def told(board):
    """The certificate that process 1 prints, as lines by their first words, and its signed text."""
    board.console.expect("---- certificate of the wipe", timeout=PATIENCE_SECONDS)
    board.console.expect(r"\r?\n(.*?)---- end", timeout=PATIENCE_SECONDS)
    text = board.console.match.group(1).replace("\r", "")
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line), text


def is_signed(directory, key, text, signature):
    """Whether openssl takes the signature (Ed25519, RFC 8032) of the text for one by the key, a PEM."""
    for name, content in (("key", key), ("text", text), ("signature", signature)):
        (directory / name).write_bytes(content)
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", directory / "key", "-rawin", "-in", directory / "text",
                           "-sigfile", directory / "signature"], capture_output=True, text=True, check=False)
    return done.returncode == 0


def is_marked(disk):
    return disk.read_bytes()[:len("# sekisho-zeroise")] == b"# sekisho-zeroise"


def cut_in_the_random_octets(board, disk):
    """The power goes in the first pass: the machine stands at a write to the middle of the disk."""
    board.stands_at = ("write", MIDDLE // 512)
    board.power_on()
    board.wait_line("zeroise: random octets", PATIENCE_SECONDS)
    board.power_cut()
    assert is_marked(disk)


def cut_in_the_reading_back(board, disk):
    """The power goes in the last pass: the machine stands at a read of the middle."""
    board.stands_at = ("read", MIDDLE // 512)
    board.power_on()
    board.wait_line("zeroise: zeros", PATIENCE_SECONDS)
    wait_until(lambda: not any(disk.read_bytes()[MARK_BYTES:]), "zeros all over the disk", PATIENCE_SECONDS, 0.5)
    board.power_cut()
    assert is_marked(disk)


@pytest.mark.limit(900)
def test_zeroise_takes_two_persons_leaves_nothing_through_power_cuts_and_certifies_it(machine, net, wires, tmp_path):
    """Word, password and reason, of two persons; the syslog server has the record; two power cuts; then every octet of the disk is
    zero, the certificate is signed by the key that was on it, and the dialogue of a first start follows."""
    syslog = Syslog(net, "peer-lgwan", "10.20.0.20")
    disk = blank_disk(tmp_path / "data.img", DISK_MB)
    board = machine(data=disk, wires=wires)
    board.power_on()
    board.wait_ready(90)
    first_boot.begin(board.console)
    employ(board)
    syslog.wait_line("syslog-configured", "sekisho-test", seconds=PATIENCE_SECONDS)
    key = re.search(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", board.console.run("show device-key | no-more"),
                    re.DOTALL)[0].replace("\r", "").encode() + b"\n"

    assert "nothing waits" in board.console.run("show pending")
    assert not is_proposal(ask(board.console, "nothing is done", word="no"))
    ask(go_on(board.console), "the present password is wrong", password="Wrong-no-1-pass")
    for _ in range(2):  # the same person twice is one
        ask(go_on(board.console), "proposed: another administrator has 30 minutes")
    shown = go_on(board.console).run("show log 200 | no-more")
    assert shown.count(" zeroise-proposed ") == 2 and " zeroise-ordered " not in shown, "one person alone did it"
    for text in (CANARY, "config.0", first_boot.ADMINISTRATOR, SECOND, "zeroise-proposed"):     # else its absence would show nothing
        wait_until(lambda text=text: text.encode() in disk.read_bytes(), f"{text} on the disk", PATIENCE_SECONDS)
    leave(board.console)
    first_boot.log_in(board.console, SECOND, SECOND_PASSWORD)

    pending = board.console.run("show pending")
    assert is_proposal(pending) and "nothing waits" not in pending
    assert is_proposal(ask(board.console, r"\n", password=SECOND_PASSWORD, reason="I agree")), "approved unseen"
    board.wait_off(60)
    syslog.wait_line("zeroise-ordered", f'user="{SECOND}"', f'name="{first_boot.ADMINISTRATOR}"', f'reason="{REASON}"',
                     seconds=PATIENCE_SECONDS)

    cut_in_the_random_octets(board, disk)
    cut_in_the_reading_back(board, disk)
    board.stands_at = None
    board.power_on()
    lines, text = told(board)
    board.console.expect("Enter when you have kept the certificate", timeout=PATIENCE_SECONDS)
    assert disk.read_bytes().count(0) == DISK_MB << 20, "something is left"

    assert (lines["person"], lines["approver"], lines["reason"]) == (first_boot.ADMINISTRATOR, SECOND, REASON)
    assert lines["bytes"] == str(DISK_MB << 20) and re.fullmatch("[01] of 1", lines["syslog-servers-sent-to"])
    assert hashlib.sha256(lines["completion-code"].encode()).hexdigest() == lines["completion-sha256"]
    assert text.startswith("sekisho zeroise\n")
    signed, signature = text[:text.index("signature ")].encode(), bytes.fromhex(lines["signature"])
    assert is_signed(tmp_path, key, signed, signature) and not is_signed(tmp_path, key, signed + b"\n", signature)

    board.console.send("\r")
    board.wait_line("is blank: making the data partition", PATIENCE_SECONDS)
    board.console.expect(first_boot.LANGUAGE, timeout=PATIENCE_SECONDS)
