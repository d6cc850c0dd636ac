# SPDX-License-Identifier: GPL-2.0-or-later
"""Records as a syslog server got them: numbers, order, and the log that they were; logs sealed by a second implementation."""

import hashlib
import pathlib
import re
import subprocess

from .gateway import SEKISHO

NUMBER = re.compile(r'\[sekisho@32473 seq="(\d+)"')


def number_of(line):
    """The record's number, or None where the line is none."""
    found = NUMBER.search(line)
    return int(found.group(1)) if found else None


def records(lines):
    """{number: line} by number. Fails where two different records have one number."""
    found = {}
    for line in lines:
        number = number_of(line)
        if number is not None:
            assert found.setdefault(number, line) == line, f"two records have the number {number}:\n{found[number]}\n{line}"
    return dict(sorted(found.items()))


def rebuild(lines, directory):
    """Make a log directory out of received records with sekisho import-log; fails with its words where any is missing."""
    received = pathlib.Path(f"{directory}.received")
    received.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = subprocess.run([SEKISHO, "import-log", received, directory], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def verify(directory, *copy):
    """What sekisho verify-log says of a whole log; fails with its words where it is not whole."""
    done = subprocess.run([SEKISHO, "verify-log", directory, *copy], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


class Log:
    """Records in segments, sealed as docs/man/sekisho-audit.8 says."""

    def __init__(self, directory, first=1, host="sekisho-1"):
        self.directory, self.next, self.hash, self.mono, self.host = directory, first, bytes(32), 1, host
        self.path = None

    @classmethod
    def of(cls, directory):
        """The log that is there, to go on with: its newest file."""
        made = cls(directory)
        made.path = max(directory.glob("*.log"))
        last = made.path.read_text().splitlines()[-1]
        made.next, made.hash = number_of(last) + 1, bytes.fromhex(last.rpartition("sha256=")[2])
        return made

    def record(self, event, fields="", process="audit", time="2026-04-01T09:00:00", offset="+09:00"):
        line = (f"<134>1 {time}.000000{offset} {self.host} sekisho {process} {event} "
                f'[sekisho@32473 seq="{self.next}" mono="{self.mono}.000000"{fields}] Something happened. 関所').encode()
        self.hash = hashlib.sha256(self.hash + line).digest()
        with open(self.path, "ab") as file:
            file.write(line + b" sha256=" + self.hash.hex().encode() + b"\n")
        self.next += 1

    def segment(self, records, time="2026-04-01T09:00:00"):
        self.path = self.directory / f"{self.next:020}.log"
        self.record("log-segment", f' prev="{self.hash.hex()}"', time=time)
        for _ in range(records):
            self.record("flow-denied", ' src="203.0.113.5"', time=time)


class Device:
    """A device key made, and used, by openssl."""

    def __init__(self, directory):
        self.private, self.public = directory / "device.pem", directory / "device.pub"
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", self.private)
        self.openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)
        der = self.openssl("pkey", "-in", self.private, "-pubout", "-outform", "DER")
        self.key = der[-32:].hex()

    @staticmethod
    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], capture_output=True, timeout=20, check=True).stdout

    def anchor(self, log, back=0, **other):
        """Anchor the log as it is, as docs/man/sekisho-audit.8 says; `back` records later."""
        number, digest = log.next - 1, log.hash.hex()
        for _ in range(back):
            log.record("flow-denied")
        stated = {"record": number, "sha256": digest, "time-s": 1775001600, "key": self.key}
        text = self.private.with_name("signed")
        text.write_text(f"sekisho log anchor\nrecord {number}\nsha256 {digest}\ntime 1775001600\n")
        signature = self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.private, "-in", text)
        stated |= {"signature": signature.hex()} | other
        log.record("log-anchor", "".join(f' {name}="{value}"' for name, value in stated.items()))
