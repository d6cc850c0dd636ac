# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings of screen sessions: what a viewer was shown comes out of the file, at its time, and nothing that was typed.

    viewers in lgwan  <--pixels--  screen-viewer  <--tiles--  screen-source  <--RFB--  desktops in internet
                                        |
                                        +-> state/recordings/ENTRY.TIME.SESSION --sekisho replay-screen--> PNG
"""

import base64
import hashlib
import itertools
import os
import re
import struct
import subprocess
import threading
import time
from datetime import datetime

import pytest

from lib import screen_entry
from lib.gateway import SEKISHO
from lib.inject import inject_syscall
from lib.net import run
from lib.peers import Desktop, capture_screen, difference
from lib.peers.rfb import RAW, Viewer, key, rect, update, update_request
from lib.processes import reaped
from lib.screen_entry import PORT, fake_desktop, still, viewer_of
from lib.waiting import wait_until

SYS_WRITE = 1
ROOM = "record { size-limit 8MB; total-limit 64MB; }"


def screen(topology, *statements):
    """A screen entry that is recorded."""
    return screen_entry.screen(topology, *(statements or [ROOM]))


def xvnc(topology, size="640x480"):
    zone = topology.zones["internet"]
    return Desktop(topology.net, zone.namespace, zone.peer4, size=size)


def capture(topology, path):
    zone = topology.zones["lgwan"]
    return capture_screen(topology.net, zone.namespace, zone.gateway4, PORT, path)


def files(gateway):
    return sorted((gateway.state / "recordings").iterdir())


def replay(file, directory, *options):
    """Run sekisho replay-screen; return its status and what it said, and leave pictures in `directory`."""
    done = subprocess.run([SEKISHO, "replay-screen", *options, str(file), str(directory)], capture_output=True, text=True,
                          timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def pictures(directory):
    """The pictures that were written, in the order of their times."""
    return [directory / line.split()[0] for line in (directory / "pictures.txt").read_text().splitlines()]


def log_of(gateway):
    return next(gateway.state.glob("**/*.log")).parent


def blocks(data):
    """(kind, time, content) of each whole block, its hash checked: a second implementation of src/wire/rfb/recording.h."""
    found, digest, at = [], bytes(32), 0
    while at + 24 <= len(data):
        magic, kind, _, size, number, when = struct.unpack_from(">4sHHIIQ", data, at)
        end = at + 24 + size
        if end + 32 > len(data):
            break
        digest = hashlib.sha256(digest + data[at:end]).digest()
        assert (magic, number, digest) == (b"SKR1", len(found), data[end:end + 32])
        found.append((kind, when, data[at + 24:end]))
        at = end + 32
    return found


def chain(found):
    """The file that holds these blocks."""
    data, digest = b"", bytes(32)
    for number, (kind, when, content) in enumerate(found):
        block = struct.pack(">4sHHIIQ", b"SKR1", kind, 0, len(content), number, when) + content
        digest = hashlib.sha256(digest + block).digest()
        data += block + digest
    return data


def times_of(found, shown):
    """When the first and the last rectangle was recorded that begins with a tile all of this colour."""
    tile = b"\1" + shown.to_bytes(3, "little")
    times = [when for kind, when, content in found if kind == 3 and content[8:12] == tile]
    return times[0], times[-1]


def colour(picture):
    """The one colour that a picture has."""
    return run("convert", picture, "-unique-colors", "-depth", "8", "txt:").stdout.split("#")[-1][:6]


def noise(desktop, stream):
    """A picture for each request, of pixels that nothing makes smaller."""
    while True:
        desktop.wait_request(stream)
        pixels = bytearray(os.urandom(desktop.WIDTH * desktop.HEIGHT * 4))
        pixels[3::4] = bytes(desktop.WIDTH * desktop.HEIGHT)
        stream.send(update(rect(0, 0, desktop.WIDTH, desktop.HEIGHT, RAW, bytes(pixels))))


@pytest.mark.parametrize("size", ["640x480", "333x127"])
def test_recording_shows_what_was_shown_pixel_by_pixel(make_gateway, topology, tmp_path, size):
    """L1: the last picture of a session's recording is the desktop's; the log says that the file is whole."""
    desktop = xvnc(topology, size)
    desktop.show_test_picture()
    gateway = make_gateway(screen(topology))
    true = desktop.screenshot(tmp_path / "desktop.png")
    assert difference(true, capture(topology, tmp_path / "viewer.png")) == 0
    gateway.wait_event("screen-recording-ended ", 'name="web"')
    (file,) = files(gateway)
    status, said = replay(file, tmp_path / "out", "--log", log_of(gateway))
    assert status == 0, said
    assert "screen web, user -, gateway sekisho" in said and "ended: viewer-left" in said
    count = re.search(r"whole: (\d+) blocks", said).group(1)
    assert f"the first {count} of {count} blocks are as the log has them" in said
    assert difference(true, pictures(tmp_path / "out")[-1]) == 0


def test_recording_has_each_picture_at_its_time_and_no_key(make_gateway, topology, tmp_path):
    """L1, A8: three pictures come out in order, each at the time at which it was seen; what was typed is nowhere."""
    onward = threading.Semaphore(0)

    def three(desktop, stream):
        desktop.show(stream, 0x112233)
        for shown in (0x445566, 0x778899):
            onward.acquire(timeout=60)
            stream.send(update(rect(0, 0, 320, 240, RAW, struct.pack("<I", shown) * (320 * 240))))
        desktop.serve(stream)
    fake_desktop(topology, three)
    gateway = make_gateway(screen(topology))
    viewer = viewer_of(topology)
    assert viewer.name.decode() == "Sekisho - recorded 録画中", "who is recorded is told"
    seen, before = [], 0
    for shown in (0x112233, 0x445566, 0x778899):
        viewer.wait_pixel(319, 239, shown)
        seen.append((before, time.time()))
        viewer.send(key(0x61) + key(0x61, 0))
        time.sleep(0.3)
        before = time.time()
        onward.release()
    viewer.close()
    gateway.wait_event("screen-recording-ended ", 'name="web"')
    (file,) = files(gateway)
    found = blocks(file.read_bytes())
    assert [kind for kind, _, _ in found][:2] == [1, 2] and found[-1][0] == 4
    assert {kind for kind, _, _ in found[2:-1]} == {3}, "nothing but tiles"
    begin = struct.unpack(">q", found[0][2][4:12])[0] / 1000
    times = [times_of(found, shown) for shown in (0x112233, 0x445566, 0x778899)]
    for (before, after), (first, _) in zip(seen, times, strict=True):
        assert before - 0.1 <= begin + first / 1000 <= after + 0.1
    behind = [first for first, _ in times[1:]] + [found[-1][1]]
    middles = [f"{(last + after) / 2000:.3f}" for (_, last), after in zip(times, behind, strict=True)]
    assert replay(file, tmp_path / "at", "--at", ",".join(middles))[0] == 0
    assert [colour(p) for p in pictures(tmp_path / "at")] == ["112233", "445566", "778899"]
    assert replay(file, tmp_path / "part", "--every", "0.01", "--from", middles[0], "--to", middles[1])[0] == 0
    assert [colour(p) for p in pictures(tmp_path / "part")][-1] == "445566"


def test_recording_is_off_by_default(make_gateway, topology):
    """A6: without `record` there is no file, no event, and the viewer is told nothing."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology, ""))
    viewer = viewer_of(topology)
    viewer.wait_pixel(0, 0, 0x112233)
    assert viewer.name == b"Sekisho"
    viewer.close()
    gateway.wait_event("screen-ended", 'peer="viewer"')
    assert files(gateway) == [] and not [line for line in gateway.audit_lines() if "screen-recording" in line]


