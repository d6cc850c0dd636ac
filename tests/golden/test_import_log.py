# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho import-log: from the files of syslog servers back to a log that verify-log can check (L1)."""

import random
import subprocess

import pytest

from lib.logs import SEKISHO, Log, verify


def import_log(*arguments):
    done = subprocess.run([SEKISHO, "import-log", *arguments], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log").mkdir()
    made = Log(tmp_path / "log")
    made.segment(3)
    made.segment(5)
    made.segment(2)
    return made


@pytest.fixture
def lines(log):
    """The records as they were sent."""
    return [line for path in sorted(log.directory.glob("*.log")) for line in path.read_text().splitlines()]


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_import_gives_the_log_byte_for_byte(log, lines, tmp_path):
    received = write(tmp_path / "received", lines)
    assert import_log(received, tmp_path / "copy") == (
        0, "records 1 to 13 in 3 files; 0 came twice, 0 before the first file were left out\n")
    assert contents(tmp_path / "copy") == contents(log.directory)
    verify(tmp_path / "copy")


def test_import_takes_any_order_several_files_doubles_and_a_servers_own_words(log, lines, tmp_path):
    """What a server adds: a time and a name in front, the count of a frame, carriage returns, lines of other machines."""
    chance = random.Random(7)
    framed = [chance.choice((line, f"Apr  1 09:00:00 10.20.0.1 {line}", f"{len(line.encode())} {line}", f"{line}\r"))
              for line in lines + chance.choices(lines, k=4)]
    chance.shuffle(framed)
    framed.insert(3, "<30>1 2026-04-01T09:00:00Z other cron 12 - - <5>1 [sekisho@32473 seq=\"9\"")
    one, two = write(tmp_path / "one", framed[:7]), write(tmp_path / "two", framed[7:])
    status, text = import_log(one, two, tmp_path / "copy")
    assert (status, text) == (0, "records 1 to 13 in 3 files; 4 came twice, 0 before the first file were left out\n")
    assert contents(tmp_path / "copy") == contents(log.directory)


def test_import_names_what_is_in_no_file_and_writes_the_rest(lines, tmp_path):
    received = write(tmp_path / "received", lines[:6] + lines[8:])
    status, text = import_log(received, tmp_path / "copy")
    assert status == 1
    assert "sekisho: records 7 to 8 are in no file\n" in text
    done = subprocess.run([SEKISHO, "verify-log", tmp_path / "copy"], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, "record 7" in done.stdout) == (1, True)


def test_import_leaves_out_what_stands_before_the_first_file(lines, tmp_path):
    """A server that was added later: the records from the first whole file on are a log of their own."""
    received = write(tmp_path / "received", lines[2:])
    assert import_log(received, tmp_path / "copy") == (
        0, "records 5 to 13 in 2 files; 0 came twice, 2 before the first file were left out\n")
    verify(tmp_path / "copy", "--part")


def test_import_does_not_choose_between_two_records(lines, tmp_path):
    """Two gateways, or somebody's forgery: neither is taken unseen, and nothing is written."""
    one = write(tmp_path / "one", lines)
    two = write(tmp_path / "two", [lines[5].replace("203.0.113.5", "203.0.113.6")])
    for sources in ((one, two), (two, one)):
        status, text = import_log(*sources, tmp_path / "copy")
        assert status == 1
        assert text.startswith("sekisho: ") and "/one:6" in text and "/two:1" in text
        assert ": two records with the number 6; of two gateways? --host chooses one\n" in text
        assert not (tmp_path / "copy").exists()


def test_import_chooses_a_gateway_by_its_name(log, lines, tmp_path):
    other = [line.replace(" sekisho-1 ", " sekisho-2 ") for line in lines]
    received = write(tmp_path / "received", [line for pair in zip(lines, other) for line in pair])
    assert import_log(received, tmp_path / "copy")[0] == 1
    assert import_log("--host", "sekisho-1", received, tmp_path / "copy")[0] == 0
    assert contents(tmp_path / "copy") == contents(log.directory)
    assert import_log("--host", "sekisho-3", received, tmp_path / "third") == (
        1, "sekisho: no record of sekisho-3 in any file\n")


def test_import_never_writes_into_a_directory_that_is_there(lines, tmp_path):
    received = write(tmp_path / "received", lines)
    (tmp_path / "copy").mkdir()
    assert import_log(received, tmp_path / "copy") == (2, f"sekisho: {tmp_path}/copy: File exists\n")
    assert contents(tmp_path / "copy") == {}


@pytest.mark.parametrize("arguments", [(), ("one",), ("--host", "x"), ("--all", "a", "b"), ("missing", "copy")])
def test_import_refuses_wrong_usage_and_missing_files(arguments, tmp_path):
    assert import_log(*(a if a.startswith("--") else tmp_path / a for a in arguments))[0] == 2
    assert not (tmp_path / "copy").exists()


def test_import_of_no_record_and_of_none_that_begins_a_file(lines, tmp_path):
    assert import_log(write(tmp_path / "none", ["hello", ""]), tmp_path / "copy") == (
        1, "sekisho: no record of a gateway in any file\n")
    assert import_log(write(tmp_path / "late", lines[1:3]), tmp_path / "copy") == (
        1, "sekisho: none of the records begins a file of the log\n")
    assert not (tmp_path / "copy").exists()
