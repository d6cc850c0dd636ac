# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho import-log: from the files of syslog servers back to a log that verify-log can check (L1)."""

import hashlib
import random
import resource
import subprocess

import pytest

from lib.logs import SEKISHO, Device, Log, number_of, verify


def processor_seconds():
    """What all commands took that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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


def forged(line, chain=None):
    """A record with the same number that says something else: with the seal that it had, or, where `chain` is the line before it,
    sealed anew."""
    text, seal = line.replace("203.0.113.5", "203.0.113.6"), line.rpartition(" sha256=")[2]
    assert text != line
    body = text.rpartition(" sha256=")[0]
    return f"{body} sha256={sealed(body, chain) if chain else seal}"


def sealed(body, before):
    return hashlib.sha256(bytes.fromhex(before.rpartition(" sha256=")[2]) + body.encode()).hexdigest()


def fork(lines, at, count):
    """`count` records from lines[at] on, sealed anew into a chain that goes on from the record before."""
    made = [lines[at - 1]]
    for line in lines[at:at + count]:
        made.append(forged(line, made[-1]))
    return made[1:]


def test_import_takes_what_follows_from_the_record_before_and_names_the_forged(log, lines, tmp_path):
    """Whoever can send to that server cannot stop it: a record with another text, with its old seal or one that is another's."""
    one = write(tmp_path / "one", lines)
    two = write(tmp_path / "two", [forged(lines[5]), forged(lines[7], lines[2]), forged(lines[2]), forged(lines[12])])
    for number, sources in enumerate(((one, two), (two, one))):
        status, text = import_log(*sources, tmp_path / f"copy{number}")
        assert status == 0
        for line, record in ((1, 6), (2, 8), (3, 3), (4, 13)):
            assert f"/two:{line}: record {record}: another one with this number is the gateway's: left out\n" in text
        assert "sekisho: 4 records were left out\n" in text and "/one:" not in text
        assert contents(tmp_path / f"copy{number}") == contents(log.directory)


def test_import_does_not_choose_where_a_forger_goes_on_with_the_chain(lines, tmp_path):
    """Without the key nothing tells which of two chains is the gateway's, however long each is: nothing is written."""
    for number, made in enumerate((fork(lines, 5, 1), fork(lines, 5, 3), fork(lines, 5, 3) + [lines[8]])):
        received = write(tmp_path / f"received{number}", lines + made)
        status, text = import_log(received, tmp_path / "copy")
        assert (status, text.count("sekisho: ")) == (1, 1), text
        assert ": two records with the number 6 that both go on from the one before; " in text
        assert f"received{number}:6" in text and f"received{number}:14" in text
        assert not (tmp_path / "copy").exists()


def test_import_leaves_out_what_nothing_tells_apart_beside_a_gap(lines, tmp_path):
    """Record 6 never came; of 7 there are two, and of 8 as well: 9, which came once, is taken again."""
    received = write(tmp_path / "received", lines[:5] + lines[6:] + [forged(lines[6]), forged(lines[7])])
    status, text = import_log(received, tmp_path / "copy")
    assert status == 1
    assert text.count("nothing tells which of the records with this number is the gateway's: left out") == 4
    assert "sekisho: records 6 to 8 are in no file\n" in text
    assert [number_of(line) for path in sorted((tmp_path / "copy").iterdir()) for line in path.read_text().splitlines()] == \
        [1, 2, 3, 4, 5, 9, 10, 11, 12, 13]


@pytest.fixture
def anchored(tmp_path):
    """Records 1 to 11; the device's anchor 7 covers up to 6."""
    (tmp_path / "anchored").mkdir()
    made, device = Log(tmp_path / "anchored"), Device(tmp_path)
    made.segment(5)
    device.anchor(made)
    for _ in range(4):
        made.record("flow-denied", ' src="203.0.113.5"')
    return made, device, [line for path in made.directory.glob("*.log") for line in path.read_text().splitlines()]


