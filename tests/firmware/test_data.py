# SPDX-License-Identifier: GPL-2.0-or-later
"""The data disk: made once, never taken from somebody else, mended where that is safe; without one the gateway is shut."""

import hashlib
import os
import random
import subprocess

import pexpect
import pytest

from lib.qemu import blank_disk

FAULT = "running without stored configuration and log"
DISK_MB = 64
ERRORS = 2


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_system(path):
    """What `file`-like inspection says: the label of an ext4 file system, or None."""
    data = path.read_bytes()[1024:2048]
    return data[0x78:0x88].rstrip(b"\0").decode() if data[0x38:0x3A] == b"\x53\xef" else None


def crc32c(data):
    """As ext4 keeps it: Castagnoli's polynomial, all ones at the start, nothing at the end."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def superblock(path):
    return path.read_bytes()[1024:2048]


def change_superblock(path, offset, value):
    """Put bytes into a superblock and make its checksum (the last word) right again."""
    block = bytearray(superblock(path))
    assert crc32c(block[:0x3FC]) == int.from_bytes(block[0x3FC:], "little"), "the appliance made no checksum"
    block[offset:offset + len(value)] = value
    block[0x3FC:] = crc32c(block[:0x3FC]).to_bytes(4, "little")
    with open(path, "r+b") as disk:
        disk.seek(1024)
        disk.write(block)


def formatted(machine, disk):
    """Boot once with a blank disk; the machine is off again, without having been told to stop."""
    board = machine(data=disk)
    board.power_on()
    board.wait_ready(60)
    board.power_cut()
    return board


@pytest.mark.limit(120)
def test_data_blank_disk_is_formatted_once(machine, tmp_path):
    disk = blank_disk(tmp_path / "data.img", DISK_MB)
    board = machine(data=disk)
    board.power_on()
    board.wait_line("is blank: making the data partition", 60)
    board.wait_ready()
    board.power_cut()
    assert file_system(disk) == "sekisho-data"
    uuid = disk.read_bytes()[1024 + 0x68:1024 + 0x78]
    board.power_on()
    board.wait_ready(60)
    assert board.transcript().count("making the data partition") == 1
    assert FAULT not in board.transcript()
    assert disk.read_bytes()[1024 + 0x68:1024 + 0x78] == uuid


@pytest.mark.limit(120)
@pytest.mark.parametrize("content", ["one byte in the first megabyte", "another file system", "noise"])
def test_data_foreign_disk_is_left_alone(machine, tmp_path, content):
    disk = blank_disk(tmp_path / "data.img", DISK_MB)
    if content == "another file system":
        subprocess.run(["mksquashfs", "/etc/hostname", disk, "-quiet", "-noappend"], check=True, stdout=subprocess.DEVNULL)
        os.truncate(disk, DISK_MB << 20)
    else:
        noise = b"\x01" if content.startswith("one byte") else random.Random(1).randbytes(1 << 20)
        with open(disk, "r+b") as out:
            out.seek(700000 if len(noise) == 1 else 0)
            out.write(noise)
    before = digest(disk)
    board = machine(data=disk)
    board.power_on()
    board.wait_line(FAULT, 60)
    board.wait_ready()
    board.power_cut()
    assert digest(disk) == before


@pytest.mark.limit(120)
def test_data_foreign_label_is_left_alone(machine, tmp_path):
    """ext4 like ours, but somebody else's: not mounted, not checked, not a byte changed."""
    disk = blank_disk(tmp_path / "data.img", DISK_MB)
    board = formatted(machine, disk)
    change_superblock(disk, 0x78, b"photos".ljust(16, b"\0"))
    before = digest(disk)
    board.power_on()
    board.wait_line(FAULT, 60)
    board.wait_ready()
    board.power_cut()
    assert digest(disk) == before


@pytest.mark.limit(120)
def test_data_error_on_record_is_mended(machine, tmp_path):
    """A file system that remembers an error is checked before it is mounted, and serves again."""
    disk = blank_disk(tmp_path / "data.img", DISK_MB)
    board = formatted(machine, disk)
    change_superblock(disk, 0x3A, bytes([superblock(disk)[0x3A] | ERRORS]))
    board.power_on()
    board.wait_ready(60)
    board.power_cut()
    assert FAULT not in board.transcript()
    assert not superblock(disk)[0x3A] & ERRORS


@pytest.mark.limit(120)
def test_data_missing_disk_leaves_the_gateway_shut_and_says_so(machine):
    board = machine(data=None)
    board.power_on()
    board.wait_line(FAULT, 60)
    board.wait_line("no console is offered", 60)
    board.wait_ready()
    assert [board.frames_sent(port) for port in range(3)] == [[], [], []]
    # The factory's console would let whoever stands there be the administrator (A3): it answers nothing.
    with pytest.raises(pexpect.TIMEOUT):
        for _ in range(10):
            board.console.send("\r")
            board.console.expect(r"[>:] $", timeout=1)