@pytest.mark.parametrize("on_full", ["end-session", "go-on"])
def test_recording_that_is_full_shows_nothing_unrecorded(make_gateway, topology, tmp_path, on_full):
    """L1, L4: at its limit a session ends before the next picture; with go-on it goes on, and the log says since when."""
    fake_desktop(topology, noise)
    gateway = make_gateway(screen(topology, f"record {{ size-limit 1MB; total-limit 8MB; on-full {on_full}; }}"))
    viewer = viewer_of(topology)
    shown = 0
    try:
        for _ in range(10):
            viewer.read_update()
            shown += 1
            viewer.send(update_request(320, 240))
    except (EOFError, ConnectionError):
        pass
    gateway.wait_event("screen-recording-failed", 'reason="size-limit is reached"')
    (file,) = files(gateway)
    assert file.stat().st_size <= 1 << 20
    status, said = replay(file, tmp_path / "out", "--every", "0.001")
    assert status == 1 and "cut off" in said
    if on_full == "go-on":
        assert shown == 10
        viewer.close()
    else:
        assert len([kind for kind, _, _ in blocks(file.read_bytes()) if kind == 3]) >= 4 * shown, "all of it is recorded"
        gateway.wait_event("screen-ended", 'peer="viewer"', 'reason="cannot-be-recorded"')


