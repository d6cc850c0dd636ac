# SPDX-License-Identifier: GPL-2.0-or-later
"""A memory stick at the console (C6, A6): what is saved is read by other implementations and loaded on a second appliance; a
stick that is something else, or holds anything, gets nothing applied and is told of; and while USB is off no device is used."""

import hashlib
import re
import time

import pytest

from lib import first_boot, sticks
from lib.appliance import ZONES, commit
from lib.qemu import PATIENCE_SECONDS, until_runs
from lib.waiting import wait_until

SAVED = r"saved and read back: (\d+) bytes, SHA-256 ([0-9a-f]{64})"
SWITCHED_OFF = "memory sticks are switched off; see system usb"
PHRASE = "mukashi mukashi aru tokoro"
USB_ON = "system usb on"


def start(machine, **options):
    """A gateway that is set up, with its first administrator at the console."""
    board = machine(usb=True, wires=(None, None, None), **options)
    board.power_on()
    board.wait_ready(60)
    first_boot.begin(board.console)
    board.console.run("terminal width 500")
    board.console.run("terminal length 0")
    return board


def wait_plugged(board, count=1):
    """Wait until the appliance sees so many devices."""
    def seen():
        return len(re.findall(r"^\d+-\d+ ", board.console.run("show usb"), re.MULTILINE)) == count

    wait_until(seen, "the devices", PATIENCE_SECONDS, 1)


def wait_switched_off(board):
    """Behind a commit that takes sticks off: until the controllers are switched, which is when the appliance says so."""
    wait_until(lambda: SWITCHED_OFF in board.console.run("show usb"), "USB to be off", PATIENCE_SECONDS, 1)


def plug(board, name, image=None, count=1, **options):
    board.plug(name, image, **options)
    wait_plugged(board, count)


def ask(board, line):
    """A command that uses the stick; what it said."""
    return board.console.run(line, timeout=2 * PATIENCE_SECONDS)


def events(board, name):
    return [line for line in ask(board, f"show log 200 | match {name}").splitlines() if f" {name} " in line]


def load(board, line):
    """What a load said, and what would be changed then."""
    board.console.run("configure")
    said = ask(board, line)
    changes = board.console.run("compare")
    board.console.run("discard")
    board.console.run("exit")
    return said, changes.strip()


@pytest.mark.limit(900)
def test_usb_configuration_moves_to_a_second_appliance(machine, tmp_path):
    """Saved as text and under a passphrase onto FAT32, read by mtools, loaded from there by another gateway; each use is in the
    log with the hash of what was moved."""
    board = start(machine)
    commit(board.console, *ZONES, USB_ON)
    stick = sticks.make(tmp_path / "stick.img", "-F", "32")
    plug(board, "stick", stick)
    shown = ask(board, "show configuration")
    said = ask(board, "show configuration | usb Running-Configuration.2026.conf")
    assert re.search(SAVED, said), said
    _, digest = re.search(SAVED, said).groups()
    board.console.send("export | usb export.txt\r")
    for prompt in ("passphrase: $", "the same again: $"):
        board.console.expect(prompt, timeout=PATIENCE_SECONDS)
        board.console.send(PHRASE + "\r")
    board.console.expect(SAVED, timeout=2 * PATIENCE_SECONDS)
    board.console.expect(board.console.PROMPT, timeout=PATIENCE_SECONDS)
    began, ended = events(board, "usb-save"), events(board, "usb-saved")
    assert len(began) == 2 and len(ended) == 2
    assert f'sha256="{digest}"' in began[0] and f'user="{first_boot.ADMINISTRATOR}"' in began[0], began
    assert re.search(r'vendor="[0-9a-f]{4}"', began[0]) and re.search(r'product="[0-9a-f]{4}"', began[0]), began
    board.unplug("stick")
    board.stop()
    text = sticks.get(stick, "Running-Configuration.2026.conf")
    assert text.decode().split() == shown.split() and hashlib.sha256(text).hexdigest() == digest
    assert b"zone mynumber" not in sticks.get(stick, "export.txt"), "the export is not encrypted"
    sound, why = sticks.is_sound(stick)
    assert sound, why

    other = start(machine)
    commit(other.console, USB_ON)
    plug(other, "stick", stick)
    said, changes = load(other, "load replace usb Running-Configuration.2026.conf")
    assert "zone mynumber" in changes, said
    loaded = events(other, "usb-loaded")
    assert len(loaded) == 1 and f'sha256="{digest}"' in loaded[0]
    other.console.run("configure")
    other.console.send("import usb export.txt\r")
    other.console.expect("passphrase: $", timeout=2 * PATIENCE_SECONDS)
    said = other.console.run(PHRASE, timeout=PATIENCE_SECONDS)
    assert "zone lgwan" in other.console.run("compare"), said
    assert "committed" in other.console.run("commit", timeout=90)
    other.console.run("exit")
    assert other.console.run("show configuration").split() == shown.split()


