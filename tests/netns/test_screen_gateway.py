# SPDX-License-Identifier: GPL-2.0-or-later
"""The screen relay in the whole gateway: configured, sandboxed, limited, isolated, and seen in the log."""

import os
import pathlib
import re
import signal
import time

from lib.peers import Desktop, capture_screen, difference
from lib.peers.rfb import key, update_request
from lib.processes import reaped
from lib.screen_entry import PORT, fake_desktop, screen, still, viewer_of
from lib.waiting import kept_within, wait_until


def halves(gateway):
    """Process ids of both halves of all sessions."""
    return gateway.pids("screen-viewer") + gateway.pids("screen-source")


def test_screen_gateway_shows_the_desktop_pixel_by_pixel(make_gateway, topology, tmp_path):
    """Z4: Xvnc in the internet zone, gvnccapture in the lgwan zone, difference 0, both ends of the session logged."""
    zone = topology.zones["internet"]
    desktop = Desktop(topology.net, zone.namespace, zone.peer4)
    desktop.show_test_picture()
    gateway = make_gateway(screen(topology))
    true = desktop.screenshot(tmp_path / "desktop.png")
    lgwan = topology.zones["lgwan"]
    seen = capture_screen(topology.net, lgwan.namespace, lgwan.gateway4, PORT, tmp_path / "viewer.png")
    assert difference(true, seen) == 0
    for event in ("screen-started", "screen-desktop", "screen-ended"):
        gateway.wait_event(event)


def test_screen_gateway_has_no_other_path_between_the_zones(make_gateway, topology):
    """Z3, Z6: while a session runs, no packet of the viewers' zone reaches the desktop's zone, or the other way round."""
    fake_desktop(topology, still)
    make_gateway(screen(topology))
    viewer = viewer_of(topology)
    viewer.read_update()
    lgwan, internet = topology.zones["lgwan"], topology.zones["internet"]
    assert not topology.net.reaches(lgwan.namespace, internet.peer4, 5900)
    assert not topology.net.reaches(internet.namespace, lgwan.gateway4, PORT)
    assert not topology.net.reaches(internet.namespace, internet.gateway4, PORT)
    viewer.send(update_request(320, 240))
    assert viewer.read_update()


def test_screen_gateway_halves_are_locked_up(make_gateway, topology):
    """Z5: own uid, no capability, seccomp filter, no new privileges, empty root, an empty network namespace."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))
    viewer = viewer_of(topology)
    viewer.read_update()
    for role in ("screen-source", "screen-viewer"):
        pid = gateway.pids(role)[0]
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                      if ":\t" in line)
        assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == "0000000000000000"
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
        assert "0" not in status["Uid"].split()
        assert os.listdir(f"/proc/{pid}/root") == []
        devices = pathlib.Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
        assert all(line.strip().startswith("lo:") for line in devices)
    viewer.close()


def test_screen_gateway_limits_sessions(make_gateway, topology):
    """Z14: the session over the limit is closed at once; when another has ended the next is served."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology, "sessions 2;"))
    first = viewer_of(topology)
    first.read_update()
    of_first = halves(gateway)
    second = viewer_of(topology)
    second.read_update()
    third = topology.net.connect(topology.zones["lgwan"].namespace, topology.zones["lgwan"].gateway4, PORT)
    assert third.recv(1) == b""
    gateway.wait_event("session-refused")
    first.close()
    wait_until(lambda: reaped(of_first), "the end of the first session's halves")
    third = viewer_of(topology)
    assert third.read_update()


def test_screen_gateway_killed_half_ends_its_session_within_a_second(make_gateway, topology):
    """reliability.md: kill -9 of either half under the real supervisor: the rest of the session goes, others stay."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))

    def ends(role, other):
        stays = viewer_of(topology)
        stays.read_update()
        before = {r: set(gateway.pids(r)) for r in (role, other)}
        goes = viewer_of(topology)
        goes.read_update()
        begin = time.monotonic()
        for pid in set(gateway.pids(role)) - before[role]:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: {r: set(gateway.pids(r)) for r in before} == before, "the end of the killed session")
        took = time.monotonic() - begin
        assert goes.drain()
        stays.send(key(0x61) + update_request(320, 240))
        assert stays.read_update()
        ending = halves(gateway)
        stays.close()
        wait_until(lambda: reaped(ending), "the end of all sessions")
        return took

    kept_within(lambda: ends("screen-source", "screen-viewer"), 1.5)
    kept_within(lambda: ends("screen-viewer", "screen-source"), 1.5)


def test_screen_gateway_sessions_end_with_their_supervisor(make_gateway, topology):
    """reliability.md: kill -9 of the supervisor: the sessions end within two seconds; no half stays behind."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))
    viewer = viewer_of(topology)
    viewer.read_update()
    pids = gateway.pids("screen-source") + gateway.pids("screen-viewer")
    killed = time.monotonic()
    os.kill(gateway.pid, signal.SIGKILL)
    assert viewer.drain(2)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/root/.") for pid in pids), "the end of both halves")
    assert time.monotonic() - killed < 2


def test_screen_gateway_clears_a_session_that_does_not_end(make_gateway, topology):
    """One half hangs: to be cleared twice, and again after the other half has died, ends it once, and the gateway goes on."""
    fake_desktop(topology, still)
    gateway = make_gateway(screen(topology))
    console = gateway.console(timeout=20)
    console.expect(console.PROMPT)
    for killed in ((), ("screen-viewer",)):
        viewer = viewer_of(topology)
        viewer.read_update()
        [session] = re.findall(r"^(\d+) +web ", console.run("show screen sessions"), re.M)
        [halted] = gateway.kill("screen-source", signal.SIGSTOP)
        for role in killed:
            gateway.kill(role)
        for _ in range(3):
            console.run(f"clear screen session {session}")
        wait_until(lambda h=halted: h not in gateway.pids("screen-source"), "the end of the half that hangs", 20)
        wait_until(lambda: " web " not in console.run("show screen sessions"), "the session's end", 20)
    assert viewer_of(topology).read_update()