def largest_mapping(pid):
    """The address of the most memory that a process can read."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        found = re.findall(r"^(\w+)-(\w+) r", maps.read(), re.MULTILINE)
    return max((int(end, 16) - int(begin, 16), int(begin, 16)) for begin, end in found)[1]


def descriptor_of(pid, file):
    """The number that `file` has in a process."""
    links = os.listdir(f"/proc/{pid}/fd")
    return next(int(fd) for fd in links if os.path.samestat(os.stat(f"/proc/{pid}/fd/{fd}"), file.stat()))


def test_recording_is_bounded_by_the_kernel(make_gateway, topology):
    """L1, L4: a viewer that writes more than it counts gets no further than size-limit; the session ends, nothing more is shown.

    The limit stands before the viewer reads anything, and takes no capability of the supervisor's.
    """
    onward = threading.Semaphore(0)

    def two(desktop, stream):
        desktop.show(stream, 0x112233)
        onward.acquire(timeout=60)
        stream.send(update(rect(0, 0, 320, 240, RAW, struct.pack("<I", 0x445566) * (320 * 240))))
        desktop.serve(stream)
    fake_desktop(topology, two)
    gateway = make_gateway(screen(topology, "record { size-limit 1MB; total-limit 8MB; }"))
    viewer = viewer_of(topology)
    viewer.wait_pixel(319, 239, 0x112233)
    ((pid,), (file,)) = gateway.pids("screen-viewer"), files(gateway)
    inject_syscall(pid, SYS_WRITE, descriptor_of(pid, file), largest_mapping(pid), 2 << 20)
    wait_until(lambda: file.stat().st_size >= 1 << 20, "a file that is full")
    onward.release()
    with pytest.raises((EOFError, ConnectionError)):
        viewer.wait_pixel(319, 239, 0x445566)
    gateway.wait_event("screen-recording-failed", 'reason="size-limit is reached"')
    gateway.wait_event("screen-ended", 'peer="viewer"', 'reason="cannot-be-recorded"')
    assert file.stat().st_size == 1 << 20


def test_recording_begins_only_where_it_finds_room(make_gateway, topology):
    """L1, C1: what runs counts with its whole limit; whoever comes too many is told why in the log, and is shown nothing."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology, "record { size-limit 4MB; total-limit 7MB; }"))
    first = viewer_of(topology)
    first.wait_pixel(0, 0, 0x112233)
    halves = gateway.pids("screen-viewer") + gateway.pids("screen-source")
    zone = topology.zones["lgwan"]
    with pytest.raises((EOFError, ConnectionError)):
        Viewer(topology.net.connect(zone.namespace, zone.gateway4, PORT))
    gateway.wait_event("screen-recording-failed", 'reason="total-limit is reached"')
    first.close()
    gateway.wait_event("screen-recording-ended")
    wait_until(lambda: reaped(halves), "the end of the first session")
    third = viewer_of(topology)
    third.wait_pixel(0, 0, 0x112233)