def still(board, seconds=10):
    """Nothing is asked of any device for a while; what was asked before."""
    before = board.usb_traffic()
    time.sleep(seconds)
    assert board.usb_traffic() == before
    return before


@pytest.mark.limit(600)
def test_usb_uses_no_device_but_for_the_time_of_a_use(machine, tmp_path):
    """What the devices themselves see, from power-on: while `usb` is off, the default, none is ever configured, and behind the
    first policy none is even asked what it is; there is no disk and no node of one. While it is on they say what they are,
    and are configured for a use alone."""
    look = ("for d in /sys/bus/usb/devices/*; do echo $d $(cat $d/authorized); done; ls -1 /sys/block; ls -1d /dev/bus/usb/*/*; "
            "ls -1 /dev")
    board = machine(usb=True, wires=(None, None, None), watch=f"{until_runs('console')}; sleep 20; {look}; echo END")
    board.power_on()
    early = sticks.make(tmp_path / "early.img")
    board.plug("early", early)
    board.plug("keyboard", driver="usb-kbd")
    board.wait_ready(60)
    seen = board.wait_watched()
    assert set(re.findall(r"^/sys/bus/usb/devices/(\S+) (\d)", seen, re.MULTILINE)) == {("usb1", "0"), ("usb2", "0")}, seen
    assert re.search(r"^vda$", seen, re.MULTILINE) and not re.search(r"^(sd\w+|sg\d+|bsg|input|hidraw\d+)$", seen, re.MULTILINE), seen
    assert re.findall(r"^/dev/bus/usb/(\S+)$", seen, re.MULTILINE) == ["001/001", "002/001"], f"nodes of more than the controllers' hubs: {seen}"
    board.plug("late", sticks.make(tmp_path / "late.img"))
    asked = still(board)
    assert asked["configured"] == 0 and asked["commands"] == 0, asked

    first_boot.begin(board.console)
    board.console.run("terminal length 0")
    assert SWITCHED_OFF in ask(board, "show version | usb version.txt")
    assert still(board) == asked, "a device was asked something while USB is off"
    commit(board.console, USB_ON)
    wait_plugged(board, 3)
    on = still(board)
    assert on["described"] >= asked["described"] + 3 and on["configured"] == on["commands"] == 0, on
    board.unplug("keyboard", image=False)
    board.unplug("late")
    wait_plugged(board)
    assert re.search(SAVED, ask(board, "show version | usb version.txt"))
    used = still(board)
    assert used["configured"] == 1 and used["commands"] > 0, used
    commit(board.console, "delete system usb")
    wait_switched_off(board)
    board.plug("last", sticks.make(tmp_path / "last.img"))
    assert still(board) == used