def test_import_with_the_key_takes_what_the_device_has_signed(anchored, tmp_path):
    """Forks before the anchor, of whatever length, with forged seals beside: each is named, the log is whole."""
    log, device, lines = anchored
    stolen = [forged(line) for line in lines[1:6]]
    for number, made in enumerate((fork(lines, 2, 1), fork(lines, 1, 5), fork(lines, 2, 4) + stolen, stolen)):
        received = write(tmp_path / f"received{number}", made + lines)
        status, text = import_log("--key", device.public, received, tmp_path / f"copy{number}")
        assert status == 0, text
        assert text.count("another one with this number is the gateway's: left out\n") == len(made)
        assert contents(tmp_path / f"copy{number}") == contents(log.directory)
        verify(tmp_path / f"copy{number}", "--key", device.public)


def test_import_with_the_key_ends_where_nothing_is_proved_any_more(anchored, tmp_path):
    """Behind the last anchor a forger can go on with the chain as well: up to there it is proved, and from there on nothing is
    taken. So it is with a record far away, which has nothing before it."""
    _, device, lines = anchored
    far = lines[9].replace('seq="10"', 'seq="999999"')
    received = write(tmp_path / "received", lines + fork(lines, 8, 3) + [far])
    status, text = import_log("--key", device.public, received, tmp_path / "copy")
    assert status == 1
    assert text.count("nothing that the key has signed proves this record: left out") == 7
    assert "records 1 to 8 in 1 files" in text and "in no file" not in text
    verify(tmp_path / "copy", "--key", device.public)


def test_import_with_another_key_proves_nothing(anchored, tmp_path):
    _, _, lines = anchored
    (tmp_path / "other").mkdir()
    other = Device(tmp_path / "other")
    status, text = import_log("--key", other.public, write(tmp_path / "received", lines), tmp_path / "copy")
    assert status == 1 and text.count("proves this record") == 11 and not (tmp_path / "copy").exists()
    assert import_log("--key", tmp_path / "received", tmp_path / "received", tmp_path / "copy")[0] == 2


def test_import_of_many_forgeries_takes_no_longer_than_their_number(anchored, tmp_path):
    """3,000 for each of two neighbouring numbers, with the seals of the gateway's. Without a key they are told apart all the same;
    the proof from the anchor gives up there, and says so."""
    _, device, lines = anchored
    made = [forged(lines[at]).replace("203.0.113.6", f"203.0.{n >> 8}.{n & 255}") for n in range(3000) for at in (3, 4)]
    received = write(tmp_path / "received", lines + made)
    begin = processor_seconds()
    status, text = import_log(received, tmp_path / "copy")
    assert (status, "sekisho: 6000 records were left out\n" in text) == (0, True)
    assert text.count("left out\n") < 110
    verify(tmp_path / "copy", "--key", device.public)
    status, text = import_log("--key", device.public, received, tmp_path / "keyed")
    assert status == 1 and processor_seconds() - begin < 20


def test_import_of_an_anchor_that_was_sent_again_searches_once(anchored, tmp_path):
    """The device's own anchor 5,000 times, and 5,000 forgeries of the record that it covers, which never came itself."""
    _, device, lines = anchored
    made = [forged(lines[5]).replace("203.0.113.6", f"203.0.{n >> 8}.{n & 255}") for n in range(5000)]
    received = write(tmp_path / "received", lines[:5] + lines[6:] + made + [lines[6]] * 5000)
    begin = processor_seconds()
    status, text = import_log("--key", device.public, received, tmp_path / "copy")
    assert status == 1 and "proves this record" in text and processor_seconds() - begin < 15


def test_import_chooses_a_gateway_by_its_name(log, lines, tmp_path):
    (tmp_path / "other").mkdir()
    second = Log(tmp_path / "other", host="sekisho-2")
    second.segment(12)
    other = [line for path in second.directory.glob("*.log") for line in path.read_text().splitlines()]
    received = write(tmp_path / "received", [line for pair in zip(lines, other) for line in pair])
    status, text = import_log(received, tmp_path / "copy")
    assert status == 1 and "two records with the number 1 that both go on" in text and "--host chooses one" in text
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