def test_recording_of_a_killed_viewer_is_whole_up_to_there(make_gateway, topology, tmp_path):
    """Z11, L1: after kill -9 the file is what was shown; changed, cut and forged files are told from it."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))
    viewer = viewer_of(topology)
    viewer.wait_pixel(319, 239, 0x112233)
    gateway.kill("screen-viewer")
    wait_until(lambda: not gateway.pids("screen-viewer"), "the end of the viewer")
    (file,) = files(gateway)
    status, said = replay(file, tmp_path / "killed", "--log", log_of(gateway))
    assert status == 1 and "cut off: behind" in said and "the first 0 of" in said
    assert colour(pictures(tmp_path / "killed")[-1]) == "112233"
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    status, said = replay(file, tmp_path / "changed")
    assert status == 1 and "damaged: block" in said


def test_recording_that_was_forged_is_not_as_the_log_has_it(make_gateway, topology, tmp_path):
    """L1: whoever makes all hashes anew still has another last one than the log."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))
    viewer = viewer_of(topology)
    viewer.wait_pixel(319, 239, 0x112233)
    viewer.close()
    gateway.wait_event("screen-recording-ended ", 'name="web"')
    (file,) = files(gateway)
    found = blocks(file.read_bytes())
    assert chain(found) == file.read_bytes()
    forged = tmp_path / file.name
    forged.write_bytes(chain([(k, t, c.replace(b"\x33\x22\x11", b"\x99\x99\x99")) for k, t, c in found]))
    status, said = replay(forged, tmp_path / "forged", "--log", log_of(gateway))
    assert status == 1 and "whole:" in said and "the first 0 of" in said
    assert colour(pictures(tmp_path / "forged")[-1]) == "999999"


def test_recording_of_a_connection_alone_is_none(make_gateway, topology):
    """Z14, L1: whoever only connects leaves neither file nor record; a session that was shown nothing leaves no file."""
    gateway = make_gateway(screen(topology))
    zone = topology.zones["lgwan"]
    for _ in range(3):
        topology.net.connect(zone.namespace, zone.gateway4, PORT).close()
    wait_until(lambda: len([line for line in gateway.audit_lines() if "screen-ended" in line and 'peer="viewer"' in line]) == 3,
               "the ends of three sessions")
    assert files(gateway) == [] and not [line for line in gateway.audit_lines() if "screen-recording" in line]
    with pytest.raises((EOFError, ConnectionError)):
        viewer_of(topology)
    gateway.wait_event("screen-recording ", 'name="web"')
    wait_until(lambda: files(gateway) == [], "the end of a file that nothing was written into")


@pytest.mark.parametrize("count, finds_room", [(16, True), (17, False)])
def test_recording_counts_as_64_kib_at_least(make_gateway, topology, count, finds_room):
    """Z14, C1: many small files fill total-limit, too."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology, "record { size-limit 1MB; total-limit 2MB; }"))
    for n in range(count):
        (gateway.state / "recordings" / f"web.20260101-000000.{n}.86400s").write_bytes(b"x")
    if finds_room:
        viewer_of(topology).wait_pixel(0, 0, 0x112233)
        return
    with pytest.raises((EOFError, ConnectionError)):
        viewer_of(topology)
    gateway.wait_event("screen-recording-failed", 'reason="total-limit is reached"')


def failures(gateway):
    """(time in seconds, count) of each record of sessions that found no room."""
    lines = [line for line in gateway.audit_lines() if "screen-recording-failed" in line]
    return [(datetime.fromisoformat(re.search(r"\d{4}-\d\d-\d\dT\S+", line)[0]).timestamp(),
             int(re.search(r'count="(\d+)"', line)[1])) for line in lines]


def test_recording_that_finds_no_room_is_told_with_others(make_gateway, topology):
    """Z14, L1: the first session without room is told at once, those behind it in one record every 10 seconds."""
    gateway = make_gateway(screen(topology, "record { size-limit 1MB; total-limit 1MB; }"))
    (gateway.state / "recordings" / "web.20260101-000000.1.86400s").write_bytes(b"x")
    for _ in range(4):
        with pytest.raises((EOFError, ConnectionError)):
            viewer_of(topology)
    wait_until(lambda: sum(count for _, count in failures(gateway)) == 4, "a record of all four")
    told = failures(gateway)
    assert told[0][1] == 1
    assert all(b[0] - a[0] > 9.9 for a, b in itertools.pairwise(told))


def test_recording_room_that_runs_out_is_an_alarm(make_gateway, topology):
    """Z12, L4: at four fifths of total-limit an alarm stands until there is room again."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))
    large = gateway.state / "recordings" / "web.20260101-000000.1.86400s"
    large.write_bytes(b"x")
    os.truncate(large, 52 << 20)
    with viewer_of(topology).sock:
        gateway.wait_event("screen-recordings-filling", 'name="web"', 'limit="67108864"')
    assert "screen-recordings" in gateway.open_console().run("show alarms")
    large.unlink()
    with viewer_of(topology).sock:
        gateway.wait_event("screen-recordings-eased", 'name="web"')