@pytest.mark.limit(600)
def test_usb_process_that_reads_a_stick_can_do_nothing_else(machine, tmp_path):
    """Z5: while it reads, it has a user of its own, no capability, a seccomp filter, an empty root and the empty network namespace
    that all such processes share; and it holds its two channels, one disk and memory, no switch of the device."""
    of_stick = "in $(grep -lsx stick /proc/[0-9]*/comm); do"
    until = f"until for c {of_stick} ls -l ${{c%comm}}fd; done 2>/dev/null | grep -q /dev/sd; do sleep 1; done"
    look = (f"for c {of_stick} cat ${{c%comm}}status; ls -l ${{c%comm}}fd; echo root has $(ls -A ${{c%comm}}root/) end; "
            "echo network $(readlink ${c%comm}ns/net); done; "
            "for c in $(grep -lsx arbiter /proc/[0-9]*/comm); do echo void $(readlink ${c%comm}ns/net); done; "
            "echo first $(readlink /proc/1/ns/net)")
    board = start(machine, watch=f"{until}; sleep 5; {look}; echo END")
    commit(board.console, USB_ON)
    slow = sticks.make(tmp_path / "slow.img", files=[("large.conf", b"# " + b"x" * (3 << 20) + b"\n")])
    plug(board, "slow", slow, bytes_a_second=50_000)
    board.console.run("configure")
    board.console.send("load merge usb large.conf\r")
    seen = board.wait_watched()
    status = dict(re.findall(r"^(\w+):[ \t]+(\S.*)$", seen, re.MULTILINE))
    assert status["Name"] == "stick" and len(set(status["Uid"].split())) == 1 and int(status["Uid"].split()[0]) >= 1000, seen
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh"):
        assert int(status[kind], 16) == 0, seen
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", seen
    assert re.search(r"^root has end$", seen, re.MULTILINE), seen
    spaces = dict(re.findall(r"^(network|void|first) (net:\[\d+\])$", seen, re.MULTILINE))
    assert spaces["network"] == spaces["void"] != spaces["first"], seen
    held = [re.sub(r"[:\[( ].*", "", target) for target in re.findall(r" \d+ -> (.+)$", seen, re.MULTILINE)]
    assert held.count("socket") == 2 and held.count("/dev/sda") == 1 and held.count("/memfd") >= 1, seen
    assert set(held) <= {"socket", "/dev/sda", "/memfd", "/dev/null", "/dev/kmsg"}, seen


@pytest.mark.limit(900)
def test_usb_hostile_sticks_get_nothing_applied_and_are_told_of(machine, tmp_path):
    board = start(machine)
    died = events(board, "process-died")     # on a busy host a process may be late to start
    wait_switched_off(board)
    assert SWITCHED_OFF in ask(board, "show version | usb version.txt")
    commit(board.console, *ZONES, USB_ON)
    assert "no memory stick is plugged in" in ask(board, "show version | usb version.txt")

    board.plug("keyboard", driver="usb-kbd")
    wait_plugged(board)
    assert "it is no memory stick" in ask(board, "show version | usb version.txt")
    good = sticks.make(tmp_path / "good.img", files=[("filler", bytes(20 << 20)), ("good.conf", b"system { host-name from-the-stick; }\n")])
    plug(board, "good", good, count=2)
    assert "more than one USB device" in ask(board, "show version | usb version.txt")
    assert len(events(board, "usb-refused")) == 2
    board.unplug("keyboard", image=False)
    board.unplug("good")
    wait_plugged(board, 0)
    for driver in ("usb-net", "usb-hub", "usb-ccid"):
        plug(board, driver, driver=driver)
        assert "it is no memory stick" in ask(board, "show version | usb version.txt"), driver
        board.unplug(driver, image=False)
        wait_plugged(board, 0)
    assert len(events(board, "usb-refused")) == 5
    plug(board, "good", good)
    said, changes = load(board, "load merge usb good.conf")
    assert "from-the-stick" in changes, said
    for name in ("../good.conf", "a..b", "sub/good.conf", ".hidden", "end.", "x" * 64):
        said, changes = load(board, f"load merge usb {name}")
        assert "a file's name has letters" in said and changes == "", said
    said, changes = load(board, "load merge usb none.conf")
    assert "no such file" in said and changes == "", said
    assert re.search(SAVED, ask(board, "show version | usb version.txt"))
    assert "it was left as it is" in ask(board, "show zones | usb version.txt")
    board.unplug("good")
    assert b"Sekisho" in sticks.get(good, "version.txt")

    plug(board, "protected", good, read_only=True)
    assert "full, or write-protected" in ask(board, "show version | usb other.txt")
    said, changes = load(board, "load merge usb good.conf")
    assert "from-the-stick" in changes, said
    board.unplug("protected")
    assert "other.txt" not in sticks.names(good)

    for name, image, line, reason in hostile(tmp_path):
        plug(board, name, image)
        said, changes = load(board, line)
        assert re.search(reason, said) and changes == "", f"{name}: {said}"
        board.unplug(name)
    assert len(events(board, "usb-failed")) >= 5
    assert events(board, "process-died") == died

    slow = sticks.make(tmp_path / "slow.img", files=[("large.conf", b"# " + b"x" * (3 << 20) + b"\n")])
    plug(board, "slow", slow, bytes_a_second=100_000)
    board.console.run("configure")
    board.console.send("load merge usb large.conf\r")
    board.console.expect("leave it plugged in", timeout=PATIENCE_SECONDS)
    time.sleep(8)
    board.unplug("slow", image=False)
    board.console.expect("cannot be read or written|does not show a disk|process for the stick failed",
                         timeout=2 * PATIENCE_SECONDS)
    board.console.expect(board.console.PROMPT, timeout=PATIENCE_SECONDS)
    assert board.console.run("compare").strip() == ""
    board.console.run("exit")

    plug(board, "again", good)
    said, changes = load(board, "load merge usb good.conf")
    assert "from-the-stick" in changes, said
    commit(board.console, "delete system usb")
    wait_switched_off(board)
    assert not events(board, "usb-stuck")


