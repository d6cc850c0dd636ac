# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho verify-log against logs sealed here, by a second implementation of the chain; docs/events.md is current."""

import hashlib
import os
import pathlib
import re
import subprocess

import pytest

from lib.logs import Device, Log

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
EVENTS_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "events.md"
SOURCE = pathlib.Path(__file__).parents[2] / "src"


def verify(directory, *options):
    done = subprocess.run([SEKISHO, "verify-log", directory, *options], capture_output=True, text=True, timeout=20, check=False)
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


def test_verify_log_accepts_the_newest_files_as_a_part(log):
    """C7: a bundle of evidence has the newest files only; what is in them must be whole all the same."""
    first, second = segments(log)
    first.unlink()
    assert verify(log.directory, "--part") == (0, "whole: records 5 to 7 in 1 files\n")
    second.write_bytes(second.read_bytes().replace(b"203.0.113.5", b"203.0.113.6", 1))
    assert verify(log.directory, "--part")[0] == 1


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
    for path in sorted(SOURCE.rglob("*.c")):
        role = path.relative_to(SOURCE).parts[0]
        if role in ("base", "tools"):
            continue
        for name in set(re.findall(r"(?<!== )\bEVENT_([A-Z0-9_]+)\b", path.read_text())) & set(events):
            allowed = events[name][1]
            assert allowed is None or shared.get(role, {role}) <= allowed, f"{path}: {name}"
            found.add(name)
    assert found == set(events), f"nobody sends {set(events) - found}"


@pytest.fixture
def device(tmp_path_factory):
    return Device(tmp_path_factory.mktemp("device"))


def seal_again(log, at, edit):
    """What somebody does who owns the disk but not the key: records from line `at` on are edited and sealed anew."""
    path, = segments(log)
    lines, digest = path.read_bytes().splitlines(), bytes(32)
    made = []
    for number, line in enumerate(lines, 1):
        body = line[:-len(b" sha256=") - 64]
        if number == at:
            body = edit(body)
        if body is None:
            continue
        digest = hashlib.sha256(digest + body).digest()
        made.append(body + b" sha256=" + digest.hex().encode() + b"\n")
    path.write_bytes(b"".join(made))


@pytest.fixture
def anchored(tmp_path, device):
    made = Log(tmp_path)
    made.segment(3)
    device.anchor(made)
    made.record("flow-denied", ' src="203.0.113.6"')
    return made


@pytest.mark.parametrize("key", ["file", "digits"])
def test_verify_log_accepts_anchors_of_openssl(anchored, device, key):
    """L1: the anchors are plain Ed25519 over a plain text; anybody can make and check them."""
    given = device.public if key == "file" else device.key
    status, text = verify(anchored.directory, "--key", given)
    assert (status, text) == (0, "whole: records 1 to 6 in 1 files\n"
                              f"anchored: up to record 4, 1 times; the last key is {device.key}, as expected\n")
    assert "compare it with that of the device" in verify(anchored.directory)[1]


def test_verify_log_accepts_an_anchor_some_records_later(tmp_path, device):
    """A new file of the log may begin between an anchor and the record that it covers."""
    made = Log(tmp_path)
    made.segment(3)
    device.anchor(made, back=3)
    assert verify(made.directory, "--key", device.public)[0] == 0
    device.anchor(made, back=64)
    status, text = verify(made.directory)
    assert (status, "does not cover the records before it" in text) == (1, True)


def test_verify_log_names_the_anchor_of_a_log_that_was_sealed_anew(anchored, device):
    """L1: altered and sealed anew, the chain is whole; the anchor is not."""
    seal_again(anchored, 3, lambda body: body.replace(b"203.0.113.5", b"203.0.113.9"))
    status, text = verify(anchored.directory)
    assert status == 1
    assert text.endswith(":5: record 5: the anchor is of another log: records before it were altered\n")


def test_verify_log_refuses_a_log_whose_anchors_were_taken_out(anchored, device):
    seal_again(anchored, 5, lambda body: None)
    path, = segments(anchored)
    path.write_bytes(path.read_bytes().replace(b'seq="6"', b'seq="5"'))
    seal_again(anchored, 0, None)
    assert verify(anchored.directory)[0] == 0
    status, text = verify(anchored.directory, "--key", device.public)
    assert (status, "no record is covered by an anchor" in text) == (1, True)


def test_verify_log_refuses_the_anchor_of_another_key(anchored, tmp_path_factory):
    """A thief of the disk can anchor with a key of his own, not with the device's."""
    other = Device(tmp_path_factory.mktemp("other"))
    status, text = verify(anchored.directory, "--key", other.public)
    assert status == 1
    assert text.endswith(":5: record 5: the anchor is by another key than the expected one\n")


@pytest.mark.parametrize("field,value", [("time-s", 1775001601), ("signature", "00" * 64), ("signature", "12"),
                                         ("key", "00" * 32), ("record", 3), ("record", 99)])
def test_verify_log_refuses_an_anchor_with_one_value_changed(tmp_path, device, field, value):
    made = Log(tmp_path)
    made.segment(3)
    device.anchor(made, **{field: value})
    assert verify(made.directory)[0] == 1


def test_verify_log_misses_the_anchor_of_a_day(anchored, device):
    """Each day has its anchor: one that was taken out with all behind it is missed by the monotonic clock."""
    anchored.mono = 25 * 3600
    anchored.record("heartbeat")
    assert verify(anchored.directory, "--key", device.public)[0] == 0
    anchored.mono += 2
    anchored.record("heartbeat")
    status, text = verify(anchored.directory, "--key", device.public)
    assert (status, "for more than a day before this record" in text) == (1, True)
    assert verify(anchored.directory)[0] == 0


def test_verify_log_refuses_a_key_that_is_none(anchored, tmp_path):
    (tmp_path / "text").write_text("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA!\n-----END PUBLIC KEY-----\n")
    for key in (tmp_path / "text", tmp_path / "missing", "12ab"):
        assert verify(anchored.directory, "--key", key)[0] == 2
    assert verify(anchored.directory, "--key")[0] == 2