def test_recording_is_removed_when_its_time_is_over(make_gateway, topology):
    """A6: what is old goes when the next session begins, not before the time that it was begun with; the log says so."""
    day_s = 86400
    ages_days = {"web.20260101-000000.1": 1.1, "web.20260101-000000.2.3600s": 1.1, "none.20260101-000000.3": 31}
    young_days = {"web.20260101-000000.4": 0.9, "web.20260101-000000.5.3600s": 0.9, "web.20260101-000000.6.8640000s": 99,
                  "none.20260101-000000.7": 29, "none.20260101-000000.8.8640000s": 99}
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology, "record { keep 1d; }"))
    for name, days in (ages_days | young_days).items():
        file = gateway.state / "recordings" / name
        file.write_bytes(b"x")
        os.utime(file, (time.time() - days * day_s,) * 2)
    viewer = viewer_of(topology)
    viewer.wait_pixel(0, 0, 0x112233)
    for name in ages_days:
        gateway.wait_event("screen-recording-removed", f'name="{name}"')
    (new,) = {file.name for file in files(gateway)} - set(young_days)
    assert len(files(gateway)) == len(young_days) + 1 and new.endswith(f".{day_s}s")


def type_at(console, prompt, text):
    console.expect(prompt)
    console.send(text + "\r")


def person(gateway, administrator, user, secret):
    """A console at which `user` has just chosen a password; the administrator's is left."""
    shown = administrator.run(f"account reset {user}")
    administrator.close()
    console = gateway.console()
    type_at(console, "login: $", user)
    type_at(console, "password: $", re.search(rf"temporary password of {user}: (\S+)", shown).group(1))
    type_at(console, "new password: $", secret)
    type_at(console, "again: $", secret)
    console.expect(console.PROMPT)
    return console


def test_recording_is_fetched_by_an_auditor_alone(make_gateway, topology, tmp_path):
    """A6: an administrator sees that there is one; an auditor gets it, byte for byte, and the log says who did."""
    fake_desktop(topology, still)
    gateway = make_gateway("login { user yamada { role administrator; } user suzuki { role auditor; } }", screen(topology))
    viewer = viewer_of(topology)
    viewer.wait_pixel(0, 0, 0x112233)
    viewer.close()
    gateway.wait_event("screen-recording-ended ", 'name="web"')
    (file,) = files(gateway)
    administrator = person(gateway, gateway.open_console(), "yamada", "Karasu-no-7-tsu")
    assert file.name in administrator.run("show screen recordings")
    assert "does not allow" in administrator.run(f"save screen recording {file.name}")
    auditor = person(gateway, administrator, "suzuki", "Umi/ni-36-fune")
    shown = auditor.run(f"save screen recording {file.name}")
    text = re.search(r"-----BEGIN SEKISHO RECORDING-----\s(.*?)-----END SEKISHO RECORDING-----", shown, re.DOTALL)[1]
    assert base64.b64decode("".join(text.split()), validate=True) == file.read_bytes()
    gateway.wait_event("screen-recording-fetched", 'user="suzuki"', f'name="{file.name}"')
    for wrong in (f"{file.name} 2", f"{file.name} 0", "../audit", "web"):
        assert "there is no such part" in auditor.run(f"save screen recording {wrong}")