def hostile(tmp_path):
    """(name, image, what is typed, what is said) of sticks that hold what they should not."""
    yield "exfat", sticks.make_exfat(tmp_path / "exfat.img"), "load merge usb none.conf", "no such file"
    zeros = tmp_path / "zeros.img"
    zeros.write_bytes(bytes(8 << 20))
    yield "zeros", zeros, "load merge usb good.conf", "no FAT or exFAT"
    large = sticks.make(tmp_path / "large.img", files=[("large.conf", bytes(5 << 20))])
    yield "large", large, "load merge usb large.conf", "larger than 4 MiB"
    yield "loop", looped(tmp_path / "loop.img"), "load merge usb loop.conf", "262144 bytes"  # as many as its entry says, all comments
    cut = sticks.make(tmp_path / "cut.img", files=[("filler", bytes(6 << 20)), ("late.conf", b"#" * 100_000)])
    with open(cut, "r+b") as image:
        image.truncate(4 << 20)     # its file system says that it is larger
    yield "cut", cut, "load merge usb late.conf", "cannot be read or written"
    wrong = sticks.make(tmp_path / "wrong.img", files=[("wrong.conf", b"zone { nonsense }\n")])
    yield "wrong", wrong, "load merge usb wrong.conf", "'zone' lacks a value"


def looped(path):
    """A file whose second cluster is followed by its first one, and which is many times as long by its entry."""
    image = sticks.make(path, "-F", "16", "-s", "4", files=[("loop.conf", b"# loop\n" * 1000)])
    data = bytearray(image.read_bytes())
    reserved, fat_count = int.from_bytes(data[14:16], "little"), data[16]
    root_entries, fat_sectors = int.from_bytes(data[17:19], "little"), int.from_bytes(data[22:24], "little")
    root = (reserved + fat_count * fat_sectors) * 512
    entry = next(at for at in range(root, root + root_entries * 32, 32) if data[at:at + 4] == b"LOOP" and data[at + 11] != 15)
    first = int.from_bytes(data[entry + 26:entry + 28], "little")
    for fat in range(fat_count):
        at = (reserved + fat * fat_sectors) * 512
        data[at + 2 * (first + 1):at + 2 * (first + 2)] = first.to_bytes(2, "little")
    data[entry + 28:entry + 32] = (256 << 10).to_bytes(4, "little")
    image.write_bytes(data)
    return image
