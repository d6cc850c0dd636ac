# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho verify-log against logs sealed here, by a second implementation of the chain; docs/events.md is current."""

import hashlib
import os
import pathlib
import re
import subprocess

import pytest

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
EVENTS_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "events.md"
SOURCE = pathlib.Path(__file__).parents[2] / "src"


class Log:
    """Records in segments, sealed as docs/man/sekisho-audit.8 says."""

    def __init__(self, directory, first=1):
        self.directory, self.next, self.hash = directory, first, bytes(32)
        self.path = None

    def record(self, event, fields="", process="audit"):
        line = (f"<134>1 2026-04-01T09:00:00.000000+09:00 sekisho-1 sekisho {process} {event} "
                f'[sekisho@32473 seq="{self.next}" mono="1.000000"{fields}] Something happened. 関所').encode()
        self.hash = hashlib.sha256(self.hash + line).digest()
        with open(self.path, "ab") as file:
            file.write(line + b" sha256=" + self.hash.hex().encode() + b"\n")
        self.next += 1

    def segment(self, records):
        self.path = self.directory / f"{self.next:020}.log"
        self.record("log-segment", f' prev="{self.hash.hex()}"')
        for _ in range(records):
            self.record("flow-denied", ' src="203.0.113.5"')


def verify(directory):
    done = subprocess.run([SEKISHO, "verify-log", directory], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path)
    made.segment(3)
    made.segment(2)
    return made


def segments(log):
    return sorted(log.directory.glob("*.log"))


def test_verify_log_accepts_a_whole_log(log):
    assert verify(log.directory) == (0, "whole: records 1 to 7 in 2 files\n")


def test_verify_log_refuses_each_altered_byte(log):
    """L1: every byte of the log counts."""
    for path in segments(log):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x01]) + whole[at + 1:])
            assert verify(log.directory)[0] == 1, f"{path.name} byte {at}"
        path.write_bytes(whole)


def test_verify_log_names_the_first_bad_record(log):
    path = segments(log)[0]
    path.write_bytes(path.read_bytes().replace(b'seq="3" mono="1', b'seq="3" mono="2'))
    status, text = verify(log.directory)
    assert status == 1
    assert text == f"{path}:3: record 3: the hash is wrong: this record or the one before was altered\n"


@pytest.mark.parametrize("edit", ["remove", "swap", "repeat", "cut"])
def test_verify_log_refuses_missing_and_moved_records(log, edit):
    path = segments(log)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join({"remove": lines[:1] + lines[2:], "swap": [lines[0], lines[2], lines[1], lines[3]],
                               "repeat": lines + lines[-1:], "cut": [*lines[:3], lines[3][:-1]]}[edit]))
    assert verify(log.directory)[0] == 1


def test_verify_log_refuses_a_missing_file(log):
    first, _ = segments(log)
    first.unlink()
    status, text = verify(log.directory)
    assert status == 1
    assert "no record log-retention says that they were removed" in text


def test_verify_log_refuses_a_renamed_file(log):
    path = segments(log)[1]
    path.rename(path.with_name(f"{99:020}.log"))
    assert verify(log.directory)[0] == 1


def test_verify_log_accepts_what_retention_removed(log):
    log.record("log-retention", ' first="1" last="4"')
    assert verify(log.directory)[0] == 0
    segments(log)[0].unlink()
    assert verify(log.directory) == (0, "whole: records 5 to 8 in 1 files\n")


def test_verify_log_believes_only_audit_of_what_was_removed(log):
    """L1: a process that was broken into cannot excuse missing records."""
    log.record("log-retention", ' first="1" last="4"', process="mail-receiver/7")
    segments(log)[0].unlink()
    assert verify(log.directory)[0] == 1


def test_verify_log_refuses_a_log_of_another_beginning(tmp_path):
    made = Log(tmp_path)
    made.hash = bytes([1] * 32)
    made.segment(1)
    assert verify(tmp_path)[0] == 1


def test_verify_log_without_a_log_says_so(tmp_path):
    assert verify(tmp_path) == (2, f"sekisho: {tmp_path}: no log files in it\n")
    assert verify(tmp_path / "none")[0] == 2


def test_events_page_is_current():
    """docs/events.md is what the table of events says: regenerate it with sekisho events --markdown."""
    made = subprocess.run([SEKISHO, "events", "--markdown"], capture_output=True, text=True, timeout=20, check=True)
    assert EVENTS_PAGE.read_text() == made.stdout


@pytest.fixture
def copy(log, tmp_path):
    """What a syslog server wrote: its own words in front, some records twice."""
    lines = [line for path in segments(log) for line in path.read_text().splitlines()]
    path = tmp_path / "received"
    path.write_text("".join(f"Apr  1 09:00:00 10.20.0.1 {line}\n" for line in [*lines, lines[3]]) + "another host's line\n")
    return path


def verify_against(directory, copy):
    done = subprocess.run([SEKISHO, "verify-log", directory, copy], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


def test_verify_log_against_the_servers_copy(log, copy):
    assert verify_against(log.directory, copy) == (0, "whole: records 1 to 7 in 2 files\n")


def test_verify_log_finds_a_cut_end_by_the_copy(log, copy):
    """Whole by itself, but the server has more."""
    path = segments(log)[1]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert verify(log.directory)[0] == 0
    status, text = verify_against(log.directory, copy)
    assert status == 1
    assert text.endswith("record 7: the log ends before this record, which the syslog server has\n")


def test_verify_log_finds_a_forged_chain_by_the_copy(log, copy, tmp_path):
    """Somebody who owns the disk seals a new log of his own."""
    (tmp_path / "forged").mkdir()
    forged = Log(tmp_path / "forged")
    forged.segment(6)
    assert verify(forged.directory)[0] == 0
    status, text = verify_against(forged.directory, copy)
    assert status == 1
    assert "record 5: the syslog server got another record under this number" in text


def test_verify_log_against_no_copy_says_so(log, tmp_path):
    (tmp_path / "empty").write_text("nothing of ours\n")
    assert verify_against(log.directory, tmp_path / "empty")[0] == 2
    assert verify_against(log.directory, tmp_path / "none")[0] == 2


def table_of_events():
    """{identifier: (name, roles that may send it; None: any)}, from the table in the source."""
    events, roles = {}, set()
    for line in (SOURCE / "base" / "events.def").read_text().splitlines():
        if by := re.match(r"EVENT_FROM\((.*)\)$", line):
            roles = None if by[1] == "BY_ANY" else {r.lower().replace("_", "-") for r in re.findall(r"BY\((\w+)\)", by[1])}
        elif event := re.match(r'EVENT\((\w+), "([a-z-]+)"', line):
            events[event[1]] = (event[2], roles)
    return events


def test_events_are_named_only_by_the_sources_of_those_who_may_send_them():
    """L1: audit refuses an event of another process, so the table must name whoever sends one."""
    shared = {"screen-session": {"screen-source", "screen-viewer"}}
    events, found = table_of_events(), set()
    for path in sorted(SOURCE.glob("*/*.c")):
        role = path.parent.name
        if role in ("base", "tools"):
            continue
        for name in set(re.findall(r"\bEVENT_([A-Z0-9_]+)\b", path.read_text())) & set(events):
            allowed = events[name][1]
            assert allowed is None or shared.get(role, {role}) <= allowed, f"{path}: {name}"
            found.add(name)
    assert found == set(events), f"nobody sends {set(events) - found}"
