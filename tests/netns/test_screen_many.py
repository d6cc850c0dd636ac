# SPDX-License-Identifier: GPL-2.0-or-later
"""As many sessions at once as a screen's entry allows, through the whole gateway, at two real desktops.

Here so many that it takes seconds; as many as the product promises, without TLS and with passwords under TLS:
    SESSIONS=100 make check-netns TESTS=test_screen_many
"""

import collections
import os
import pathlib
import re
import signal
import struct
import time

import pytest

from lib.net import run
from lib.peers import Desktop, difference
from lib.peers.rfb import Viewer, key, pointer, update_request
from lib.peers.vencrypt import Refused, SecureViewer
from lib.peers.viewers import ViewerScreen, tigervnc
from lib.processes import reaped
from lib.waiting import wait_until
from test_screen_login import password_of
from test_second_factor import enrol

PORT = 5900
SESSIONS = int(os.environ.get("SESSIONS") or 16)
SIZE = "1280x800"
SESSION_MAX_KIB = 12 << 10          # design/screen.md, of both halves together
DESCRIPTORS_MAX = 16                # of both
NEW_COLOUR = 0xA0B0C0


def proportional_kib(pid):
    """Memory of a process, with its share of what it shares."""
    return int(re.search(r"^Pss: +(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def pixels_of(picture):
    """A picture file's pixels as the viewers here get them."""
    raw = picture.with_suffix(".bgra")
    run("convert", picture, "-alpha", "off", "-depth", "8", raw)
    octets = bytearray(raw.read_bytes())
    octets[3::4] = bytes(len(octets) // 4)
    return octets


def read_until(viewer, picture):
    """Ask for updates until it has this picture."""
    viewer.read_update()
    while viewer.picture != picture:
        viewer.send(update_request(viewer.width, viewer.height, 1))
        viewer.read_update()


def sum_by_session(gateway, measure):
    """What is measured of a screen-viewer and a screen-source, the largest of each added: no session has more."""
    return sum(max(measure(pid) for pid in gateway.pids(role)) for role in ("screen-viewer", "screen-source"))


@pytest.mark.limit(60 + 3 * SESSIONS)
def test_many_sessions_at_once(make_gateway, topology, tmp_path):
    """Z4, Z14: all see their desktop's every pixel and go on doing so, one more is refused, each costs what it may, all end.

    The last is xtigervncviewer, the others check every pixel by themselves.
    """
    zone, lgwan = topology.zones["internet"], topology.zones["lgwan"]
    ports = (5901, 5902)
    desktops = [Desktop(topology.net, zone.namespace, zone.peer4, port=port, size=SIZE) for port in ports]
    for desktop, port in zip(desktops, ports):
        desktop.show_test_picture(f"端末 {port}")
    pool = " ".join(f"desktop {zone.peer4}:{port};" for port in ports)
    gateway = make_gateway(f"screen web {{ from lgwan; to internet; listen {PORT}; {pool} security none; "
                           f"sessions {SESSIONS}; sessions-per-source {SESSIONS + 1}; }}")
    true = [desktop.screenshot(tmp_path / f"{port}.png") for desktop, port in zip(desktops, ports)]
    pictures = [pixels_of(picture) for picture in true]
    before = descriptors(gateway.pid)

    def connect():
        return topology.net.connect(lgwan.namespace, lgwan.gateway4, PORT, 60)

    def light_viewer():
        """A viewer that has seen one of the desktops; which, and the viewer."""
        viewer = Viewer(connect())
        viewer.begin()
        viewer.read_update()
        while viewer.picture not in pictures:
            viewer.send(update_request(viewer.width, viewer.height, 1))
            viewer.read_update()
        return pictures.index(viewer.picture), viewer
    seen = [light_viewer() for _ in range(SESSIONS - 1)]
    screen = ViewerScreen(topology.net, lgwan.namespace, "1300x850")
    real = tigervnc(screen, lgwan.gateway4, PORT)
    by_desktop = collections.Counter(number for number, _ in seen)
    last = 1 if by_desktop[0] > by_desktop[1] else 0

    def real_shows():
        return difference(true[last], screen.screenshot(tmp_path / "real.png", SIZE)) == 0
    wait_until(real_shows, "the picture in xtigervncviewer", pause=0.3)
    assert max(by_desktop.values()) <= (SESSIONS + 1) // 2, "a pool's desktops are used alike"
    assert connect().recv(1) == b"", "one session more than configured was served"
    gateway.wait_event("session-refused ", 'name="web"')
    for desktop in desktops:
        run("xsetroot", "-solid", f"#{NEW_COLOUR:06x}", env=desktop.env)
    for number, viewer in seen:
        viewer.send(key(0x61) + key(0x61, 0) + pointer(number, 5))
        viewer.wait_pixel(0, 0, NEW_COLOUR, 60)
    kib, fds = sum_by_session(gateway, proportional_kib), sum_by_session(gateway, descriptors)
    print(f"{SESSIONS} sessions of {SIZE}: at most {kib} KiB and {fds} descriptors each")
    assert kib <= SESSION_MAX_KIB and fds <= DESCRIPTORS_MAX
    assert len(gateway.pids("screen-viewer")) == len(gateway.pids("screen-source")) == SESSIONS and real.running()
    for _, viewer in seen:
        viewer.close()
    real.stop()
    wait_until(lambda: not gateway.pids("screen-viewer") + gateway.pids("screen-source"), "the end of all sessions", 60)

    def ends():
        return [line for line in gateway.audit_lines() if "screen-ended " in line]

    wait_until(lambda: len(ends()) >= 2 * SESSIONS, "the records of their ends")
    assert len(ends()) == 2 * SESSIONS and all('reason="viewer-left"' in line for line in ends()), ends()
    wait_until(lambda: descriptors(gateway.pid) == before, "as many descriptors as before")
    following = Viewer(connect())
    following.begin()
    following.wait_pixel(0, 0, NEW_COLOUR, 60)


# ---- behind logins ----

ASKS_MAX = 4    # of src/supervisor/sessions/admission.c
USERS = {"suzuki": 5901, "sato": 5902, "tanaka": 5901, "kato": 5902}    # each one's desktop; the last two have a second factor
LOGINS = ["tanaka", "kato"] + ["suzuki", "sato"] * ((SESSIONS - 2) // 2)


def screen_with_logins(zone):
    pool = " ".join(f"desktop {zone.peer4}:{port};" for port in sorted(set(USERS.values())))
    users = "".join(f"screen-user {user} {{ group staff; desktop {zone.peer4}:{port}; }}\n" for user, port in USERS.items())
    return (f"screen web {{ from lgwan; to internet; listen {PORT}; {pool} security x509-plain; group staff; "
            f"tls {{ certificate screen; }} sessions {SESSIONS}; sessions-per-source {SESSIONS}; "
            f"sessions-per-user {SESSIONS}; }}\n{users}")


def say_login(viewer, name, secret):
    """Name and password, and no waiting for the answer."""
    viewer.send(struct.pack(">II", len(name), len(secret)) + name.encode() + secret.encode())


def states(console):
    """How many sessions are in which state of their admission."""
    shown = console.run("show screen sessions")
    return collections.Counter(re.findall(r" (login|waiting|judged|refused|admitted) +\d+ s", shown))


def ask_all_at_once(make_gateway, topology):
    """(gateway, passwords, viewers with who they are): all have said theirs, and accounts is halted, but not for a minute."""
    zone, lgwan = topology.zones["internet"], topology.zones["lgwan"]
    gateway = make_gateway(screen_with_logins(zone))
    secrets = {user: password_of(gateway, user) for user in USERS}
    console = gateway.open_console()
    phones = {user: enrol(console, f"account screen-totp {user}") for user in ("tanaka", "kato")}
    viewers = [(user, SecureViewer(topology.net.connect(lgwan.namespace, lgwan.gateway4, PORT, 120), user, login=False))
               for user in LOGINS]
    gateway.kill("accounts", signal.SIGSTOP)
    for user, viewer in viewers:
        say_login(viewer, user, secrets[user] + (phones[user].code() if user in phones else ""))
    expected = {"judged": ASKS_MAX, "waiting": len(LOGINS) - ASKS_MAX}
    wait_until(lambda: states(console) == expected, "all logins, in line", 30)
    return gateway, secrets, viewers


@pytest.mark.limit(120 + 4 * SESSIONS)
def test_many_logins_at_once_are_all_judged(make_gateway, topology, tmp_path):
    """Z4, A9, Z14: under TLS, passwords and codes; each sees his own desktop and no other's; one that is killed ends alone."""
    zone = topology.zones["internet"]
    desktops = {port: Desktop(topology.net, zone.namespace, zone.peer4, port=port, size=SIZE) for port in set(USERS.values())}
    for port, desktop in desktops.items():
        desktop.show_test_picture(f"端末 {port}")
    pictures = {port: pixels_of(desktop.screenshot(tmp_path / f"{port}.png")) for port, desktop in desktops.items()}
    gateway, _, viewers = ask_all_at_once(make_gateway, topology)
    begin = time.monotonic()
    gateway.kill("accounts", signal.SIGCONT)
    for _, viewer in viewers:
        viewer.log_in(None, "")
        viewer.enter()
    print(f"{len(viewers)} logins at once: the last was admitted after {time.monotonic() - begin:.1f} s")
    for user, viewer in viewers:
        viewer.begin()
        read_until(viewer, pictures[USERS[user]])
    kib, fds = sum_by_session(gateway, proportional_kib), sum_by_session(gateway, descriptors)
    print(f"{len(viewers)} sessions of {SIZE} under TLS: at most {kib} KiB and {fds} descriptors each")
    assert kib <= SESSION_MAX_KIB and fds <= DESCRIPTORS_MAX
    os.kill(gateway.pids("screen-viewer")[0], signal.SIGKILL)
    ended = gateway.wait_event("screen-ended ", 'peer="desktop"', 'reason="other-half-died"', seconds=20)
    _, killed = viewers.pop(int(re.search(r' session="(\d+)"', ended).group(1)) - 1)     # they are numbered as they come
    colours = dict(zip(desktops, range(NEW_COLOUR, 0xffffff)))
    for port, desktop in desktops.items():
        run("xsetroot", "-solid", f"#{colours[port]:06x}", env=desktop.env)
    for user, viewer in viewers:
        viewer.wait_pixel(0, 0, colours[USERS[user]], 60)
    assert killed.drain() and len(gateway.pids("screen-viewer")) == len(viewers)


@pytest.mark.limit(120 + 4 * SESSIONS)
def test_many_logins_at_once_are_refused_without_accounts(make_gateway, topology):
    """reliability.md: accounts dies; who was asked for and who waited are refused, and locked out is nobody."""
    gateway, secrets, viewers = ask_all_at_once(make_gateway, topology)
    lgwan, ending = topology.zones["lgwan"], gateway.pids("screen-viewer")
    gateway.kill("accounts")
    for _, viewer in viewers:
        with pytest.raises(Refused, match="^login refused$"):
            viewer.log_in(None, "")
    wait_until(lambda: reaped(ending), "the end of all", 60)

    def is_admitted():
        viewer = SecureViewer(topology.net.connect(lgwan.namespace, lgwan.gateway4, PORT, 60), "suzuki", login=False)
        try:
            viewer.log_in("suzuki", secrets["suzuki"])
        except Refused:
            return False
        return True
    wait_until(is_admitted, "a login with the new accounts", 60)
